"""Baselines: what normal looks like for one model version, suggested from rows and kept as files."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import polars as pl

from watchkeeper.app.files.suggestion import Suggestion
from watchkeeper.app.judging.estimating import keep_estimator
from watchkeeper.app.judging.judgement import Watched
from watchkeeper.app.judging.judges import JUDGES
from watchkeeper.app.registry.artefacts import version_in_store
from watchkeeper.app.registry.baselines import (
    BaselineRecord,
    Origin,
    baseline_record,
    baseline_records,
    baselines,
)
from watchkeeper.app.registry.records import create_record
from watchkeeper.app.setup.sections import MonitorSection
from watchkeeper.app.setup.targets import Target
from watchkeeper.core.audit import Event
from watchkeeper.core.errors import InputError, IntegrityError
from watchkeeper.core.ports import Store
from watchkeeper.core.values import Actor, BaselineRef, Schema
from watchkeeper.readers.table_files import as_text


@dataclass(frozen=True, slots=True)
class BaselineRows:
    """Rows that a baseline is made of: text columns, with `label` and `prediction` where they are known."""

    frame: pl.DataFrame
    schema: Schema
    source: str
    origin: Origin


def suggest_baselines(
    target: Target, model_version: int, rows: BaselineRows, actor: Actor
) -> tuple[BaselineRecord, ...]:
    """One baseline a monitor of the project, for a model version that was just registered.

    A monitor that has one for the version keeps it: an interrupted run made it of the same rows.
    """
    return tuple(
        keep_suggestion(target, BaselineFor(monitor, model_version), rows, actor)
        for monitor in target.project.settings.monitors
        if not baselines(target.store, monitor).of_model(model_version)
    )


@dataclass(frozen=True, slots=True)
class BaselineFor:
    """Which monitor's baseline, and of which model version."""

    monitor: str
    model_version: int


def keep_suggestion(target: Target, wanted: BaselineFor, rows: BaselineRows, actor: Actor) -> BaselineRecord:
    """Suggest a baseline from rows and put it on record as the monitor's next version, not approved.

    Raises InputError for rows that the monitor can make none of.
    """
    watched = Watched(
        rows.schema,
        _section(target, wanted.monitor),
        partial(version_in_store, target.store, wanted.model_version),
    )
    try:
        suggestion = JUDGES[wanted.monitor].suggest(as_text(rows.frame), watched)
    except ValueError as error:  # such as a label that is no number
        raise InputError(f"suggest a {wanted.monitor} baseline from {rows.source}: {error}") from None
    record = BaselineRecord(
        monitor=wanted.monitor,
        version=len(baseline_records(target.store, wanted.monitor)) + 1,
        model_version=wanted.model_version,
        digest=suggestion.digest,
        rows=rows.frame.height,
        source=rows.source,
        suggested_by=actor,
        time=target.clock.now(),
        schema_version=rows.schema.version,
        origin=rows.origin,
    )
    keep_estimator(target.store, record, rows.frame)
    _store(target.store, record, suggestion)
    target.trail.append(
        Event(
            action="baseline.suggest",
            subject=f"{record.name} for model v{wanted.model_version}",
            actor=actor,
            time=record.time,
            why=rows.source,
            after=record.digest,
        )
    )
    return record


def baseline_by(store: Store, ref: BaselineRef) -> Suggestion:
    """The files an execution was judged by. Raises IntegrityError when they are others by now."""
    return files_of(store, baseline_record(store, ref.monitor, ref.version), ref.digest)


def files_of(store: Store, record: BaselineRecord, digest: str | None = None) -> Suggestion:
    """A baseline's files. Raises IntegrityError when they do not have the digest on record."""
    judge = JUDGES[record.monitor]
    held = set(store.list(record.folder)) if judge.extras else set()
    names = (*judge.files, *(name for name in judge.extras if f"{record.folder}{name}" in held))
    texts = (store.read(f"{record.folder}{name}").decode(errors="replace") for name in names)
    files = Suggestion(tuple(zip(names, texts, strict=True)))
    wanted = digest or record.digest
    if files.digest != wanted:
        raise IntegrityError(
            f"read baseline {record.folder}: want files with digest {wanted[:12]}…, got {files.digest[:12]}…"
        )
    return files


def _section(target: Target, monitor: str) -> MonitorSection:
    return next(each for name, each in target.project.settings.monitors.items() if name == monitor)


def _store(store: Store, record: BaselineRecord, files: Suggestion) -> None:
    for name, text in files.files:
        store.write(f"{record.folder}{name}", text.encode())
    create_record(store, f"{record.folder}baseline.json", record)
