"""The steps of the training pipeline in containers' folders give what training in one process gives."""

from __future__ import annotations

import io
import json
import re
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tests.app.loop import new_loop, write_project
from tests.aws.steps import NOW, OF_FILES, PACKAGE, Platform, platform_in, trained_in_steps
from tests.training.history import sales
from watchkeeper.adapters.memory.clock import MovedClock
from watchkeeper.adapters.sources.dataset import SourceRequest
from watchkeeper.app.aws import jobs
from watchkeeper.app.baselines.making import files_of
from watchkeeper.app.registry.packages import package_of
from watchkeeper.app.retraining.train import dataset_of, train
from watchkeeper.cli.aws_job import job
from watchkeeper.core.errors import InputError
from watchkeeper.model.artefact import load
from watchkeeper.render.sagemaker_pipeline import OBJECTIVE_REGEX
from watchkeeper.training.fitting import texts
from watchkeeper.training.search import START


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    return platform_in(tmp_path)


def test_one_process_and_containers_give_the_same_model(platform: Platform) -> None:
    trained_in_steps(platform)
    loop = new_loop(platform.folder / "local", OF_FILES)
    loop.clock.move_to(NOW)
    rows = dataset_of(loop.target.project, SourceRequest(path=platform.data / "sales.csv"))
    here = train(loop.target, rows, jobs.PIPELINE, lambda _: None)
    assert here.model is not None
    held = loop.store.list("models/v1/artefact/")
    with tarfile.open(platform.left["model"] / "model.tar.gz") as archive:
        there = {
            member.name.removeprefix("model/"): archive.extractfile(member).read()  # type: ignore[union-attr]
            for member in archive.getmembers()
            if member.isfile()
        }
        archive.extractall(platform.folder / "out", filter="data")
    assert there == {key.rpartition("/")[2]: loop.store.read(key) for key in held}
    model, local = load(platform.folder / "out" / "model"), platform.folder / "local-model"
    for key in held:
        local.mkdir(exist_ok=True)
        (local / key.rpartition("/")[2]).write_bytes(loop.store.read(key))
    columns = texts(sales(), here.recipe.features, here.recipe.level)
    assert np.array_equal(model.predict(columns).values, load(local).predict(columns).values)
    assert len(model.predict(columns).values) == sales().height


def test_the_last_steps_make_the_version_its_baselines_and_its_package(platform: Platform) -> None:
    trained_in_steps(platform)
    known = ("prepared", "project", "evaluated", "model")
    mounts = platform.job(*known)
    written = jobs.make_baselines(mounts, MovedClock(NOW))
    assert "data-quality/statistics.json" in written
    loop = new_loop(platform.folder / "records", OF_FILES)
    loop.clock.move_to(NOW)
    made = jobs.record(platform.job(*known), loop.target, PACKAGE)
    assert made.model is not None
    assert (made.model.version, package_of(loop.store, 1)) == (1, PACKAGE)
    for each in made.baselines:
        for name, text in files_of(loop.store, each).files:
            assert (mounts.output("baselines") / each.monitor / name).read_text() == text
    again = jobs.record(platform.job(*known), loop.target, PACKAGE.replace("/1", "/2"))
    assert again.model is not None
    assert again.model.version == 2, "another package is another version, of the same artefact"


