"""`watchkeeper capture erase`."""

from __future__ import annotations

from pathlib import Path

import click

from watchkeeper.adapters.local.actor import os_user
from watchkeeper.app.captures.erasing import Erasure, Tombstone, erase
from watchkeeper.app.setup.project import load_project
from watchkeeper.app.setup.targets import open_target
from watchkeeper.app.setup.workspace import open_workspace
from watchkeeper.cli.output import answer, json_option, workspace_option
from watchkeeper.cli.progress import progress_bars


@click.command("erase")
@click.option("--inference-id", "id_", required=True, help="The id of the request (else its event id).")
@click.option("--for", "environment", required=True, help="The environment whose request it was.")
@click.option("--why", required=True, help="The reason, for the audit log; do not name the id or the person.")
@click.option("--yes", is_flag=True, help="Do not ask whether you mean it.")
@workspace_option
@json_option
def erase_(id_: str, environment: str, why: str, yes: bool, workspace: Path, as_json: bool) -> None:
    """Remove a request from captures and labels for good, and leave a tombstone.

    The audit log and the tombstone name the id by its sha256 alone, and every file by its digest before
    and after. Pages and example rows of executions that showed the request are not rewritten.
    """
    target = open_target(load_project(workspace), open_workspace(workspace).folder)
    if not yes:
        click.confirm("This cannot be undone. Erase it?", abort=True, err=True)
    with progress_bars(quiet=as_json) as report:
        done = erase(target, Erasure(environment, id_, why, os_user()), report)
    answer(done, as_json, lambda: _text(done))


def _text(done: Tombstone) -> str:
    counts = f"{done.requests:,} captured records and {done.labels:,} of labels"
    lines = [f"erased {counts} of {done.endpoint}, id sha256 {done.id_digest[:12]}…"]
    return "\n".join([*lines, *(f"  {each.key}: {each.lines} lines" for each in done.objects)])
