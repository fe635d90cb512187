"""`watchkeeper monitor list`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from watchkeeper.app.executions import executions
from watchkeeper.app.workspace import open_workspace
from watchkeeper.cli.output import answer, json_option, table, workspace_option
from watchkeeper.core.values import Execution


@click.command("list")
@workspace_option
@json_option
def list_(workspace: Path, as_json: bool) -> None:
    """Print every execution; exit code 1 when the newest of a schedule has violations."""
    found = executions(open_workspace(workspace).store)
    answer(found, as_json, lambda: execution_table(found))
    newest = {execution.schedule: execution for execution in found}
    sys.exit(1 if any(execution.violations for execution in newest.values()) else 0)


def execution_table(found: Sequence[Execution]) -> str:
    """A line for each execution."""
    head = ("schedule", "window", "status", "rows", "violations", "reason")
    return table(head, [_row(each) for each in found], "no monitor has run yet")


def _row(each: Execution) -> tuple[object, ...]:
    window = f"{each.window.start:%Y-%m-%d} to {each.window.end:%Y-%m-%d}"
    return each.schedule, window, each.status, f"{each.rows:,}", len(each.violations), each.reason