def test_a_record_that_was_interrupted_is_completed(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained_in_steps(platform)
    known = ("prepared", "project", "evaluated", "model")
    loop = new_loop(platform.folder / "records", OF_FILES)
    loop.clock.move_to(NOW)

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(jobs, "keep_package", stopped)
    with pytest.raises(KeyboardInterrupt):
        jobs.record(platform.job(*known), loop.target, PACKAGE)
    monkeypatch.undo()
    made = jobs.record(platform.job(*known), loop.target, PACKAGE)
    assert made.model is not None
    assert (made.model.version, package_of(loop.store, 1)) == (1, PACKAGE)
    assert len(loop.store.list("models/v2/")) == 0


def test_what_misses_a_threshold_is_on_record_and_no_version(platform: Platform) -> None:
    write_project(platform.project, OF_FILES, ("accept: {r2", "accept: {rmse: '<= 1', r2"))
    loop = new_loop(platform.folder / "store", OF_FILES)
    loop.clock.move_to(NOW)
    first = platform.job("data", "project")
    jobs.prepare(first, loop.target, "2020-03", "abc")
    platform.keep(first, "prepared")
    trial = platform.job("prepared", "project", training=True)
    trial.hyperparameters.parent.mkdir(parents=True)
    trial.hyperparameters.write_text(json.dumps({name: str(value) for name, value in START.items()}))
    jobs.try_parameters(trial, lambda _: None)
    platform.archive(trial, "trial")
    judged = platform.job("prepared", "project", "trial")
    assert not jobs.evaluate_best(judged).accepted
    platform.keep(judged, "evaluated")
    missed = jobs.record_missed(platform.job("prepared", "project", "evaluated"), loop.target)
    assert missed[0].startswith("want rmse <= 1")
    assert loop.store.list("models/") == []
    assert b"training.not-accepted" in loop.target.trail.entries()[-1]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda root: (root / "processing/input/data/two.csv").write_text("a"), "want one file, got"),
        (lambda root: shutil.rmtree(root / "processing/input/data"), "read the input data: want it at"),
    ],
)
def test_what_is_wrong_with_an_input_is_said(platform: Platform, spoil: object, said: str) -> None:
    mounts = platform.job("data", "project")
    spoil(mounts.root)  # type: ignore[operator]
    with pytest.raises(InputError, match=re.escape(said)):
        jobs.prepare(mounts, new_loop(platform.folder / "s").target, "newest", "abc")


def test_parameters_that_are_none_are_refused(platform: Platform) -> None:
    trained_in_steps(platform)
    trial = platform.job("prepared", "project", training=True)
    trial.hyperparameters.parent.mkdir(parents=True)
    trial.hyperparameters.write_text(json.dumps({"max_depth": "deep"}))
    with pytest.raises(InputError, match='hyperparameter max_depth: want a number, got "deep"'):
        jobs.try_parameters(trial, lambda _: None)
    trial.hyperparameters.write_text(json.dumps({"max_depth": "5"}))
    with pytest.raises(InputError, match="want max_depth, learning_rate"):
        jobs.try_parameters(trial, lambda _: None)


def test_an_archive_cannot_write_elsewhere(platform: Platform, tmp_path: Path) -> None:
    trained_in_steps(platform)
    with tarfile.open(platform.left["trial"] / "model.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("../../escaped")
        member.size = 1
        archive.addfile(member, io.BytesIO(b"x"))
    with pytest.raises(InputError, match="unpack"):
        jobs.evaluate_best(platform.job("prepared", "project", "trial"))
    assert not list(tmp_path.rglob("escaped"))


def test_a_schema_is_settled_with_those_on_record(platform: Platform) -> None:
    loop = new_loop(platform.folder / "store", OF_FILES)
    loop.clock.move_to(NOW)
    prepared = jobs.prepare(platform.job("data", "project"), loop.target, "newest", "abc")
    assert (prepared.schema.version, prepared.known_through) == (1, "2020-03")


def test_the_image_s_command_runs_a_trial_and_leaves_the_reason_of_a_failure(platform: Platform) -> None:
    trained_in_steps(platform)
    trial = platform.job("prepared", "project", training=True)
    trial.hyperparameters.parent.mkdir(parents=True)
    trial.hyperparameters.write_text(json.dumps({name: str(value) for name, value in START.items()}))
    done = CliRunner().invoke(job, ["train", "--root", str(trial.root)], catch_exceptions=False)
    assert re.search(OBJECTIVE_REGEX, done.output)
    assert (trial.model / "trial.json").exists()
    (trial.root / "output").mkdir()
    trial.hyperparameters.write_text("{}")
    failed = CliRunner().invoke(job, ["train", "--root", str(trial.root)])
    assert isinstance(failed.exception, InputError)
    assert (trial.root / "output" / "failure").read_text() == str(failed.exception)
    fitted = platform.job("prepared", "project", "evaluated", training=True)
    assert CliRunner().invoke(job, ["fit", "--root", str(fitted.root)]).exit_code == 0
    assert (fitted.model / "model" / "manifest.json").exists()
