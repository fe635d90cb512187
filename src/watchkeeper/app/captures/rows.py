"""What a monitor reads: the captures of a window, and the labels known by then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import polars as pl

from watchkeeper.app.registry.schema_span import captured_under, judgeable, span_notes
from watchkeeper.app.registry.schemas import schemas
from watchkeeper.app.setup.project import Project
from watchkeeper.core.encoding import digest
from watchkeeper.core.errors import InputError
from watchkeeper.core.ports import ANY, Store
from watchkeeper.core.values import InputDigest
from watchkeeper.core.windows import Window, hour_folder
from watchkeeper.readers.captures import Captured, read_captures
from watchkeeper.readers.labels import join_labels, read_labels
from watchkeeper.readers.records import BadLine

Objects = list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class WindowRows:
    """A window's rows as text columns, and what was left out on the way.

    `requests` counts the window's records, `captured` its rows that have every column of their model's
    schema, which are in `every`; `frame` has those of them that a monitor can judge: all, or those with a
    label in `label`.
    """

    frame: pl.DataFrame
    requests: int
    captured: int
    notes: tuple[str, ...]
    inputs: tuple[InputDigest, ...]
    oldest_missing: datetime | None = None  # time of the oldest row that has no usable label
    every: pl.DataFrame = field(default_factory=pl.DataFrame)


@dataclass(frozen=True, slots=True)
class Source:
    """Which endpoint's records are read, and which of them."""

    environment: str
    endpoint: str
    window: Window


def source_of(project: Project, environment: str, window: Window) -> Source:
    """An environment's endpoint over a window."""
    return Source(environment, project.endpoint(environment), window)


def read_rows(store: Store, source: Source) -> WindowRows:
    """The window's captured rows."""
    captured, objects = _captured(store, source)
    rows, unfit = judgeable(store, captured.frame)
    notes = (*_notes(*_of_captures(captured)), *span_notes(store, captured.frame), *unfit)
    return WindowRows(rows, captured.requests, rows.height, notes, _digests(objects), every=rows)


def read_labelled_rows(store: Store, source: Source, known_by: Window) -> WindowRows:
    """The window's captured rows that have a label collected before `known_by` ends."""
    captured, objects = _captured(store, source)
    folder = f"ground-truth/{source.environment}/{source.endpoint}/"
    truths = _objects(store, folder, Window(source.window.start, known_by.end))
    labels = read_labels(truths, known_by=known_by.end)
    joined = join_labels(captured, labels)
    labelled = joined.frame.drop_nulls("label")
    usable = labelled.filter(pl.col("label").cast(pl.Float64, strict=False).is_finite())
    notes = _notes(
        *_of_captures(captured),
        (joined.unlabelled, "rows without a label"),
        (labelled.height - usable.height, "rows whose label is no number"),
        (joined.unknown, "ids with labels that no request of this window carries"),
        (joined.mismatched, "requests with another number of labels than rows"),
        (joined.repeated, "requests whose id an earlier request carries too"),
        (labels.duplicates, "labels that a later one replaced"),
        (labels.conflicting, "ids whose labels do not agree; the last one counts"),
        (len(labels.bad), f"label lines that cannot be used{_first(labels.bad)}"),
    )
    (rows, _), (fit, unfit) = judgeable(store, usable), judgeable(store, captured.frame)
    notes = (*notes, *span_notes(store, captured.frame), *unfit)
    digests = _digests([*objects, *truths])
    missing = _oldest_missing(joined.frame)
    return WindowRows(rows, captured.requests, fit.height, notes, digests, missing, fit)


def _oldest_missing(joined: pl.DataFrame) -> datetime | None:
    usable = pl.col("label").cast(pl.Float64, strict=False).is_finite().fill_null(value=False)
    found = joined.filter(~usable)["_time"].min()
    return found if isinstance(found, datetime) else None


def _captured(store: Store, source: Source) -> tuple[Captured, Objects]:
    """Every schema version's captures together; a column that one lacks is null there."""
    parts, objects = [], []
    for schema in schemas(store):
        folder = f"captures/{source.environment}/schema-v{schema.version}/{source.endpoint}/{ANY}/"
        found = _objects(store, folder, source.window)
        read = read_captures(found, schema, source.window)
        parts.append(replace(read, frame=captured_under(read.frame, schema)))
        objects += found
    if not parts:
        raise InputError(
            f"read captures of {source.endpoint}: want a schema on record, got none; train first"
        )
    together = Captured(
        frame=pl.concat([part.frame for part in parts], how="diagonal"),
        requests=sum(part.requests for part in parts),
        bad=tuple(bad for part in parts for bad in part.bad),
        outside=sum(part.outside for part in parts),
    )
    return together, objects


def _objects(store: Store, folder: str, window: Window) -> Objects:
    """The objects whose hour folder, below `folder`, the window touches; listed day by day."""
    hours = {hour_folder(hour) for hour in window.hours()}
    days = sorted({hour.rpartition("/")[0] for hour in hours})
    keys = [key for day in days for key in store.list(f"{folder}{day}/")]
    held = [key for key in keys if "/".join(key.split("/")[-5:-1]) in hours]
    return [(key, store.read(key)) for key in sorted(held)]


def _digests(objects: Objects) -> tuple[InputDigest, ...]:
    return tuple(InputDigest(key, digest(data)) for key, data in objects)


def _of_captures(captured: Captured) -> tuple[tuple[int, str], ...]:
    return (
        (len(captured.bad), f"capture lines that cannot be used{_first(captured.bad)}"),
        (captured.outside, "records of another time in the window's files"),
        (captured.frame["_model_version"].null_count(), "rows that name no model version, not judged"),
    )


def _first(bad: Sequence[BadLine]) -> str:
    return f", the first {bad[0].key}:{bad[0].line_number} ({bad[0].reason})" if bad else ""


def _notes(*counts: tuple[int, str]) -> tuple[str, ...]:
    return tuple(f"{count:,} {what}" for count, what in counts if count)
