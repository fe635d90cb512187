"""`watchkeeper labels status`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.app.monitoring.label_status import LabelStatus, StatusRequest, WindowLabels, label_status
from watchkeeper.app.setup.project import load_project
from watchkeeper.app.setup.workspace import open_workspace
from watchkeeper.cli.output import answer, json_option, table, workspace_option
from watchkeeper.core.errors import InputError
from watchkeeper.core.windows import parse_utc
from watchkeeper.render.text import DASH, count, share, window_text

_BAR = 20  # characters of a full bar
_PARTS = " ▏▎▍▌▋▊▉"


@click.command()
@click.option("--for", "environment", required=True, help="The environment whose requests are looked at.")
@click.option(
    "--monitor", default="model-quality", show_default=True, help="The monitor whose windows count."
)
@click.option(
    "--from", "start", metavar="TIME", help="Windows that end after it (default: of the first capture)."
)
@click.option(
    "--until", "end", metavar="TIME", help="Windows that start before it (default: of the last one)."
)
@workspace_option
@json_option
def status(
    environment: str, monitor: str, start: str | None, end: str | None, workspace: Path, as_json: bool
) -> None:
    """Print how many captured rows have a label, by window of a monitor's schedule, the newest last.

    A window is complete when its monitor has the coverage it asks for. Labels that came after the
    monitor was due are late: no monitor counts them.
    """
    project, opened = load_project(workspace), open_workspace(workspace)
    span = (_time(start, "--from"), _time(end, "--until"))
    if span[0] and span[1] and span[1] <= span[0]:
        raise InputError(f"show labels --until {end}: want a time after --from {start}")
    request = StatusRequest(environment, monitor, *span)
    found = label_status(opened.store, project, request, WallClock().now())
    answer(found, as_json, lambda: _text(found))


def _time(text: str | None, option: str) -> datetime | None:
    try:
        return parse_utc(text) if text is not None else None
    except ValueError as error:
        raise InputError(f"show labels {option}: {error}") from None


def _text(found: LabelStatus) -> str:
    head = ("window", "rows", "labelled", "", "coverage", "asked", "state", "last label")
    lines = table(head, [_row(each, found.asked) for each in found.windows], "nothing was captured yet")
    rest = f"{count(found.unlabelled, 'row')} without a label"
    unknown = f"; {count(found.unknown, 'id')} with labels and no captured request" if found.unknown else ""
    return f"{lines}\n\n{rest}{unknown}" if found.windows else f"{lines}{unknown}"


def _row(each: WindowLabels, asked: float) -> tuple[object, ...]:
    late = f" ({each.late:,} came late)" if each.late else ""
    return (
        window_text(each.window),
        f"{each.rows:,}",
        f"{each.labelled:,}{late}",
        _bar(each.coverage),
        DASH if each.coverage is None else share(each.coverage),
        share(asked, 0),
        each.state.value,
        DASH if each.last_label is None else f"{each.last_label:%Y-%m-%d %H:%M}",
    )


def _bar(coverage: float | None) -> str:
    """A bar of eighths of a character; what is not full never looks it."""
    eighths = int((coverage or 0.0) * _BAR * 8)
    whole, part = divmod(eighths, 8)
    return ("█" * whole + (_PARTS[part] if part else "")).ljust(_BAR, "·")
