"""Import labels: what of them is new, changed, on record already or of nobody, then one object of the new."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from watchkeeper.app.captures.labels import capture_keys, ground_truth_objects, next_key
from watchkeeper.core.audit import Event
from watchkeeper.core.errors import Refused
from watchkeeper.core.ports import Store, Trail
from watchkeeper.core.values import Actor, GroundTruth, Progress
from watchkeeper.core.windows import utc_text
from watchkeeper.readers.captured_requests import read_captured_requests
from watchkeeper.readers.label_records import read_label_records
from watchkeeper.readers.label_tables import LabelTable
from watchkeeper.render.records import ground_truth_line

SAMPLE = 5  # ids that an answer names of each kind
_PART = 50_000  # requests whose lines are made at once


@dataclass(frozen=True, slots=True)
class Conflict:
    """Labels of a request that others, given later, replace."""

    id: str
    before: tuple[float | str, ...]
    after: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A request with another number of labels than rows were captured of it."""

    id: str
    labels: int
    rows: int | None  # None: its answer cannot be counted


@dataclass(frozen=True, slots=True)
class LabelSamples:
    """Up to `SAMPLE` requests of each count, by their ids."""

    stored: tuple[str, ...]
    already: tuple[str, ...]
    conflicting: tuple[Conflict, ...]
    unknown: tuple[str, ...]
    mismatched: tuple[Mismatch, ...]


@dataclass(frozen=True, slots=True)
class LabelImport:
    """What an import came to. All counts but `labels` are of requests, by id.

    `received` are `stored` (new and changed) and `already` (on record with the same labels).
    `conflicting`: labels that gave way to others, of those on record or earlier in the import itself.
    `unknown`: no captured request carries the id. `mismatched`: known, with another number of labels
    than rows. `key` is the object with the stored ones, None when there are none, and in a dry run.
    """

    environment: str
    endpoint: str
    source: str
    digest: str
    collected_at: datetime
    dry_run: bool
    labels: int
    received: int
    stored: int
    already: int
    conflicting: int
    unknown: int
    mismatched: int
    samples: LabelSamples
    key: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """Whose labels: one environment's endpoint, and where its records are."""

    store: Store
    trail: Trail
    environment: str
    endpoint: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """Labels as they came: from whom, out of what (a file's name and digest), and when.

    `strict` refuses unknown ids; a dry run stores nothing; a silent one is put on the audit log only
    when it stores something.
    """

    table: LabelTable
    source: str
    digest: str
    collected_at: datetime
    actor: Actor
    strict: bool = False
    dry_run: bool = False
    silent: bool = False
    imported_at: datetime | None = None  # where `collected_at` is what somebody says


def import_labels(place: Place, delivery: Delivery, report: Callable[[Progress], None]) -> LabelImport:
    """Store the labels that are new or changed, as one object of the hour of collection.

    The same labels again store nothing. To know that, every ground-truth file of the endpoint is
    read (labels of a request may lie in any hour), and of them only the delivery's ids are kept;
    labels collected after `collected_at` are as good as not there. Capture files are read from the
    newest hour back until each id is found, which for an unknown id is all of them.
    Raises Refused for unknown ids when `strict`, and then nothing is stored.
    """
    known = _known(place, delivery, report)
    found = _answer(place, delivery, known)
    if delivery.strict and found.unknown:
        raise Refused(
            f"import labels {delivery.source}: want ids of captured requests of {place.endpoint}, "
            f"got {found.unknown:,} others, such as {', '.join(found.samples.unknown)}; nothing was stored"
        )
    if delivery.dry_run:
        return found
    changed = delivery.table.frame.join(
        known.filter(~pl.col("same")), on="id", how="semi", maintain_order="left"
    )
    key = _stored(place, delivery, changed, report)
    if key or not delivery.silent:
        place.trail.append(_event(found, delivery, place))
    return LabelImport(**{name: getattr(found, name) for name in found.__slots__ if name != "key"}, key=key)


def no_report(_: Progress) -> None:
    """Progress that nobody looks at."""


def _known(place: Place, delivery: Delivery, report: Callable[[Progress], None]) -> pl.DataFrame:
    """One row a request, in the delivery's order, with what is on record of it.

    `id`, `after` (its labels), `before` (those on record as texts, null for none), `same`, `rows`
    (captured, null for none or several), `captured` and `fits`.
    """
    table = delivery.table.frame
    requests = table.group_by("id", maintain_order=True).agg(pl.col("label").alias("after"))
    ids = requests["id"]
    whole_second = delivery.collected_at.replace(microsecond=0) + timedelta(seconds=1)
    truths = ground_truth_objects(place.store, place.environment, place.endpoint)
    report(Progress("compare", 0, None, "with the labels on record"))
    on_record = read_label_records(truths, ids).as_of(whole_second).frame
    number = pl.col("label").cast(pl.Float64, strict=False)
    held = on_record.group_by("_join_id").agg(pl.col("label").alias("before"), number.alias("_numbers"))
    report(Progress("compare", 1, None, "with the captured requests"))
    keys = capture_keys(place.store, place.environment, place.endpoint)
    captured = read_captured_requests(((key, place.store.read(key)) for key in keys), ids)
    report(Progress("compare", 2, 2))
    rows = captured.group_by("_join_id").agg(
        pl.col("_rows").min().alias("rows"),
        pl.col("_rows").max().alias("_most"),
        pl.lit(True).alias("captured"),
    )
    beside = requests.join(held, left_on="id", right_on="_join_id", how="left", maintain_order="left")
    beside = beside.join(rows, left_on="id", right_on="_join_id", how="left", maintain_order="left")
    count = pl.col("after").list.len()
    return beside.with_columns(
        (pl.col("_numbers") == pl.col("after")).fill_null(False).alias("same"),
        pl.col("captured").fill_null(False),
        ((pl.col("rows") == count) & (pl.col("_most") == count)).fill_null(False).alias("fits"),
    )


