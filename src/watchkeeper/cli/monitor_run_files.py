"""`watchkeeper monitor run data-quality --input`: files, without a project."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.app.files.analysis import MONITOR, Analysis
from watchkeeper.app.files.engines import open_engine
from watchkeeper.app.files.inputs import Reading
from watchkeeper.app.files.judging import FileJudgement, judge_files
from watchkeeper.app.files.view import figure, worst_first
from watchkeeper.app.registry.schemas import schema
from watchkeeper.cli.execution_text import evidence_lines
from watchkeeper.cli.monitor_run import RunOptions
from watchkeeper.cli.output import answer, printable
from watchkeeper.cli.progress import row_counts
from watchkeeper.core.errors import InputError
from watchkeeper.core.statistics.distances import Mode
from watchkeeper.core.values import VERDICTS
from watchkeeper.core.windows import Window, parse_utc
from watchkeeper.readers.parts import Limits

MEGABYTE = 1024 * 1024
MOST_VIOLATIONS, MOST_DRIFTS, MOST_NOTES = 20, 5, 10


def run_files(typed: RunOptions) -> int:
    """Judge the files, leave the answer in a folder, and say it in short; the exit code."""
    if typed.monitor != MONITOR:
        raise InputError(
            f"run monitor {typed.monitor} on files: want {MONITOR}, the one that needs no labels"
        )
    wanted = FileJudgement(
        inputs=typed.inputs,
        baseline=typed.baseline,
        out=typed.out,
        reading=_reading(typed),
        mode=Mode(typed.mode),
        min_rows=typed.min_rows,
        sensitive=frozenset(typed.sensitive),
        shown=typed.examples,
    )
    with row_counts(quiet=typed.as_json) as report:
        found, written = judge_files(
            wanted, open_engine(typed.engine, typed.workers), report, WallClock().now()
        )
    answer(found, typed.as_json, partial(_text, found, typed, written))
    return 0 if found.status in VERDICTS and not found.violations else 1


def _reading(typed: RunOptions) -> Reading:
    known = None if typed.schema is None else schema(FolderStore(typed.workspace), typed.schema)
    limits = Limits(line_bytes=typed.line_limit * MEGABYTE)
    return Reading(typed.header, known, _window(typed.start, typed.end), limits)


def _window(start: str | None, end: str | None) -> Window | None:
    if start is None and end is None:
        return None
    if start is None or end is None:
        raise InputError("read a window of captures: want both --start and --end, got one of them")
    try:
        return Window(parse_utc(start), parse_utc(end))
    except ValueError as error:
        raise InputError(f"read captures from {start} to {end}: {error}") from None


def _text(found: Analysis, typed: RunOptions, written: tuple[str, ...]) -> str:
    lines = [f"{found.data}: {found.status}, {found.reason}"]
    lines += _violation_lines(found)
    lines += _drift_lines(found)
    lines += [f"  note: {note}" for note in found.notes[:MOST_NOTES]]
    if len(found.notes) > MOST_NOTES:
        lines.append(f"  and {len(found.notes) - MOST_NOTES} more notes")
    lines.append(f"written to {typed.out}: {', '.join(written)}")
    return "\n".join(printable(line) for line in lines)


def _violation_lines(found: Analysis) -> Iterator[str]:
    pairs = list(zip(found.violations, found.evidence, strict=True))
    for violation, evidence in pairs[:MOST_VIOLATIONS]:
        yield f"  {violation.subject}: {violation.check}: {violation.description}"
        yield from evidence_lines(evidence)
    if len(pairs) > MOST_VIOLATIONS:
        yield f"  and {len(pairs) - MOST_VIOLATIONS} more violations"


def _drift_lines(found: Analysis) -> Iterator[str]:
    measured = [each for each in worst_first(found) if each.score is not None]
    if measured:
        yield f"  columns furthest from the baseline, of {len(measured)}:"
    for each in measured[:MOST_DRIFTS]:
        score = figure(each.score or 0.0)
        said = "drift" if each.exceeded else "no drift"
        yield f"    {each.column}: {each.method} {each.kind} {score}, limit {figure(each.limit)}: {said}"
