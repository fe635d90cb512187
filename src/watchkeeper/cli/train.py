"""`watchkeeper train`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

import click

from watchkeeper.adapters.local.actor import os_user
from watchkeeper.app.retraining.train import Trained, dataset_of
from watchkeeper.app.retraining.train import train as run
from watchkeeper.app.setup.project import Project, load_project
from watchkeeper.app.setup.targets import open_target
from watchkeeper.app.setup.workspace import open_workspace
from watchkeeper.cli.by_name import load_named
from watchkeeper.cli.output import answer, check_month, json_option, workspace_option
from watchkeeper.cli.progress import progress_bars
from watchkeeper.cli.sources import data_option, source_request
from watchkeeper.cli.targets import target_option

TrainsThere = Callable[[Project, str | None, bool, bool], int]
ON_AWS = "watchkeeper.cli.aws_train:train_there"


@click.command()
@workspace_option
@data_option
@click.option(
    "--through",
    metavar="YYYY-MM",
    help="Newest month to learn from (default: the newest whose labels are known).",
)
@target_option
@click.option("--wait", is_flag=True, help="With --target aws: until the pipeline has ended.")
@json_option
def train(
    workspace: Path, path: Path | None, through: str | None, target: str, wait: bool, as_json: bool
) -> None:
    """Train a model; one that meets the project's thresholds is registered, pending approval.

    On AWS it brings the pipeline up to date and starts it. Exit code 1 when the model misses a threshold.
    """
    if through is not None:
        check_month(through, "train --through")
    project = load_project(workspace)
    if target == "aws":
        if path is not None:
            raise click.UsageError(
                "--data is for this machine; `data fetch --target aws` puts rows into the bucket"
            )
        sys.exit(cast(TrainsThere, load_named(ON_AWS))(project, through, wait, as_json))
    if wait:
        raise click.UsageError("--wait is for --target aws: a training on this machine ends when it ends")
    here = open_target(project, open_workspace(workspace).folder)
    rows = dataset_of(project, source_request(path))
    with progress_bars(quiet=as_json) as report:
        trained = run(here, rows, os_user(), report, through)
    answer(trained, as_json, lambda: _text(trained))
    sys.exit(0 if trained.model else 1)


def _text(trained: Trained) -> str:
    metrics = trained.metrics
    figures = f"test months: RMSE {metrics.rmse:,.0f}, MAPE {metrics.mape:.1%}, R² {metrics.r2:.3f}"
    if trained.model is None:
        return f"not registered: {'; '.join(trained.missed)}\n{figures}"
    version = trained.model.version
    following = f"next: watchkeeper models promote {version} --to dev"
    return f"registered model v{version}, pending approval\n{figures}\n{following}"
