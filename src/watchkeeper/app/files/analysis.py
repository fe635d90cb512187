"""Judge the data quality of files: profile them, compare them with a baseline, say which rows are at fault.

What `watchkeeper monitor run data-quality --input`, the container's `watchkeeper analyze` and the
monitors of a window have in common.
"""

from __future__ import annotations

import difflib
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from watchkeeper.app.files.evidence import EvidenceOrder, find_rows
from watchkeeper.app.files.profiling import DataSet, Engine, Plan, Profiled, Quarantine, profile_data
from watchkeeper.app.files.sensitive import without_values, worded
from watchkeeper.app.files.suggestion import Suggestion
from watchkeeper.core.errors import InputError
from watchkeeper.core.statistics.distances import Distance, Mode, PValue
from watchkeeper.core.statistics.profiles import RowsProfile
from watchkeeper.core.values import (
    Column,
    Evidence,
    InputDigest,
    Progress,
    Role,
    Schema,
    Status,
    Undefined,
    Violation,
)
from watchkeeper.core.windows import Window, parse_utc
from watchkeeper.monitors import data_quality
from watchkeeper.monitors.data_quality_values import (
    Circumstances,
    DataQualityConstraints,
    DataQualityStatistics,
    Sla,
)
from watchkeeper.readers import contract as read
from watchkeeper.readers.blobs import Blob, with_content
from watchkeeper.readers.records import BadLine
from watchkeeper.render.contract import constraints_json, statistics_json

MONITOR = data_quality.MONITOR.name
_AT_ONCE = 8 * 1024 * 1024  # bytes of a file held while its digest is taken


def ignore(_: object) -> None:
    """For reports and lines that nobody wants."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What an analysis runs on: where the work is done, who is told how far it is, where bad lines go."""

    engine: Engine
    report: Callable[[Progress], None] = ignore
    quarantine: Quarantine = ignore


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What data are judged by: the two files of a baseline and where they are from."""

    name: str
    files: Suggestion

    def statistics(self) -> DataQualityStatistics:
        return read.data_quality_statistics(self.files.statistics, f"{self.name}, statistics.json")

    def constraints(self) -> DataQualityConstraints:
        return read.data_quality_constraints(self.files.constraints, f"{self.name}, constraints.json")


@dataclass(frozen=True, slots=True)
class AnalysisRequest:
    """Data to be judged. Without a baseline they are described and constraints suggested.

    `schema` gives types and roles by name, else the baseline's types count, and without one what the cells
    look like. `sensitive` columns' values are shown nowhere. `shown` is how many rows a violation may show.
    """

    data: DataSet
    baseline: Yardstick | None = None
    schema: Schema | None = None
    mode: Mode = Mode.CORRECT
    window: Window | None = None
    min_rows: int = 1
    slas: tuple[Sla, ...] = ()
    sensitive: frozenset[str] = frozenset()
    shown: int = 5


@dataclass(frozen=True, slots=True)
class ColumnDrift:
    """How far one column is from the baseline.

    `score` is a distance (drift above `limit`) or a p-value (drift below it), None with a `reason`. `n` rows
    of the baseline and `m` of the data were compared; `smallest` is the least change that would have shown.
    """

    column: str
    method: str
    kind: str  # distance | p-value | unknown
    score: float | None
    limit: float
    n: int
    m: int
    smallest: float | None
    exceeded: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Analysis:
    """What was found; `analysis.json` and the answer of `--json`.

    Without a baseline nothing is judged: `status` is Completed and the reason says that constraints were
    suggested. `notes` say what was left out and why.
    """

    monitor: str
    data: str
    baseline: str | None
    mode: Mode
    status: Status
    reason: str
    rows: int
    requests: int
    violations: tuple[Violation, ...]
    evidence: tuple[Evidence, ...]
    drifts: tuple[ColumnDrift, ...]
    bad_lines: int
    bad: tuple[BadLine, ...]
    notes: tuple[str, ...]
    inputs: tuple[InputDigest, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """An analysis with its files, the statistics behind the page's pictures, and what was asked."""

    analysis: Analysis
    files: Suggestion
    statistics: DataQualityStatistics
    before: DataQualityStatistics | None = None
    asked: DataQualityConstraints | None = None
    seconds: dict[str, float] = field(default_factory=dict)


