"""An execution in a few lines, with the rows that show what did not hold."""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.cli.output import printable
from watchkeeper.core.values import Evidence, Execution
from watchkeeper.core.windows import Window, add_months, month_of, utc_text

KEY_SHOWN = 8  # characters of a key, enough to type


def execution_text(execution: Execution) -> str:
    """Schedule, window and status, then each violation with its rows, and each note, a line each."""
    lines = [f"{execution.schedule}, {execution.window}: {execution.status}, {execution.reason}"]
    lines += violation_lines(execution)
    lines += [f"  {line}" for line in segment_lines(execution)]
    lines += [f"  {line}" for line in estimate_lines(execution)]
    lines += [f"  note: {note}" for note in execution.notes]
    return "\n".join(printable(line) for line in lines)


def segment_lines(execution: Execution) -> Iterator[str]:
    """The worst segments of each version's rows, a line for all of them."""
    for judgement in execution.judgements:
        if judgement.segments:
            named = ", ".join(
                f"{each.column} {each.value} {each.metrics.mape:.1%} of {each.metrics.rows:,} rows"
                for each in judgement.segments
            )
            yield f"worst segments of model v{judgement.model_version}, mean error: {named}"


def estimate_lines(execution: Execution) -> Iterator[str]:
    """What was expected before labels came, each figure on a line of its own."""
    for each in execution.estimates:
        yield (
            f"estimated {each.metric} of model v{each.model_version}, {each.rows:,} rows: {each.value:,.6g} "
            f"({each.level:.0%}: {each.low:,.6g} to {each.high:,.6g})"
        )


def violation_lines(execution: Execution) -> Iterator[str]:
    """Each violation, and below it its rows or why there are none."""
    several = len([each for each in execution.judgements if each.violations]) > 1
    for judgement in execution.judgements:
        version = f"model v{judgement.model_version}, " if several else ""
        for found, evidence in judgement.findings:
            yield f"  {version}{found.subject}: {found.check}: {found.description}"
            yield from evidence_lines(evidence)


def evidence_lines(evidence: Evidence | None) -> Iterator[str]:
    """Its rows, a line each, or why it has none; nothing where neither is on record."""
    for row in evidence.rows if evidence else ():
        identity = f" {row.inference_id}" if row.inference_id else ""
        value = "(missing)" if row.value is None else f'"{row.value}"'
        yield f"    {row.file}:{row.line}{identity}: {value}"
    if evidence and not evidence.rows and evidence.reason:
        yield f"    no rows: {evidence.reason}"


def window_cell(window: Window) -> str:
    """A window as `monitor show --window` takes it: a month, a day, or the time that it begins with."""
    start = window.start
    midnight = (start.hour, start.minute, start.second, start.microsecond) == (0, 0, 0, 0)
    if midnight and start.day == 1 and window.end == add_months(start, 1):
        return month_of(start)
    return f"{start:%Y-%m-%d}" if midnight and (window.end - start).days == 1 else utc_text(start)
