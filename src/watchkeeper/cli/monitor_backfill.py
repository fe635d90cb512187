"""`watchkeeper monitor backfill`."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

from watchkeeper.adapters.local.actor import os_user
from watchkeeper.app.backfill import Backfill, Backfilled
from watchkeeper.app.backfill import backfill as run
from watchkeeper.app.project import load_project
from watchkeeper.app.targets import open_target
from watchkeeper.app.workspace import open_workspace
from watchkeeper.cli.monitor_list import execution_table
from watchkeeper.cli.output import answer, json_option, workspace_option
from watchkeeper.cli.progress import progress_bars
from watchkeeper.core.errors import InputError
from watchkeeper.core.values import VERDICTS
from watchkeeper.core.windows import Window, month_start, parse_utc


@click.command()
@click.argument("monitor")
@click.option("--for", "environment", required=True, help="The environment whose endpoint is judged.")
@click.option(
    "--from", "start", metavar="TIME", required=True, help="Scheduled times from this one, or month."
)
@click.option(
    "--until", "end", metavar="TIME", required=True, help="Scheduled times before this one, or month."
)
@workspace_option
@json_option
def backfill(monitor: str, environment: str, start: str, end: str, workspace: Path, as_json: bool) -> None:
    """Run MONITOR for each time of its schedule from TIME until before TIME, the earliest first.

    What is on record with the same inputs, settings and baselines is not judged again.
    Exit code 1 when a window has violations, or no verdict.
    """
    target = open_target(load_project(workspace), open_workspace(workspace).folder)
    wanted = Backfill(monitor, environment, _range(start, end))
    with progress_bars(quiet=as_json) as report:
        found = run(target, wanted, os_user(), report)
    answer(found, as_json, lambda: _text(found))
    held = all(each.status in VERDICTS and not each.violations for each in found.executions)
    sys.exit(0 if held else 1)


def _range(start: str, end: str) -> Window:
    try:
        return Window(_moment(start), _moment(end))
    except ValueError as error:
        raise InputError(f"backfill from {start} until {end}: {error}") from None


def _moment(text: str) -> datetime:
    return month_start(text) if len(text) == len("YYYY-MM") else parse_utc(text)


def _text(found: Backfilled) -> str:
    count = len(found.executions)
    said = f"{count} window{'' if count == 1 else 's'}, {found.stored} of them on record before"
    return f"{execution_table(found.executions)}\n{said}"
