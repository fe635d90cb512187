"""`watchkeeper monitor backfill`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from watchkeeper.adapters.local.actor import os_user
from watchkeeper.app.registry.history import extend_history
from watchkeeper.app.replay.backfill import Backfill, Backfilled
from watchkeeper.app.replay.backfill import backfill as run
from watchkeeper.app.setup.project import load_project
from watchkeeper.app.setup.targets import open_target
from watchkeeper.app.setup.workspace import open_workspace
from watchkeeper.cli.execution_text import KEY_SHOWN, window_cell
from watchkeeper.cli.output import answer, json_option, read_moment, table, workspace_option
from watchkeeper.cli.progress import progress_bars
from watchkeeper.core.errors import InputError
from watchkeeper.core.values import VERDICTS
from watchkeeper.core.windows import Window


@click.command()
@click.argument("monitor")
@click.option(
    "--for", "environment", metavar="ENV", required=True, help="The environment whose endpoint is judged."
)
@click.option("--from", "start", metavar="TIME", required=True, help="Windows from this month, day or time.")
@click.option("--to", "end", metavar="TIME", required=True, help="Windows up to this month, day or time.")
@workspace_option
@json_option
def backfill(monitor: str, environment: str, start: str, end: str, workspace: Path, as_json: bool) -> None:
    """Run MONITOR on each window of its schedule that lies between two times, the earliest first.

    What is on record with the same inputs, settings and baselines is not judged again, and a window whose
    scheduled time has not come is left out. --to 2021-01 ends with December.
    Exit code 1 when a window has violations, or no verdict.
    """
    doing = f"backfill {monitor} in {environment}"
    first, last = read_moment(start, f"{doing} from"), read_moment(end, f"{doing} to")
    if first >= last:
        raise InputError(f"{doing}: want --from before --to, got {start} and {end}")
    target = open_target(load_project(workspace), open_workspace(workspace).folder)
    with progress_bars(quiet=as_json) as report:
        found = run(target, Backfill(monitor, environment, Window(first, last)), os_user(), report)
    extend_history(target.store)
    answer(found, as_json, lambda: _text(found))
    held = all(each.status in VERDICTS and not each.violations for each in found.executions)
    sys.exit(0 if held else 1)


def _text(found: Backfilled) -> str:
    count = len(found.executions)
    said = f"{count} window{'' if count == 1 else 's'}, {found.stored} of them on record before"
    head = ("key", "window", "status", "rows", "violations", "judged", "reason")
    rows = [
        (
            each.key[:KEY_SHOWN],
            window_cell(each.window),
            each.status,
            f"{each.rows:,}",
            len(each.violations),
            "before" if again else "now",
            each.reason,
        )
        for each, again in zip(found.executions, found.again, strict=True)
    ]
    return f"{table(head, rows, '')}\n\n{found.executions[0].schedule}: {said}"
