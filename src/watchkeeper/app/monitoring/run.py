"""Run one monitor on one window: read, judge each model version's rows, put the execution on record."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import polars as pl

from watchkeeper.app.baselines.making import files_of
from watchkeeper.app.captures.rows import WindowRows, read_labelled_rows, read_rows, source_of
from watchkeeper.app.judging.estimating import estimated_before, estimates, trust_notes
from watchkeeper.app.judging.judgement import Against, Figure, Judged, Watched
from watchkeeper.app.judging.judges import JUDGES
from watchkeeper.app.judging.segmenting import segments_by
from watchkeeper.app.judging.slas import slas_of
from watchkeeper.app.monitoring.evidence import window_evidence
from watchkeeper.app.registry.artefacts import version_in_store
from watchkeeper.app.registry.baselines import BaselineRecord, baselines, how_to_get_one
from watchkeeper.app.registry.executions import executions, place
from watchkeeper.app.registry.models import catalogue
from watchkeeper.app.registry.records import create_record
from watchkeeper.app.registry.schemas import schema
from watchkeeper.app.setup.project import Project
from watchkeeper.app.setup.sections import MonitorSection
from watchkeeper.app.setup.targets import Target
from watchkeeper.core.audit import Event
from watchkeeper.core.encoding import digest
from watchkeeper.core.errors import InputError, IntegrityError
from watchkeeper.core.metrics import METRIC_PREFIX
from watchkeeper.core.ports import Store
from watchkeeper.core.values import (
    VERDICTS,
    Actor,
    Estimate,
    Evidence,
    Execution,
    Judgement,
    Sample,
    Status,
    labels_of,
)
from watchkeeper.core.windows import Window
from watchkeeper.monitors.data_quality_values import Sla

log = logging.getLogger(__name__)

_FAR_MORE = 1.5  # times the mean error of all rows
ANALYZER_VERSION = "1"  # raised by a change that may change a verdict, and with it every execution key


@dataclass(frozen=True, slots=True)
class MonitorRun:
    """Which monitor, where, and the time of its schedule that came due."""

    monitor: str
    environment: str
    scheduled_at: datetime


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What was found of one model version's rows; nothing when there were too few of them."""

    judgement: Judgement
    judged: Judged | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """What a run came to."""

    verdicts: tuple[_Verdict, ...]
    status: Status
    reason: str
    notes: tuple[str, ...] = ()
    estimates: tuple[Estimate, ...] = ()


@dataclass(frozen=True, slots=True)
class _Yardsticks:
    """What rows are judged by: each model version's approved baseline, None without one, and promises."""

    baselines: Mapping[int, BaselineRecord | None]
    slas: tuple[Sla, ...]

    @property
    def key(self) -> tuple[object, ...]:
        """What of it makes another execution."""
        return tuple(each.ref if each else None for each in self.baselines.values()), self.slas


def schedule_name(project: Project, run: MonitorRun) -> str:
    """The schedule's name: endpoint and monitor."""
    return f"{project.endpoint(run.environment)}-{run.monitor}"


def run_monitor(target: Target, run: MonitorRun, actor: Actor) -> Execution:
    """Judge the window of a schedule's time, and record the execution with its files.

    The time may lie ahead when the window has ended: its labels are awaited then, and the execution says
    what the error is likely to be. The same inputs under the same settings and baselines give the stored
    execution again; others give a new revision beside it. Raises InputError for a monitor the project does
    not have.
    """
    section = section_of(target.project, run)
    window = section.window(run.scheduled_at)
    source = source_of(target.project, run.environment, window)
    if JUDGES[run.monitor].needs_labels:
        rows = read_labelled_rows(target.store, source, Window(window.start, run.scheduled_at))
    else:
        rows = read_rows(target.store, source)
    yardsticks = _yardsticks(target, run, rows.frame)
    draft = _draft(target.project, run, window, rows, yardsticks)
    folder, stored = place(target.store, draft)
    if stored is not None:
        return stored
    found = _tried(target, run, rows, yardsticks)
    execution = replace(
        draft,
        status=found.status,
        reason=found.reason,
        judgements=tuple(verdict.judgement for verdict in found.verdicts),
        notes=(*draft.notes, *found.notes),
        estimates=found.estimates or estimated_before(target.store, draft),
    )
    execution = replace(execution, samples=_samples(target, execution, rows, found.verdicts))
    _write(target.store, folder, execution, found.verdicts)
    target.trail.append(
        Event(
            action="monitor.execution",
            subject=f"{execution.schedule} {window}",
            actor=actor,
            time=target.clock.now(),
            why=f"{found.status}: {found.reason}",
            after=execution.key,
        )
    )
    return execution