def _answer(place: Place, delivery: Delivery, known: pl.DataFrame) -> LabelImport:
    """The counts, as if the delivery had been stored."""
    same, captured, fits = pl.col("same"), pl.col("captured"), pl.col("fits")
    changed = known.filter(~same & pl.col("before").is_not_null()).select("id", "before", "after")
    own = delivery.table.conflicts.filter(~pl.col("id").is_in(changed["id"].implode()))
    parts = {
        "stored": known.filter(~same),
        "already": known.filter(same),
        "unknown": known.filter(~captured),
        "mismatched": known.filter(captured & ~fits),
    }
    samples = LabelSamples(
        stored=_ids(parts["stored"]),
        already=_ids(parts["already"]),
        conflicting=(*_conflicts(changed), *_conflicts(own))[:SAMPLE],
        unknown=_ids(parts["unknown"]),
        mismatched=tuple(
            Mismatch(id_, len(after), rows)
            for id_, after, rows in parts["mismatched"].head(SAMPLE).select("id", "after", "rows").iter_rows()
        ),
    )
    return LabelImport(
        environment=place.environment,
        endpoint=place.endpoint,
        source=delivery.source,
        digest=delivery.digest,
        collected_at=delivery.collected_at,
        dry_run=delivery.dry_run,
        labels=delivery.table.lines,
        received=known.height,
        conflicting=changed.height + own.height,
        samples=samples,
        key=None,
        **{name: part.height for name, part in parts.items()},
    )


def _ids(part: pl.DataFrame) -> tuple[str, ...]:
    return tuple(part["id"].head(SAMPLE))


def _conflicts(pairs: pl.DataFrame) -> Iterator[Conflict]:
    for id_, before, after in pairs.head(SAMPLE).iter_rows():
        yield Conflict(id_, tuple(map(_said, before)), tuple(after))


def _said(label: float | str) -> float | str:
    """A label on record as the number it says, or as the text it is."""
    try:
        return float(label)
    except ValueError:
        return label


def _stored(
    place: Place, delivery: Delivery, changed: pl.DataFrame, report: Callable[[Progress], None]
) -> str | None:
    """Write the labels as one object; returns its key, None when there are none."""
    requests = changed.group_by("id", maintain_order=True).agg("label")
    if requests.is_empty():
        return None
    data = b"".join(
        _lines(part, delivery.collected_at, report, (start, requests.height))
        for start, part in ((n, requests[n : n + _PART]) for n in range(0, requests.height, _PART))
    )
    key = next_key(place.store, place.environment, place.endpoint, delivery.collected_at, data)
    place.store.create(key, data)
    return key


def _lines(
    requests: pl.DataFrame,
    collected_at: datetime,
    report: Callable[[Progress], None],
    progress: tuple[int, int],
) -> bytes:
    """Ground-truth lines of requests: whole numbers, one a request, all at once, any other one by one."""
    form = ground_truth_line(GroundTruth("ID", (7.0,)), collected_at).decode()
    head, _, rest = form.partition('"7"')
    middle, _, tail = rest.partition('"ID"')
    only = pl.col("label").list.first()
    is_plain = (
        (pl.col("label").list.len() == 1)
        & (only == only.floor())
        & (only.abs() < 2**53)
        & pl.col("id").str.contains(r'^[^"\\\x00-\x1f\x7f]+$')
    )
    number = only.cast(pl.Int64, strict=False).cast(pl.String)
    at_once = [pl.lit(f'{head}"'), number, pl.lit(f'"{middle}"'), "id", pl.lit(f'"{tail}')]
    lines = requests.select("id", "label", pl.when(is_plain).then(pl.concat_str(at_once)).alias("line"))
    text = b"".join(
        line.encode() if line else ground_truth_line(GroundTruth(id_, tuple(labels)), collected_at)
        for id_, labels, line in lines.iter_rows()
    )
    report(Progress("write", min(progress[0] + _PART, progress[1]), progress[1]))
    return text


def _event(found: LabelImport, delivery: Delivery, place: Place) -> Event:
    counts = ("received", "stored", "already", "conflicting", "unknown", "mismatched")
    said = ", ".join(f"{name} {getattr(found, name):,}" for name in counts)
    if delivery.imported_at is not None:
        said += f"; said to have been collected at {utc_text(delivery.collected_at)}"
    return Event(
        action="labels.import",
        subject=place.endpoint,
        actor=delivery.actor,
        time=delivery.imported_at or delivery.collected_at,
        why=f"{delivery.source}: {said}",
        after=delivery.digest,
    )
