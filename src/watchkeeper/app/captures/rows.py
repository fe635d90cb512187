"""What a monitor reads: the captures of a window, and the labels known by then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import polars as pl

from watchkeeper.app.registry.catalogue import catalogue
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
from watchkeeper.readers.part_values import TIMES
from watchkeeper.readers.records import BadLine
from watchkeeper.serving.settings import DEFAULT_VARIANT

Objects = list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class WindowRows:
    """A window's rows as text columns, and what was left out on the way.

    `requests` counts the window's records, `captured` its rows that have every column of their model's
    schema, which are in `every`; `frame` has those of them that a monitor can judge: all, or those with a
    label in `label`. Records that may not be read give none of all that, and `denied` says what was refused.
    """

    frame: pl.DataFrame
    requests: int
    captured: int
    notes: tuple[str, ...]
    inputs: tuple[InputDigest, ...]
    oldest_missing: datetime | None = None  # time of the oldest row that has no usable label
    every: pl.DataFrame = field(default_factory=pl.DataFrame)
    denied: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Which endpoint's records are read, and which of them."""

    environment: str
    endpoint: str
    window: Window


def source_of(project: Project, environment: str, window: Window) -> Source:
    """An environment's endpoint over a window."""
    return Source(environment, project.endpoint(environment), window)


def unreadable(why: str) -> WindowRows:
    """A window whose records may not be read."""
    frame = pl.DataFrame(schema={"_model_version": pl.Int64()})
    return WindowRows(frame, 0, 0, (), (), every=frame, denied=why)


def read_rows(store: Store, source: Source) -> WindowRows:
    """The window's captured rows."""
    captured, objects, dated = _captured(store, source)
    rows, unfit = judgeable(store, captured.frame)
    notes = (*_notes(*_of_captures(captured, dated)), *span_notes(store, captured.frame), *unfit)
    return WindowRows(rows, captured.requests, rows.height, notes, _digests(objects), every=rows)


def read_labelled_rows(store: Store, source: Source, known_by: Window) -> WindowRows:
    """The window's captured rows that have a label collected before `known_by` ends."""
    captured, objects, dated = _captured(store, source)
    folder = f"ground-truth/{source.environment}/{source.endpoint}/"
    truths = _objects(store, folder, Window(source.window.start, known_by.end))
    labels = read_labels(truths, known_by=known_by.end)
    joined = join_labels(captured, labels)
    labelled = joined.frame.drop_nulls("label")
    usable = labelled.filter(pl.col("label").cast(pl.Float64, strict=False).is_finite())
    notes = _notes(
        *_of_captures(captured, dated),
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


def _captured(store: Store, source: Source) -> tuple[Captured, Objects, int]:
    """Every schema version's captures together; a column that one lacks is null there.

    The number is that of rows which name no model version, as SageMaker captures them, and have got the one
    that the endpoint served at their time; a candidate's have none.
    """
    parts, objects, dated = [], list[tuple[str, bytes]](), 0
    history = _history(store, source.environment)
    for schema in schemas(store):
        folder = f"captures/{source.environment}/schema-v{schema.version}/{source.endpoint}/{ANY}/"
        found = _objects(store, folder, source.window)
        objects += found
        for serving in (True, False):
            own = [each for each in found if (each[0].split("/")[4] == DEFAULT_VARIANT) is serving]
            if own or serving:
                read = read_captures(own, schema, source.window)
                frame = _dated(read.frame, history) if serving else read.frame
                dated += read.frame["_model_version"].null_count() - frame["_model_version"].null_count()
                parts.append(replace(read, frame=captured_under(frame, schema)))
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
    return together, objects, dated


def _history(store: Store, environment: str) -> pl.DataFrame:
    """Which version the environment served, from when on."""
    known = [each for each in catalogue(store).deployments if each.environment == environment]
    form = {"_time": TIMES, "_served": pl.Int64()}
    return pl.DataFrame(
        {"_time": [d.time for d in known], "_served": [d.version for d in known]}, schema=form
    )


def _dated(frame: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    """The rows, those without a model version under the one that was served at their time."""
    if not frame["_model_version"].null_count() or not history.height:
        return frame
    times = frame.select("_time").with_row_index("row").sort("_time", maintain_order=True)
    served = times.join_asof(history.sort("_time"), on="_time").sort("row")["_served"]
    return frame.with_columns(pl.col("_model_version").fill_null(served))


def _objects(store: Store, folder: str, window: Window) -> Objects:
    """The objects whose hour folder, below `folder`, the window touches; listed day by day."""
    hours = {hour_folder(hour) for hour in window.hours()}
    days = sorted({hour.rpartition("/")[0] for hour in hours})
    keys = [key for day in days for key in store.list(f"{folder}{day}/")]
    held = [key for key in keys if "/".join(key.split("/")[-5:-1]) in hours]
    return [(key, store.read(key)) for key in sorted(held)]


def _digests(objects: Objects) -> tuple[InputDigest, ...]:
    return tuple(InputDigest(key, digest(data)) for key, data in objects)


def _of_captures(captured: Captured, dated: int) -> tuple[tuple[int, str], ...]:
    return (
        (len(captured.bad), f"capture lines that cannot be used{_first(captured.bad)}"),
        (captured.outside, "records of another time in the window's files"),
        (dated, "rows that name no model version, taken to be of the one that served then"),
        (captured.frame["_model_version"].null_count(), "rows that name no model version, not judged"),
    )


def _first(bad: Sequence[BadLine]) -> str:
    return f", the first {bad[0].key}:{bad[0].line_number} ({bad[0].reason})" if bad else ""


def _notes(*counts: tuple[int, str]) -> tuple[str, ...]:
    return tuple(f"{count:,} {what}" for count, what in counts if count)
