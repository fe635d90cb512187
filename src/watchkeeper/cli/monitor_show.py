"""`watchkeeper monitor show`."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import click

from watchkeeper.app.executions import executions, folder_of
from watchkeeper.app.workspace import open_workspace
from watchkeeper.cli.execution_text import execution_text
from watchkeeper.cli.output import answer, json_option, read_moment, workspace_option
from watchkeeper.core.errors import InputError
from watchkeeper.core.values import VERDICTS, Execution


@click.command()
@click.argument("schedule")
@click.option(
    "--window", "moment", metavar="TIME", help="The window of this month, day or time (default: the last)."
)
@workspace_option
@json_option
def show(schedule: str, moment: str | None, workspace: Path, as_json: bool) -> None:
    """Print an execution of SCHEDULE, the newest revision where a window was judged again.

    `watchkeeper monitor list` names the schedules. Exit code 1 when the execution has violations, or no
    verdict.
    """
    store = open_workspace(workspace).store
    at = read_moment(moment, f"show {schedule}") if moment else None
    found = _found(executions(store), schedule, at)
    folder = workspace / folder_of(store, found)
    answer(found, as_json, lambda: "\n".join([execution_text(found), *_beyond(found), f"  files: {folder}"]))
    sys.exit(0 if found.status in VERDICTS and not found.violations else 1)


def _found(known: Sequence[Execution], schedule: str, at: datetime | None) -> Execution:
    own = [each for each in known if each.schedule == schedule]
    if not own:
        names = list(dict.fromkeys(each.schedule for each in known))
        near = difflib.get_close_matches(schedule, names, n=1)
        hint = f'; did you mean "{near[0]}"?' if near else ""
        raise InputError(
            f"show schedule {schedule}: want {', '.join(names) or 'one, but no monitor has run yet'}{hint}"
        )
    chosen = [each for each in own if at is None or at in each.window]
    if not chosen:
        raise InputError(
            f"show {schedule}: want a window that was judged, the first is {own[0].window}, "
            f"the last {own[-1].window}; got {at:%Y-%m-%d %H:%M}"
        )
    return chosen[-1]


def _beyond(found: Execution) -> Iterator[str]:
    """What the short text leaves out: each version's verdict, and when the schedule came due."""
    yield f"  scheduled for {found.scheduled_at:%Y-%m-%d %H:%M}, {len(found.inputs):,} files read"
    for each in found.judgements:
        baseline = f"baseline v{each.baseline.version}" if each.baseline else "no baseline"
        yield f"  model v{each.model_version}: {each.rows:,} rows, {baseline}: {each.status}, {each.reason}"
