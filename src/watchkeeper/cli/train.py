"""`watchkeeper train`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from watchkeeper.adapters.local.actor import os_user
from watchkeeper.app.retraining.train import Trained, dataset_of
from watchkeeper.app.retraining.train import train as run
from watchkeeper.app.setup.project import load_project
from watchkeeper.app.setup.targets import open_target
from watchkeeper.app.setup.workspace import open_workspace
from watchkeeper.cli.output import answer, check_month, json_option, workspace_option
from watchkeeper.cli.progress import progress_bars
from watchkeeper.cli.sources import data_option, source_request


@click.command()
@workspace_option
@data_option
@click.option(
    "--through",
    metavar="YYYY-MM",
    help="Newest month to learn from (default: the newest whose labels are known).",
)
@json_option
def train(workspace: Path, path: Path | None, through: str | None, as_json: bool) -> None:
    """Train a model; one that meets the project's thresholds is registered, pending approval.

    Exit code 1 when it misses one.
    """
    if through is not None:
        check_month(through, "train --through")
    project = load_project(workspace)
    target = open_target(project, open_workspace(workspace).folder)
    rows = dataset_of(project, source_request(path))
    with progress_bars(quiet=as_json) as report:
        trained = run(target, rows, os_user(), report, through)
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
