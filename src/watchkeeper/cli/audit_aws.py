"""`watchkeeper audit list --target aws`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.app.aws.auditing import AuditLine, AwsAudit, aws_audit
from watchkeeper.app.aws.landscape import open_landscape
from watchkeeper.app.setup.project import load_project
from watchkeeper.cli.output import answer, read_moment, table
from watchkeeper.core.errors import InputError

_SPAN = timedelta(days=7)
_SHOWN = 60  # characters of what was set; --json has all


def show(workspace: Path, since: str | None, until: str | None, as_json: bool) -> int:
    """Print it; the exit code."""
    now = WallClock().now()
    end = read_moment(until, "list what was done") if until else now
    start = read_moment(since, "list what was done") if since else end - _SPAN
    if start >= end:
        raise InputError(f"list what was done: want --since before --until, got {start} and {end}")
    found = aws_audit(open_landscape(load_project(workspace)), start, end)
    answer(found, as_json, lambda: "\n".join(_text(found, now)))
    return 0 if found.intact else 1


def _text(found: AwsAudit, now: datetime) -> Iterator[str]:
    yield table(
        ("time", "actor", "action", "subject", "before", "after", "known from"),
        [_row(line) for line in found.lines],
        "nothing was done in that time",
    )
    for trail in found.trails:
        fresh = "has no file yet" if trail.newest is None else f"newest file {_ago(now - trail.newest)} old"
        yield f"trail of {trail.account}: {fresh}; {trail.files} files vouched for by {trail.digests} digests"
        yield from (f"  WRONG: {fault}" for fault in trail.faults)


def _row(line: AuditLine) -> tuple[object, ...]:
    action = f"{line.action} ({line.error})" if line.error else line.action
    return (
        f"{line.time:%Y-%m-%d %H:%M:%S}",
        line.actor,
        action,
        line.subject,
        _short(line.before),
        _short(line.after),
        line.source,
    )


def _short(text: str | None) -> str:
    if text is None:
        return "–"
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _ago(span: timedelta) -> str:
    minutes = max(0, round(span.total_seconds() / 60))
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