def analyse(request: AnalysisRequest, tools: Tools) -> Judged:
    """Profile the data, judge them against the baseline, find example rows of what does not hold.

    Raises InputError for files that cannot be read, for a baseline that is none, and for a sensitive column
    that is none of the data's.
    """
    started = time.perf_counter()
    blobs, empty = with_content(request.data.blobs)
    data = replace(request.data, blobs=blobs)
    inputs = tuple(map(InputDigest, (blob.name for blob in blobs), tools.engine(_sha256, blobs)))
    yardstick = request.baseline
    plan = _plan(request, yardstick.constraints() if yardstick else None)
    found, plan = profile_data(data, plan, tools.engine, tools.report, tools.quarantine)
    profiled = time.perf_counter()
    schema = request.schema or Schema(0, plan.columns)
    statistics, given = _described(found, request)
    _check_sensitive(request, statistics, plan)
    findings = _findings(request, statistics, schema, given)
    status, reason = _status(request, found, findings)
    evidence: tuple[Evidence, ...] = ()
    if findings.violations:
        evidence = find_rows(data, plan, _order(request, findings, found), tools.engine)
    analysis = Analysis(
        monitor=MONITOR,
        data=data.name,
        baseline=yardstick.name if yardstick else None,
        mode=request.mode,
        status=status,
        reason=reason,
        rows=found.rows,
        requests=found.requests,
        violations=findings.violations,
        evidence=evidence,
        drifts=findings.drifts,
        bad_lines=found.bad_count,
        bad=tuple(replace(line, text="") for line in found.bad) if request.sensitive else found.bad,
        notes=(*empty, *_notes(found), *findings.notes),
        inputs=inputs,
    )
    seconds = {"profile": profiled - started, "judge": time.perf_counter() - profiled}
    return Judged(analysis, findings.files, statistics, findings.before, findings.constraints, seconds)


def _sha256(blob: Blob) -> str:
    found, size = hashlib.sha256(), blob.size()
    for start in range(0, size, _AT_ONCE):
        found.update(blob.read(start, min(start + _AT_ONCE, size)))
    return found.hexdigest()


@dataclass(frozen=True, slots=True)
class _Findings:
    files: Suggestion
    before: DataQualityStatistics | None = None
    constraints: DataQualityConstraints | None = None
    violations: tuple[Violation, ...] = ()
    drifts: tuple[ColumnDrift, ...] = ()
    notes: tuple[str, ...] = ()


def _plan(request: AnalysisRequest, asked: DataQualityConstraints | None) -> Plan:
    """Columns by the schema, else by the baseline; the closed analyzer looks at cells alone.

    Columns without a name get the baseline's names by position (contract 3.2).
    """
    names = tuple(feature.name for feature in asked.features) if asked else ()
    if request.mode is Mode.COMPATIBLE:
        return Plan((), request.mode, names=names)
    if request.schema is not None:
        roles = data_quality.MONITOR.roles
        watched = tuple(column for column in request.schema.columns if column.role in roles)
        return Plan(watched, request.mode, names=names)
    typed = tuple(Column(f.name, f.inferred_type, Role.FEATURE) for f in asked.features) if asked else ()
    return Plan(typed, request.mode, names=names)


def _described(found: Profiled, request: AnalysisRequest) -> tuple[DataQualityStatistics, Circumstances]:
    """The statistics of all rows, and what is known of the run beyond them."""
    if not found.groups:
        return DataQualityStatistics(0, ()), Circumstances(mode=request.mode, window=request.window)
    (group,) = found.groups
    seen = [profile for profile in group.profiles if profile.name in group.seen]
    given = Circumstances(
        mode=request.mode,
        window=request.window,
        duplicates=group.whole.duplicates.value().duplicates if group.whole else None,
        empty_hours=_empty_hours(group.whole, request.window),
    )
    return data_quality.statistics(group.rows, seen), given


def _check_sensitive(request: AnalysisRequest, statistics: DataQualityStatistics, plan: Plan) -> None:
    """A misspelt name would show the values of the column that was meant."""
    known = {column.name for column in plan.columns} | {feature.name for feature in statistics.features}
    if statistics.item_count and (unknown := sorted(request.sensitive - known)):
        near = difflib.get_close_matches(unknown[0], sorted(known), n=1)
        hint = f'; is it "{near[0]}"?' if near else ""
        raise InputError(
            f'judge {request.data.name}: want sensitive columns of the data, got "{unknown[0]}"{hint}'
        )


