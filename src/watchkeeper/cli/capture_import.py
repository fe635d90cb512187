"""`watchkeeper capture import`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from watchkeeper.adapters.local.actor import os_user
from watchkeeper.app.captures.importing import CaptureImport, import_captures
from watchkeeper.app.captures.sources import CaptureOrder, Columns
from watchkeeper.app.setup.project import load_project
from watchkeeper.app.setup.targets import open_target
from watchkeeper.app.setup.workspace import open_workspace
from watchkeeper.cli.output import answer, json_option, workspace_option
from watchkeeper.cli.progress import progress_bars
from watchkeeper.core.windows import utc_text


@click.command("import")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--for", "environment", required=True, help="The environment whose requests they are.")
@click.option(
    "--model",
    "model_version",
    type=int,
    metavar="N",
    help="The version that answered, where records name none.",
)
@click.option("--time", default="time", show_default=True, metavar="COLUMN", help="Of a table: when.")
@click.option(
    "--prediction", default="", metavar="COLUMN", help="Of a table: the answer (default: prediction)."
)
@click.option(
    "--id", "id_", default="", metavar="COLUMN", help="Of a table: the inference id, to join labels by."
)
@click.option(
    "--column", "columns", multiple=True, metavar="NAME=THEIRS", help="Of a table: its own name for a column."
)
@click.option("--dry-run", is_flag=True, help="Check everything and say what would be stored.")
@workspace_option
@json_option
def import_(
    source: Path,
    environment: str,
    model_version: int | None,
    time: str,
    prediction: str,
    id_: str,
    columns: Sequence[str],
    dry_run: bool,
    workspace: Path,
    as_json: bool,
) -> None:
    """Store what a model was asked and answered, from SOURCE: a file, or a folder with all of its files.

    Capture files as SageMaker or Watchkeeper write them (JSON Lines, also gzipped) are taken as they are.
    A table (CSV, also gzipped, Parquet, JSON Lines) has a row for each request. Everything is checked
    before anything is stored; the same records again add nothing.
    """
    folder = open_workspace(workspace).folder
    target = open_target(load_project(workspace), folder)
    order = CaptureOrder(
        environment=environment,
        actor=os_user(),
        model_version=model_version,
        columns=Columns(time, prediction, id_, dict(map(_pair, columns))),
        dry_run=dry_run,
    )
    with progress_bars(quiet=as_json) as report:
        done = import_captures(target, source, order, report)
    answer(done, as_json, lambda: _text(done))


def _pair(text: str) -> tuple[str, str]:
    name, sign, theirs = text.partition("=")
    if not (name and sign and theirs):
        raise click.UsageError(f"--column: want NAME=THEIRS, got {text}")
    return name, theirs


def _text(done: CaptureImport) -> str:
    would = "would store" if done.dry_run else "stored"
    span = f"{utc_text(done.first)} to {utc_text(done.last)}"
    already = f", {done.already:,} were on record" if done.already else ""
    return f"{done.records:,} requests of {done.endpoint}, {span}: {would} {done.stored:,}{already}"
