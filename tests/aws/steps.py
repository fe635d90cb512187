"""The training pipeline's steps in folders, as SageMaker mounts them, one after the other."""

from __future__ import annotations

import json
import re
import shutil
import tarfile
from pathlib import Path

import pytest

from tests.app.loop import new_loop, write_project
from tests.training.history import sales
from watchkeeper.app.aws import jobs
from watchkeeper.core.windows import month_start
from watchkeeper.render.sagemaker_pipeline import OBJECTIVE_REGEX
from watchkeeper.training.search import START

NOW = month_start("2020-05")
OF_FILES = ("source: look-alike", "source: files")
PACKAGE = "arn:aws:sagemaker:ap-southeast-1:123456789012:model-package/watchkeeper-demo/1"


class Platform:
    """What SageMaker does between two jobs: folders are carried from one to the other."""

    def __init__(self, folder: Path, project: Path, data: Path) -> None:
        self.folder, self.project, self.data = folder, project, data
        self.left: dict[str, Path] = {"data": data, "project": project}
        self.number = 0

    def job(self, *inputs: str, training: bool = False) -> jobs.Mounts:
        self.number += 1
        root = self.folder / f"job-{self.number}"
        for name in inputs:
            below = ("input", "data") if training else ("processing", "input")
            shutil.copytree(self.left[name], root.joinpath(*below, name))
        return jobs.Mounts(root)

    def keep(self, mounts: jobs.Mounts, output: str) -> None:
        self.left[output] = mounts.output(output)

    def archive(self, mounts: jobs.Mounts, name: str) -> None:
        """As SageMaker packs what a training job leaves."""
        place = self.folder / f"archive-{name}"
        place.mkdir()
        with tarfile.open(place / "model.tar.gz", "w:gz") as archive:
            for path in sorted(mounts.model.iterdir()):
                archive.add(path, path.name)
        self.left[name] = place


def platform_in(folder: Path) -> Platform:
    data = folder / "data"
    data.mkdir()
    sales().write_csv(data / "sales.csv")
    project = folder / "project"
    project.mkdir()
    write_project(project, OF_FILES)
    return Platform(folder, project, data)


def trained_in_steps(platform: Platform) -> None:
    loop = new_loop(platform.folder / "store", OF_FILES)
    loop.clock.move_to(NOW)
    first = platform.job("data", "project")
    jobs.prepare(first, loop.target, "newest", "abc123")
    platform.keep(first, "prepared")
    trial = platform.job("prepared", "project", training=True)
    trial.hyperparameters.parent.mkdir(parents=True)
    told = {name: str(value) for name, value in START.items()} | {"seed": "0"}
    trial.hyperparameters.write_text(json.dumps(told))
    said: list[str] = []
    found = jobs.try_parameters(trial, said.append)
    match = re.search(OBJECTIVE_REGEX, said[0])
    assert match is not None
    assert float(match[1]) == pytest.approx(found.rmse, rel=1e-11)
    platform.archive(trial, "trial")
    judged = platform.job("prepared", "project", "trial")
    assert jobs.evaluate_best(judged).accepted
    platform.keep(judged, "evaluated")
    assert json.loads((judged.output("evaluated") / "verdict.json").read_text())["accepted"] is True
    fitted = platform.job("prepared", "project", "evaluated", training=True)
    jobs.fit(fitted)
    platform.archive(fitted, "model")