def _empty_hours(whole: RowsProfile | None, window: Window | None) -> tuple[datetime, ...] | None:
    if whole is None or whole.hours is None or window is None:
        return None
    held = {parse_utc(hour) for hour, _ in whole.hours.value().hours}
    return tuple(hour for hour in window.hours() if hour not in held)


def _findings(
    request: AnalysisRequest, statistics: DataQualityStatistics, schema: Schema, given: Circumstances
) -> _Findings:
    files = _files(request, statistics, schema, given)
    if request.baseline is None or statistics.item_count < max(request.min_rows, 1):
        return _Findings(files)
    before = request.baseline.statistics()
    asked = request.baseline.constraints()
    asked = data_quality.overlay(asked, (*asked.slas, *request.slas))
    drifts = data_quality.drift(statistics, before, asked, schema, given)
    violations = data_quality.check(statistics, before, asked, schema, given)
    return _Findings(
        files=files,
        before=before,
        constraints=asked,
        violations=tuple(worded(each, request.sensitive) for each in violations),
        drifts=tuple(map(column_drift, drifts)),
        notes=tuple(
            f"drift of {drift.column} not measured: {drift.distance.reason}"
            for drift in drifts
            if isinstance(drift.distance, Undefined)
        ),
    )


def _files(
    request: AnalysisRequest, statistics: DataQualityStatistics, schema: Schema, given: Circumstances
) -> Suggestion:
    """The two files of these rows, without the values of sensitive columns; no constraints of no rows."""
    constraints = ""
    if statistics.item_count:
        suggested = data_quality.overlay(data_quality.suggest(statistics, schema, given=given), request.slas)
        constraints = constraints_json(without_values(suggested, request.sensitive), request.mode)
    return Suggestion.of(
        statistics_json(without_values(statistics, request.sensitive), request.mode), constraints
    )


def column_drift(drift: data_quality.Drift) -> ColumnDrift:
    """A drift as plain figures."""
    score, compared = drift.distance, drift.comparison
    smallest = compared.smallest if compared else Undefined("")
    return ColumnDrift(
        column=drift.column,
        method=drift.method,
        kind="p-value"
        if isinstance(score, PValue)
        else "distance"
        if isinstance(score, Distance)
        else "unknown",
        score=None if isinstance(score, Undefined) else score.value,
        limit=compared.limit if compared else drift.threshold,
        n=compared.n if compared else 0,
        m=compared.m if compared else 0,
        smallest=None if isinstance(smallest, Undefined) else smallest,
        exceeded=drift.exceeded,
        reason=score.reason if isinstance(score, Undefined) else "",
    )


def _status(request: AnalysisRequest, found: Profiled, findings: _Findings) -> tuple[Status, str]:
    count, rows = len(findings.violations), f"{found.rows:,} rows"
    if not found.rows:
        return Status.INSUFFICIENT_DATA, f"no row could be read, {found.bad_count:,} bad lines"
    if request.baseline is None:
        return Status.COMPLETED, f"constraints suggested from {rows}; nothing was judged"
    if found.rows < request.min_rows:
        return Status.INSUFFICIENT_DATA, f"{rows}, want at least {request.min_rows:,}"
    status = Status.VIOLATIONS if count else Status.COMPLETED
    return status, f"{count or 'no'} violation{'' if count == 1 else 's'} in {rows}"


def _notes(found: Profiled) -> tuple[str, ...]:
    match = found.match
    notes = [f"{count:,} {why}" for why, count in found.left_out.items() if count]
    if found.bad_count:
        first = found.bad[0]
        notes.append(
            f"{found.bad_count:,} lines that cannot be used, the first "
            f"{first.key}:{first.line_number} ({first.reason})"
        )
    notes += [f'column "{old}" is missing and "{new}" is new: renamed?' for old, new in match.renamed]
    if match.reordered:
        notes.append("columns come in another order than in the baseline; they were matched by name")
    return tuple(notes)


def _order(request: AnalysisRequest, findings: _Findings, found: Profiled) -> EvidenceOrder:
    if findings.before is None or findings.constraints is None:
        raise ValueError("example rows are looked for against a baseline")
    whole = [group.whole.duplicates for group in found.groups if group.whole]
    return EvidenceOrder(
        violations=findings.violations,
        baseline=findings.before,
        constraints=findings.constraints,
        sensitive=request.sensitive,
        enough=request.shown,
        repeats=whole[0] if len(whole) == 1 else None,
    )
