"""`watchkeeper batch`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from watchkeeper.adapters.local.actor import os_user
from watchkeeper.app.captures.batch import BatchJob, BatchOrder, score_files
from watchkeeper.app.setup.project import load_project
from watchkeeper.app.setup.targets import open_target
from watchkeeper.app.setup.workspace import open_workspace
from watchkeeper.cli.output import answer, json_option, workspace_option
from watchkeeper.cli.progress import row_counts


@click.command()
@click.argument("rows", nargs=-1, required=True, type=click.Path())
@click.option("--for", "environment", required=True, help="The environment whose model scores them.")
@click.option("--model", "version", type=click.IntRange(min=1), metavar="N", help="Another version of it.")
@click.option(
    "--id", "id_column", default="", metavar="COLUMN", help="Holds each row's inference id (default: made)."
)
@click.option(
    "--header/--no-header",
    default=None,
    help="Whether CSV files name their columns (default: by their look).",
)
@workspace_option
@json_option
def batch(
    rows: Sequence[str],
    environment: str,
    version: int | None,
    id_column: str,
    header: bool | None,
    workspace: Path,
    as_json: bool,
) -> None:
    """Score ROWS, files or folders of them: CSV (also gzipped), Parquet or JSON Lines.

    Answers are stored beside their inputs, each row with its inference id, as a SageMaker batch transform
    that captures its data stores them. All rows are scored, or nothing is stored.
    """
    folder = open_workspace(workspace).folder
    target = open_target(load_project(workspace), folder)
    order = BatchOrder(environment, os_user(), version, id_column, header)
    with row_counts(quiet=as_json) as report:
        done = score_files(target, rows, order, report)
    answer(done, as_json, lambda: _text(done))


def _text(done: BatchJob) -> str:
    lines = [f"{done.rows:,} rows scored by model version {done.model_version} of {done.endpoint}"]
    lines += [f"  {key}" for key in done.outputs]
    for feature, count in done.unseen.items():
        lines.append(f"  note: {count:,} rows with a category of {feature} that training did not have")
    take = f"watchkeeper capture import {done.output_manifest}"
    lines.append(f"to have them watched: {take} --for {done.environment} --model {done.model_version}")
    return "\n".join(lines)
