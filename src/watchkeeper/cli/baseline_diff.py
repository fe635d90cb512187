"""`watchkeeper baseline diff`."""

from __future__ import annotations

from pathlib import Path

import click

from watchkeeper.app.baselines.differences import BaselineDiff, baseline_diff, chosen, diff_page
from watchkeeper.app.setup.project import load_project
from watchkeeper.app.setup.workspace import open_workspace
from watchkeeper.cli.output import answer, json_option, workspace_option, write_page


@click.command()
@click.argument("monitor")
@click.argument("before", type=click.IntRange(min=1), required=False)
@click.argument("after", type=click.IntRange(min=1), required=False)
@click.option("--for", "environment", help="Where the one in use is looked up (default: the last one).")
@click.option("--html", "file", type=click.Path(path_type=Path, dir_okay=False), help="Write a page too.")
@workspace_option
@json_option
def diff(
    monitor: str,
    before: int | None,
    after: int | None,
    environment: str | None,
    file: Path | None,
    workspace: Path,
    as_json: bool,
) -> None:
    """Say what baseline AFTER of MONITOR would change if it took the place of BEFORE.

    Without AFTER it is the newest of the same model version; without BEFORE too, the one in use in the
    environment is compared with it.
    """
    project, store = load_project(workspace), open_workspace(workspace).store
    where = environment or project.environments[-1]
    records = chosen(project, store, monitor, (before, after), where)
    found = baseline_diff(store, *records)
    if file is not None:
        write_page(file, diff_page(project, store, found))
    answer(found, as_json, lambda: _text(found, file))


def _text(found: BaselineDiff, file: Path | None) -> str:
    head = f"{found.before.name} → v{found.after.version}"
    said = [f"  {change.column + ': ' if change.column else ''}{change.what}" for change in found.changes]
    lines = [head, *said] if said else [f"{head}: both say the same"]
    return "\n".join([*lines, *([f"the page is {file}"] if file else [])])
