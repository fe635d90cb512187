"""Run one monitor on one window: read, judge each model version's rows, put the execution on record."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from watchkeeper.app.captures.absence import why_nothing
from watchkeeper.app.captures.rows import (
    Source,
    WindowRows,
    read_labelled_rows,
    read_rows,
    source_of,
    unreadable,
)
from watchkeeper.app.judging.estimating import estimated_before, estimates, trust_notes
from watchkeeper.app.judging.judges import JUDGES
from watchkeeper.app.monitoring.exposure import samples_of
from watchkeeper.app.monitoring.schedule import MonitorRun, schedule_name, section_of
from watchkeeper.app.monitoring.verdicts import Verdict, Yardsticks, status_of, verdicts_of, yardsticks_of
from watchkeeper.app.registry.executions import executions, place, revision_of
from watchkeeper.app.registry.records import create_record
from watchkeeper.app.setup.project import Project
from watchkeeper.app.setup.targets import Target
from watchkeeper.core.audit import Event
from watchkeeper.core.encoding import digest
from watchkeeper.core.errors import DeniedError, IntegrityError
from watchkeeper.core.ports import Store
from watchkeeper.core.values import (
    Actor,
    Estimate,
    Execution,
    Status,
)
from watchkeeper.core.windows import Window

log = logging.getLogger(__name__)

ANALYZER_VERSION = "1"  # raised by a change that may change a verdict, and with it every execution key


@dataclass(frozen=True, slots=True)
class _Found:
    """What a run came to."""

    verdicts: tuple[Verdict, ...]
    status: Status
    reason: str
    notes: tuple[str, ...] = ()
    estimates: tuple[Estimate, ...] = ()


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
    rows = _rows(target.store, run, source)
    yardsticks = yardsticks_of(target, run, rows.frame)
    draft = _draft(target.project, run, window, rows, yardsticks)
    folder, stored = place(target.store, draft)
    if stored is not None:
        return stored
    found, revision = _tried(target, run, rows, yardsticks), revision_of(f"{folder}execution.json")
    execution = replace(
        draft,
        status=found.status,
        reason=found.reason,
        judgements=tuple(verdict.judgement for verdict in found.verdicts),
        notes=(*draft.notes, *found.notes),
        estimates=found.estimates or estimated_before(target.store, draft),
    )
    execution = replace(execution, samples=samples_of(target, execution, rows, found.verdicts, revision))
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


@dataclass(frozen=True, slots=True)
class Look:
    """What a monitor would say of a window."""

    requests: int
    status: Status
    reason: str


def look_at(target: Target, run: MonitorRun, window: Window) -> Look:
    """Judge any window as `run_monitor` judges those of its schedule; nothing is put on record.

    Raises InputError for a monitor the project does not have.
    """
    rows = _rows(target.store, run, source_of(target.project, run.environment, window))
    found = _tried(target, run, rows, yardsticks_of(target, run, rows.frame))
    return Look(rows.requests, found.status, found.reason)


def _rows(store: Store, run: MonitorRun, source: Source) -> WindowRows:
    """What can be read of the window, and nothing, with what was refused, of one that may not be."""
    try:
        if JUDGES[run.monitor].needs_labels:
            return read_labelled_rows(store, source, Window(source.window.start, run.scheduled_at))
        return read_rows(store, source)
    except DeniedError as error:
        return unreadable(str(error))


def _tried(target: Target, run: MonitorRun, rows: WindowRows, yardsticks: Yardsticks) -> _Found:
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


def _found(target: Target, run: MonitorRun, rows: WindowRows, yardsticks: Yardsticks) -> _Found:
    """The verdicts, or why there are none yet; while labels are awaited, what the error is likely to be."""
    if unready := _unready(target, run, rows):
        if unready[0] is not Status.AWAITING_LABELS or not JUDGES[run.monitor].estimates:
            return _Found((), *unready)
        expected, notes = estimates(target.store, rows.every, run.environment)
        trusted = trust_notes(executions(target.store, schedule_name(target.project, run)))
        return _Found((), *unready, (*notes, *trusted), expected)
    verdicts = verdicts_of(target, run, rows, yardsticks)
    notes = tuple(note for verdict in verdicts if verdict.judged for note in verdict.judged.notes)
    return _Found(tuple(verdicts), *status_of(verdicts), notes)


def _draft(
    project: Project, run: MonitorRun, window: Window, rows: WindowRows, yardsticks: Yardsticks
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


def _unready(target: Target, run: MonitorRun, rows: WindowRows) -> tuple[Status, str] | None:
    """Why nothing can be judged yet: no records and the cause of that, or labels that are awaited."""
    section, labelled = section_of(target.project, run), rows.frame.height
    if rows.denied:
        return Status.NO_PERMISSION, f"the records may not be read: {rows.denied}"
    if not rows.requests:
        window = section.window(run.scheduled_at)
        return why_nothing(target, source_of(target.project, run.environment, window))
    if not rows.captured:
        found = f"{rows.requests:,} requests were captured"
        return Status.INSUFFICIENT_DATA, f"{found}, and none has every column of its model's schema"
    if labelled < section.labels.coverage * rows.captured:
        coverage = f"{labelled:,} of {rows.captured:,} rows have a label"
        return Status.AWAITING_LABELS, f"{coverage}, want {section.labels.coverage:.0%}"
    return None


def _write(store: Store, folder: str, execution: Execution, verdicts: Sequence[Verdict]) -> None:
    """The contract's files, one set a version when there are several; the record, which counts, last."""
    judged = [(verdict.judgement.model_version, verdict.judged) for verdict in verdicts if verdict.judged]
    for version, of_version in judged:
        own = folder if len(judged) == 1 else f"{folder}model-v{version}/"
        for name, text in of_version.files:
            store.write(f"{own}{name}", text.encode())
    create_record(store, f"{folder}execution.json", execution)
