"""`watchkeeper monitor show`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click

from watchkeeper.app.executions import executions, folder_of
from watchkeeper.app.workspace import open_workspace
from watchkeeper.cli.execution_text import execution_text
from watchkeeper.cli.output import answer, json_option, workspace_option
from watchkeeper.core.errors import InputError
from watchkeeper.core.values import VERDICTS, Execution
from watchkeeper.core.windows import parse_utc, utc_text


@click.command()
@click.argument("schedule")
@click.option("--at", "moment", metavar="TIME", help="The scheduled time.")
@click.option("--last", is_flag=True, help="The last one; this is so without --at, too.")
@workspace_option
@json_option
def show(schedule: str, moment: str | None, last: bool, workspace: Path, as_json: bool) -> None:
    """Print an execution of SCHEDULE, the newest revision where a window was judged again.

    Exit code 1 when it has violations, or no verdict.
    """
    if moment is not None and last:
        raise click.UsageError("want --at TIME or --last, one of them")
    store = open_workspace(workspace).store
    found = _found(executions(store), schedule, _moment(moment))
    answer(found, as_json, lambda: f"{execution_text(found)}\n  files: {workspace / folder_of(store, found)}")
    sys.exit(0 if found.status in VERDICTS and not found.violations else 1)


def _moment(text: str | None) -> datetime | None:
    try:
        return parse_utc(text) if text else None
    except ValueError as error:
        raise InputError(f"show the execution at {text}: {error}") from None


def _found(known: Sequence[Execution], schedule: str, at: datetime | None) -> Execution:
    of_schedule = [each for each in known if each.schedule == schedule]
    if not of_schedule:
        names = ", ".join(dict.fromkeys(each.schedule for each in known)) or "no monitor has run yet"
        raise InputError(f"show schedule {schedule}: want one that has run: {names}")
    chosen = [each for each in of_schedule if at in (None, each.scheduled_at)]
    if not chosen:
        times = [utc_text(each.scheduled_at) for each in of_schedule]
        raise InputError(
            f"show {schedule} at {utc_text(at) if at else ''}: want a time that it ran for, "
            f"the first is {times[0]}, the last {times[-1]}"
        )
    return chosen[-1]
