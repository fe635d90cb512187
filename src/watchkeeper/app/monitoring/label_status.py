"""Which captured rows have their labels, window by window of a monitor's schedule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import polars as pl

from watchkeeper.app.captures.labels import capture_keys, ground_truth_objects
from watchkeeper.app.judging.judges import JUDGES
from watchkeeper.app.registry.schemas import schemas
from watchkeeper.app.setup.project import Project
from watchkeeper.app.setup.sections import MonitorSection
from watchkeeper.core.errors import InputError
from watchkeeper.core.ports import Store
from watchkeeper.core.values import Schema
from watchkeeper.core.windows import Window, hour_folder
from watchkeeper.readers.captured_requests import read_captured_requests
from watchkeeper.readers.captures import Captured, read_captures
from watchkeeper.readers.label_records import LabelRecords, read_label_records
from watchkeeper.readers.labels import join_labels


class LabelState(StrEnum):
    """Whether a window has the labels that its monitor asks for."""

    COMPLETE = "complete"
    AWAITING = "awaiting labels"
    LATE = "late labels"  # they are there now, but were not when the monitor was due
    NO_TRAFFIC = "no traffic"


@dataclass(frozen=True, slots=True)
class WindowLabels:
    """One window: its captured rows, and those that have a label.

    `labelled` counts rows with a finite number collected by now, and before `due` (when the monitor
    looks) where that has come; `late` are further rows, labelled at `due` or later, which no monitor
    counts. `coverage` is labelled / rows, None without rows. `last_label` is when the last came.
    """

    window: Window
    due: datetime
    requests: int
    rows: int
    labelled: int
    late: int
    coverage: float | None
    state: LabelState
    last_label: datetime | None


@dataclass(frozen=True, slots=True)
class LabelStatus:
    """Windows oldest first; `asked` is the coverage the monitor wants.

    `unlabelled` are the windows' rows without any label, `unknown` the ids with labels that no
    captured request of the endpoint, of whatever time, carries.
    """

    monitor: str
    environment: str
    endpoint: str
    asked: float
    windows: tuple[WindowLabels, ...]
    unlabelled: int
    unknown: int


@dataclass(frozen=True, slots=True)
class StatusRequest:
    """Which monitor's windows: those that touch the span, by default those with captured data."""

    environment: str
    monitor: str = "model-quality"
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class _History:
    """What is on record of an endpoint; `keys` are its capture files."""

    store: Store
    schemas: tuple[Schema, ...]
    keys: tuple[str, ...]
    records: LabelRecords


def label_status(store: Store, project: Project, request: StatusRequest, now: datetime) -> LabelStatus:
    """The labels of each window, as the monitor would count them.

    Reads every ground-truth and every capture file of the endpoint, captures a window at a time.
    Raises InputError for a monitor that the project does not have, or that needs no labels.
    """
    section = _section(project, request)
    endpoint = project.endpoint(request.environment)
    truths = ground_truth_objects(store, request.environment, endpoint)
    keys = tuple(capture_keys(store, request.environment, endpoint)[::-1])
    history = _History(store, schemas(store), keys, read_label_records(truths))
    found = tuple(_of_window(history, section, due, now) for due in _due_times(section, request, keys))
    return LabelStatus(
        monitor=request.monitor,
        environment=request.environment,
        endpoint=endpoint,
        asked=section.labels.coverage,
        windows=found,
        unlabelled=sum(each.rows - each.labelled - each.late for each in found),
        unknown=_unknown(history),
    )


def _section(project: Project, request: StatusRequest) -> MonitorSection:
    monitors = project.environment(request.environment).monitors
    able = [name for name in monitors if JUDGES[name].needs_labels]
    for name, section in monitors.items():
        if name == request.monitor and name in able:
            return section
    wanted = f"want one of {', '.join(able)}" if able else "the project has no monitor that needs labels"
    raise InputError(f"show labels for monitor {request.monitor} in {request.environment}: {wanted}")


def _due_times(section: MonitorSection, request: StatusRequest, keys: tuple[str, ...]) -> Iterator[datetime]:
    """The schedule's times whose windows touch the span that is asked for or, at an open end, captured."""
    hours = [hour for key in (keys[:1] + keys[-1:]) if (hour := _hour(key)) is not None]
    start = request.start or (hours[0] if hours else None)
    end = request.end or (hours[-1] + timedelta(hours=1) if hours else None)
    if start is None or end is None:
        return
    if end <= start:
        return
    due = section.schedule.previous(section.labels.delay.after(start))
    while (window := section.window(due)).start < end:
        if window.end > start:
            yield due
        due = section.schedule.next(due)


def _hour(key: str) -> datetime | None:
    try:
        return datetime.strptime("/".join(key.split("/")[-5:-1]), "%Y/%m/%d/%H").replace(tzinfo=UTC)
    except ValueError:
        return None


def _of_window(history: _History, section: MonitorSection, due: datetime, now: datetime) -> WindowLabels:
    window = section.window(due)
    captured = _captured(history, window)
    by_now = now + timedelta(microseconds=1)
    rows = captured.frame.height
    in_time = _labelled(history, captured, window, min(due, by_now))
    ever = _labelled(history, captured, window, by_now)
    labelled, total = in_time.height, max(in_time.height, ever.height)
    asked = section.labels.coverage * rows
    state = LabelState.AWAITING
    if not rows:
        state = LabelState.NO_TRAFFIC
    elif labelled >= asked:
        state = LabelState.COMPLETE
    elif total >= asked:
        state = LabelState.LATE
    return WindowLabels(
        window=window,
        due=due,
        requests=captured.requests,
        rows=rows,
        labelled=labelled,
        late=total - labelled,
        coverage=labelled / rows if rows else None,
        state=state,
        last_label=_last(ever),
    )


def _last(labelled: pl.DataFrame) -> datetime | None:
    times = labelled["_collected_at"].drop_nulls()
    last: datetime | None = times.sort()[-1] if len(times) else None
    return last


def _captured(history: _History, window: Window) -> Captured:
    """The window's rows, every schema version's together, as the monitors read them."""
    hours = {hour_folder(hour) for hour in window.hours()}
    own = [key for key in history.keys if "/".join(key.split("/")[-5:-1]) in hours]
    parts = []
    for schema in history.schemas:
        objects = [(key, history.store.read(key)) for key in own if f"/schema-v{schema.version}/" in key]
        parts.append(read_captures(objects, schema, window))
    meta = [part.frame.select("_join_id", "_event_id", "_row") for part in parts]
    empty = pl.DataFrame(schema={"_join_id": pl.String(), "_event_id": pl.String(), "_row": pl.Int64()})
    return Captured(pl.concat([empty, *meta]), sum(part.requests for part in parts), (), 0)


def _labelled(history: _History, captured: Captured, window: Window, known_by: datetime) -> pl.DataFrame:
    """The window's rows that have a usable label, collected before `known_by`."""
    if captured.frame.is_empty() or known_by <= window.start:
        return captured.frame.clear().with_columns(_collected_at=pl.lit(None, pl.Datetime("us", "UTC")))
    labels = history.records.as_of(Window(window.start, known_by))
    joined = join_labels(captured, labels).frame
    return joined.filter(pl.col("label").cast(pl.Float64, strict=False).is_finite().fill_null(False))


def _unknown(history: _History) -> int:
    """Ids with labels that no captured request carries."""
    ids = history.records.frame["_join_id"].unique()
    newest_first = ((key, history.store.read(key)) for key in reversed(history.keys))
    captured = read_captured_requests(newest_first, ids) if len(ids) else None
    return len(ids) - (captured["_join_id"].n_unique() if captured is not None else 0)