def _tried(target: Target, run: MonitorRun, rows: WindowRows, yardsticks: _Yardsticks) -> _Found:
    """What was found; an execution that breaks is on record as Failed.

    Raises IntegrityError: what is not as it was written must stop whoever runs this.
    """
    try:
        return _found(target, run, rows, yardsticks)
    except IntegrityError:
        raise
    except Exception as error:  # the one place: whatever breaks is on record, and the schedule goes on
        log.exception("monitor %s in %s", run.monitor, run.environment)
        return _Found((), Status.FAILED, f"{type(error).__name__}: {error}")


def _found(target: Target, run: MonitorRun, rows: WindowRows, yardsticks: _Yardsticks) -> _Found:
    """The verdicts, or why there are none yet; while labels are awaited, what the error is likely to be."""
    if unready := _unready(section_of(target.project, run), rows):
        if unready[0] is not Status.AWAITING_LABELS or not JUDGES[run.monitor].estimates:
            return _Found((), *unready)
        expected, notes = estimates(target.store, rows.every, run.environment)
        trusted = trust_notes(executions(target.store, schedule_name(target.project, run)))
        return _Found((), *unready, (*notes, *trusted), expected)
    verdicts = _verdicts(target, run, rows, yardsticks)
    notes = tuple(note for verdict in verdicts if verdict.judged for note in verdict.judged.notes)
    return _Found(tuple(verdicts), *_status(verdicts), notes)


def section_of(project: Project, run: MonitorRun) -> MonitorSection:
    """The monitor's settings in its environment. Raises InputError for one that the project has not there."""
    monitors = project.environment(run.environment).monitors
    for name, section in monitors.items():
        if name == run.monitor:
            return section
    raise InputError(f"run monitor {run.monitor} in {run.environment}: want one of {', '.join(monitors)}")


def _yardsticks(target: Target, run: MonitorRun, frame: pl.DataFrame) -> _Yardsticks:
    known = baselines(target.store, run.monitor)
    versions = sorted(frame["_model_version"].drop_nulls().unique().to_list())
    return _Yardsticks(
        {version: known.in_use(version, run.environment) for version in versions},
        slas_of(target.project, run.environment),
    )


def _draft(
    project: Project, run: MonitorRun, window: Window, rows: WindowRows, yardsticks: _Yardsticks
) -> Execution:
    settings = section_of(project, run).model_dump_json(by_alias=True)
    what = [project.endpoint(run.environment), run.monitor, window, settings, ANALYZER_VERSION]
    return Execution(
        key=digest([*what, yardsticks.key]),
        schedule=schedule_name(project, run),
        monitor=run.monitor,
        environment=run.environment,
        endpoint=project.endpoint(run.environment),
        window=window,
        scheduled_at=run.scheduled_at,
        status=Status.FAILED,
        reason="it has not been judged",
        rows=rows.frame.height,
        judgements=(),
        samples=(),
        inputs=rows.inputs,
        notes=rows.notes,
    )


def _verdicts(target: Target, run: MonitorRun, rows: WindowRows, yardsticks: _Yardsticks) -> list[_Verdict]:
    """One verdict a model version, in order of version, each by its own baseline and schema."""
    store, section = target.store, section_of(target.project, run)
    sensitive = frozenset(target.project.environment(run.environment).data.sensitive)
    known, found, keys = catalogue(store), [], [each.key for each in rows.inputs]
    for number, record in yardsticks.baselines.items():
        own = rows.frame.filter(pl.col("_model_version") == number)
        if record is None:
            found.append(_Verdict(_unjudged(store, run, number, own.height)))
            continue
        judgement = Judgement(number, own.height, Status.INSUFFICIENT_DATA, "", record.ref)
        if own.height < section.min_rows:
            reason = f"{own.height:,} rows of model v{number}, want at least {section.min_rows:,}"
            found.append(_Verdict(replace(judgement, reason=reason)))
            continue
        columns = schema(store, known.version(number).schema_version)
        against = Against(
            watched=Watched(columns, section, partial(version_in_store, store, number)),
            baseline=files_of(store, record),
            slas=yardsticks.slas,
            sensitive=sensitive,
            segments=segments_by(target.project, section),
        )
        judged = JUDGES[run.monitor].judge(own, against)
        evidence = window_evidence(store, judged, own, [key for key in keys if key.startswith("captures/")])
        found.append(_Verdict(_judgement(judgement, judged, evidence), judged))
    return found


def _unjudged(store: Store, run: MonitorRun, number: int, rows: int) -> Judgement:
    wanted = how_to_get_one(baselines(store, run.monitor), run.monitor, number, run.environment)
    reason = f"no baseline of model v{number} is approved for {run.environment}: {wanted}"
    return Judgement(number, rows, Status.NO_BASELINE, reason, None)


