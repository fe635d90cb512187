"""Baselines: what normal looks like for one model version, suggested when it is registered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from watchkeeper.app.judging import JUDGES, Suggestion, as_text
from watchkeeper.app.records import create_record, read_records
from watchkeeper.app.targets import Target
from watchkeeper.core.audit import Event
from watchkeeper.core.errors import InputError, IntegrityError
from watchkeeper.core.ports import Store
from watchkeeper.core.values import Actor, BaselineRef, Schema


@dataclass(frozen=True, slots=True)
class BaselineRecord:
    """Provenance of one baseline; its two files lie beside this record."""

    monitor: str
    version: int
    model_version: int
    digest: str
    rows: int
    source: str
    suggested_by: Actor
    time: datetime

    @property
    def folder(self) -> str:
        """Where its files are, with a slash at the end."""
        return f"baselines/{self.monitor}/v{self.version}/"

    @property
    def ref(self) -> BaselineRef:
        """What an execution says it judged by."""
        return BaselineRef(self.monitor, self.version, self.digest)


@dataclass(frozen=True, slots=True)
class BaselineRows:
    """Rows that a baseline is made of: text columns, with `label` and `prediction` where they are known."""

    frame: pl.DataFrame
    schema: Schema
    source: str


def suggest_baselines(
    target: Target, model_version: int, rows: BaselineRows, actor: Actor
) -> tuple[BaselineRecord, ...]:
    """One baseline a monitor of the project, for a model version that was just registered."""
    frame = as_text(rows.frame)
    made = []
    for monitor in target.project.settings.monitors:
        suggestion = JUDGES[monitor].suggest(frame, rows.schema)
        earlier = baseline_records(target.store, monitor)
        record = BaselineRecord(
            monitor=monitor,
            version=len(earlier) + 1,
            model_version=model_version,
            digest=suggestion.digest,
            rows=frame.height,
            source=rows.source,
            suggested_by=actor,
            time=target.clock.now(),
        )
        _store(target.store, record, suggestion)
        target.trail.append(
            Event(
                action="baseline.suggest",
                subject=f"{monitor} baseline v{record.version} for model v{model_version}",
                actor=actor,
                time=record.time,
                why=rows.source,
                after=record.digest,
            )
        )
        made.append(record)
    return tuple(made)


def baseline_records(store: Store, monitor: str) -> tuple[BaselineRecord, ...]:
    """A monitor's baselines, oldest first."""
    found = read_records(store, f"baselines/{monitor}/", BaselineRecord, "/baseline.json")
    return tuple(sorted(found, key=lambda record: record.version))


def baseline_of(store: Store, monitor: str, model_version: int) -> tuple[BaselineRecord, Suggestion]:
    """The newest baseline for a model version, with its files.

    Raises InputError when there is none, IntegrityError when the files are not those of the record.
    """
    found = [record for record in baseline_records(store, monitor) if record.model_version == model_version]
    if not found:
        raise InputError(f"find the {monitor} baseline of model v{model_version}: there is none")
    record = found[-1]
    files = Suggestion(
        store.read(f"{record.folder}statistics.json").decode(errors="replace"),
        store.read(f"{record.folder}constraints.json").decode(errors="replace"),
    )
    if files.digest != record.digest:
        raise IntegrityError(
            f"read baseline {record.folder}: want files with digest {record.digest[:12]}…, "
            f"got {files.digest[:12]}…"
        )
    return record, files


def _store(store: Store, record: BaselineRecord, files: Suggestion) -> None:
    store.write(f"{record.folder}statistics.json", files.statistics.encode())
    store.write(f"{record.folder}constraints.json", files.constraints.encode())
    create_record(store, f"{record.folder}baseline.json", record)
