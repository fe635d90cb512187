"""`watchkeeper monitor show`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import click

from watchkeeper.app.registry.executions import Recorded, recorded
from watchkeeper.app.setup.workspace import Workspace, open_workspace
from watchkeeper.cli.execution_text import KEY_SHOWN, execution_text, window_cell
from watchkeeper.cli.output import answer, json_option, read_moment, workspace_option
from watchkeeper.core.errors import InputError
from watchkeeper.core.nearest import nearest
from watchkeeper.core.values import VERDICTS

_KEY = re.compile(r"[0-9a-f]{4,64}")


@click.command()
@click.argument("execution")
@click.option(
    "--window",
    "moment",
    metavar="TIME",
    help="With a schedule: the window of this month, day or time (default: the last).",
)
@click.option("--revision", type=click.IntRange(1), metavar="N", help="This revision (default: the newest).")
@workspace_option
@json_option
def show(execution: str, moment: str | None, revision: int | None, workspace: Path, as_json: bool) -> None:
    """Print EXECUTION: a schedule, for its newest window, or the beginning of a key.

    `watchkeeper monitor list` names both. Where a window was judged again, the newest revision is shown.
    Exit code 1 when the execution has violations, or no verdict.
    """
    opened = open_workspace(workspace)
    at = read_moment(moment, f"show {execution}") if moment else None
    chosen = _found(recorded(opened.store), execution, at)
    found = _of_revision(chosen, execution, revision)
    judged = found.execution
    answer(judged, as_json, lambda: "\n".join([execution_text(judged), *_beyond(opened, found)]))
    sys.exit(0 if judged.status in VERDICTS and not judged.violations else 1)


def _found(known: Sequence[Recorded], name: str, at: datetime | None) -> list[Recorded]:
    """The revisions of the one window that is meant, the newest last."""
    own = [each for each in known if each.execution.schedule == name]
    if not own:
        own = _by_key(known, name)
    chosen = [each for each in own if at is None or at in each.execution.window]
    if not chosen:
        raise InputError(f"show {name}: {_nearest_window(own, at)}")
    last = chosen[-1].execution
    return [each for each in chosen if each.execution.scheduled_at == last.scheduled_at]


def _nearest_window(own: Sequence[Recorded], at: datetime | None) -> str:
    windows = [each.execution.window for each in own]
    said = f"want a window that was judged, the first is {window_cell(windows[0])}, the last "
    near = min(windows, key=lambda each: abs(each.start - at) if at else timedelta())
    return f"{said}{window_cell(windows[-1])}, the nearest {window_cell(near)}"


def _by_key(known: Sequence[Recorded], name: str) -> list[Recorded]:
    """The executions whose key begins so, which must be of one window."""
    own = [each for each in known if _KEY.fullmatch(name) and each.execution.key.startswith(name)]
    places = {(each.execution.schedule, each.execution.scheduled_at) for each in own}
    if len(places) > 1:
        keys = dict.fromkeys(each.execution.key[: len(name) + KEY_SHOWN] for each in own)
        raise InputError(f"show execution {name}: want more of its key, got {', '.join(keys)}")
    if not own:
        names = list(dict.fromkeys(each.execution.schedule for each in known))
        keys = {each.execution.key[:KEY_SHOWN]: None for each in known}
        wanted = f"a schedule ({', '.join(names)}) or a key" if names else "one, but no monitor has run yet"
        hint = nearest(name[:KEY_SHOWN], keys) if _KEY.fullmatch(name) else nearest(name, names)
        raise InputError(f"show {name}: want {wanted}{hint}; `watchkeeper monitor list` names them")
    return own


def _of_revision(chosen: Sequence[Recorded], name: str, revision: int | None) -> Recorded:
    if revision is None:
        return chosen[-1]
    for each in chosen:
        if each.revision == revision:
            return each
    numbers = ", ".join(str(each.revision) for each in chosen)
    raise InputError(f"show {name}: want a revision of the window that is there ({numbers}), got {revision}")


def _beyond(opened: Workspace, found: Recorded) -> Iterator[str]:
    """What the short text leaves out: the versions' verdicts, when it came due, where it all lies."""
    judged = found.execution
    yield (
        f"  scheduled for {judged.scheduled_at:%Y-%m-%d %H:%M}, {len(judged.inputs):,} files read, "
        f"revision {found.revision}, key {judged.key[:KEY_SHOWN]}"
    )
    for each in judged.judgements:
        baseline = f"baseline v{each.baseline.version}" if each.baseline else "no baseline"
        yield f"  model v{each.model_version}: {each.rows:,} rows, {baseline}: {each.status}, {each.reason}"
    page = f"{found.folder}report.html"
    if page in opened.store.list(page):
        yield f"  page: {opened.folder / page}"
    yield f"  files: {opened.folder / found.folder}"
