"""`watchkeeper data show`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click
import polars as pl

from watchkeeper.app.retraining.train import dataset_of
from watchkeeper.app.setup.project import load_project
from watchkeeper.cli.output import answer, json_option, workspace_option
from watchkeeper.cli.sources import data_option, source_request


@dataclass(frozen=True, slots=True)
class DataSummary:
    """What a source holds."""

    source: str
    description: str
    digest: str
    rows: int
    first: str
    last: str
    months: int


@click.command("show")
@workspace_option
@data_option
@json_option
def show(workspace: Path, path: Path | None, as_json: bool) -> None:
    """Load the project's data and say what it is."""
    project = load_project(workspace)
    found = dataset_of(project, source_request(path))
    months = found.frame[project.settings.data.time].drop_nulls()
    summary = DataSummary(
        found.source,
        found.description,
        found.digest,
        found.frame.height,
        str(months.min()),
        str(months.max()),
        pl.Series(months).n_unique(),
    )
    answer(
        summary,
        as_json,
        lambda: (
            f"{summary.description}\n{summary.rows:,} rows, {summary.first} to {summary.last} "
            f"({summary.months} months), digest {summary.digest[:12]}"
        ),
    )
