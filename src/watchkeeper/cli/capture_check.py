"""`watchkeeper capture check`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import click

from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.app.captures.absence import capture_checks
from watchkeeper.app.captures.rows import source_of
from watchkeeper.app.setup.check import Check, Finding
from watchkeeper.app.setup.project import load_project
from watchkeeper.app.setup.workspace import OpenBooks, open_workspace
from watchkeeper.cli.doctor import checks_text
from watchkeeper.cli.output import answer, json_option, workspace_option
from watchkeeper.core.errors import InputError
from watchkeeper.core.windows import Window, parse_utc


@dataclass(frozen=True, slots=True)
class CheckedCapture:
    """What was looked at of one environment's captures."""

    environment: str
    endpoint: str
    window: Window
    checks: tuple[Check, ...]


@click.command("check")
@click.option("--for", "environment", help="One environment's alone.")
@click.option("--from", "start", help="Where the span begins, with a zone (default: a day before its end).")
@click.option("--to", "end", help="Where it ends (default: now).")
@workspace_option
@json_option
def check_(
    environment: str | None, start: str | None, end: str | None, workspace: Path, as_json: bool
) -> None:
    """Say why a span of time has no records: they may not be read, capture was off, they lie elsewhere, the
    clock of who wrote them is off, or nobody asked.

    Exit code 1 when something is wrong; that nobody asked is not.
    """
    opened, project = open_workspace(workspace), load_project(workspace)
    books = OpenBooks(project, opened.store, WallClock(), opened.trail)
    window = _window(start, end, books.clock.now())
    found = []
    for name in (environment,) if environment else project.environments:
        source = source_of(project, name, window)
        found.append(CheckedCapture(name, source.endpoint, window, capture_checks(books, source)))
    answer(found, as_json, lambda: "\n\n".join(map(_text, found)))
    wrong = any(check.finding is Finding.WRONG for each in found for check in each.checks)
    sys.exit(1 if wrong else 0)


def _window(start: str | None, end: str | None, now: datetime) -> Window:
    try:
        until = parse_utc(end) if end else now
        return Window(parse_utc(start) if start else until - timedelta(days=1), until)
    except ValueError as error:
        raise InputError(f"check captures: {error}") from None


def _text(each: CheckedCapture) -> str:
    return f"{each.endpoint}, {each.window}\n{checks_text(each.checks)}"