def _judgement(blank: Judgement, judged: Judged, evidence: tuple[Evidence, ...]) -> Judgement:
    count = len(judged.violations)
    said = f"{count or 'no'} violation{'' if count == 1 else 's'} in {blank.rows:,} rows"
    return replace(
        blank,
        status=Status.VIOLATIONS if count else Status.COMPLETED,
        reason=f"{said}{_where(judged)}",
        violations=judged.violations,
        evidence=evidence,
        segments=judged.segments,
    )


def _where(judged: Judged) -> str:
    """The worst segment, when it errs far more than the rows as a whole: that is where to look first.

    Also without a violation, as a fault in few of the rows hardly moves the figures of all.
    """
    whole = next((figure.value for figure in judged.figures if figure.metric == "model_quality_mape"), None)
    if not judged.segments or whole is None:
        return ""
    worst = judged.segments[0]
    if worst.metrics.mape < _FAR_MORE * whole:
        return ""
    return (
        f"; worst {worst.column} {worst.value}: mean error {worst.metrics.mape:.1%} of the label in "
        f"{worst.metrics.rows:,} rows, {whole:.1%} in all"
    )


def _unready(section: MonitorSection, rows: WindowRows) -> tuple[Status, str] | None:
    """Why nothing can be judged yet: no traffic, or labels that are awaited."""
    labelled = rows.frame.height
    if not rows.captured:
        return Status.NO_TRAFFIC, "no request was captured in the window"
    if labelled < section.labels.coverage * rows.captured:
        coverage = f"{labelled:,} of {rows.captured:,} rows have a label"
        return Status.AWAITING_LABELS, f"{coverage}, want {section.labels.coverage:.0%}"
    return None


def _status(verdicts: Sequence[_Verdict]) -> tuple[Status, str]:
    """The execution's status and why: no baseline, too few rows, or the worst judgement."""
    judgements = [verdict.judgement for verdict in verdicts]
    judged = [judgement for judgement in judgements if judgement.status in VERDICTS]
    if not judged:
        reasons = [judgement.reason for judgement in judgements] or ["no row names its model version"]
        lacking = any(judgement.status is Status.NO_BASELINE for judgement in judgements)
        return Status.NO_BASELINE if lacking else Status.INSUFFICIENT_DATA, "; ".join(reasons)
    worst = Status.VIOLATIONS if any(j.violations for j in judged) else Status.COMPLETED
    return worst, "; ".join(judgement.reason for judgement in judgements)


def _samples(
    target: Target, execution: Execution, rows: WindowRows, verdicts: Sequence[_Verdict]
) -> tuple[Sample, ...]:
    """What the execution exposes, stamped with the time of the verdict.

    Figures are those of the newest version that was judged, which is the one that will go on serving, and
    carry its number: an alert on one version ends with that version.
    Without a verdict there are none, and `watchkeeper_monitor_status` says why.
    """
    labels = labels_of(
        project=target.project.name,
        environment=execution.environment,
        endpoint=execution.endpoint,
        schedule=execution.schedule,
    )
    figures = [
        Figure("monitor_rows", float(execution.rows)),
        *(
            Figure("monitor_status", float(status is execution.status), (("status", status.value),))
            for status in Status
        ),
    ]
    if JUDGES[execution.monitor].needs_labels and rows.captured:
        figures.append(Figure("labels_coverage_ratio", rows.frame.height / rows.captured))
        if rows.oldest_missing is not None:
            age = (target.clock.now() - rows.oldest_missing).total_seconds()
            figures.append(Figure("labels_oldest_missing_seconds", age))
    if execution.status is Status.AWAITING_LABELS:
        figures += [
            Figure(
                f"estimated_quality_{each.metric}", each.value, (("model_version", str(each.model_version)),)
            )
            for each in execution.estimates
        ]
    judged = [(verdict.judgement.model_version, verdict.judged) for verdict in verdicts if verdict.judged]
    if execution.status in VERDICTS and judged:
        figures.append(Figure("monitor_window_end_timestamp_seconds", execution.window.end.timestamp()))
        version, newest = judged[-1]
        figures += [
            replace(figure, labels=(*figure.labels, *_of_version(version))) for figure in newest.figures
        ]
    return tuple(
        Sample(
            METRIC_PREFIX + figure.metric,
            tuple(sorted((*labels, *figure.labels))),
            figure.value,
            target.clock.now(),
        )
        for figure in figures
    )


def _of_version(version: int) -> tuple[tuple[str, str], ...]:
    return (("model_version", str(version)),)


def _write(store: Store, folder: str, execution: Execution, verdicts: Sequence[_Verdict]) -> None:
    """The contract's files, one set a version when there are several; the record, which counts, last."""
    judged = [(verdict.judgement.model_version, verdict.judged) for verdict in verdicts if verdict.judged]
    for version, of_version in judged:
        own = folder if len(judged) == 1 else f"{folder}model-v{version}/"
        for name, text in of_version.files:
            store.write(f"{own}{name}", text.encode())
    create_record(store, f"{folder}execution.json", execution)
