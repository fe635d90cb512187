"""Ground-truth files as a table of labels, and captured rows with their labels beside them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from watchkeeper.readers.captures import Captured
from watchkeeper.readers.records import BadLine, Labelled, read_ground_truth_lines

_HOUR = re.compile(r"(?:^|/)(\d{4}/\d{2}/\d{2}/\d{2})/[^/]+$")
_COLUMNS: dict[str, pl.DataType] = {
    "_join_id": pl.String(),
    "_row": pl.Int64(),
    "label": pl.String(),
    "_collected_at": pl.Datetime("us", "UTC"),
}


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels that count, one row each: `_join_id`, `_row`, `label` as text, `_collected_at`.

    Of several records for one id the last counts. `duplicates` are the records that gave way to a
    later one, `conflicting` the ids whose records do not agree, `later` the records left out
    because their labels were not known yet.
    """

    frame: pl.DataFrame
    requests: int
    duplicates: int
    conflicting: int
    later: int
    bad: tuple[BadLine, ...]


@dataclass(frozen=True, slots=True)
class Joined:
    """Captured rows with `label` and `_collected_at` (null without one), in their order.

    `unknown`: ids with labels and no captured request. `unlabelled`: rows whose request has no
    label. `mismatched`: requests with another number of labels than rows, none of which is joined.
    `repeated`: requests whose id an earlier request carries too, so that a label may be the other's.
    """

    frame: pl.DataFrame
    unknown: int
    unlabelled: int
    mismatched: int
    repeated: int


def read_labels(objects: Iterable[tuple[str, bytes]], known_by: datetime | None = None) -> Labels:
    """Read ground-truth files, given as keys with their bytes, in the order in which they were collected.

    A line that does not say when its labels were collected counts as of its folder's hour. With
    `known_by`, records collected at that time or after it are left out and counted.
    """
    records, bad, later = [], [], 0
    for key, data in objects:
        hour = folder_hour(key)
        for _, item in read_ground_truth_lines(key, data):
            if isinstance(item, BadLine):
                bad.append(item)
                continue
            when = item.collected_at or hour
            if known_by is not None and when is not None and when >= known_by:
                later += 1
            else:
                records.append(Labelled(item.truth, when))
    records.sort(key=lambda item: (item.collected_at is not None, item.collected_at))
    held = {item.truth.inference_id: item for item in records}
    disagree = [
        item.truth.inference_id for item in records if item.truth != held[item.truth.inference_id].truth
    ]
    return Labels(
        frame=_frame(held.values()),
        requests=len(held),
        duplicates=len(records) - len(held),
        conflicting=len(set(disagree)),
        later=later,
        bad=tuple(bad),
    )


def join_labels(captured: Captured, labels: Labels) -> Joined:
    """Put to each captured row the label of its place in its request."""
    counts = labels.frame.group_by("_join_id").agg(pl.len().alias("_labels"))
    rows = captured.frame.with_columns(pl.len().over("_event_id").alias("_rows"))
    rows = rows.join(counts, on="_join_id", how="left", maintain_order="left")
    rows = rows.join(labels.frame, on=["_join_id", "_row"], how="left", maintain_order="left")
    fits = pl.col("_rows") == pl.col("_labels")
    found = rows.with_columns(pl.when(fits).then(pl.col("label", "_collected_at")))
    requests = rows.unique("_event_id")
    return Joined(
        frame=found.drop("_rows", "_labels"),
        unknown=counts.join(captured.frame, on="_join_id", how="anti").height,
        unlabelled=rows["_labels"].null_count(),
        mismatched=requests.filter(~fits).height,
        repeated=requests.height - requests["_join_id"].n_unique(),
    )


def label_text(label: float | str) -> str:
    """A label as text, whole numbers without a fraction.

    >>> label_text(2.0), label_text("cat")
    ('2', 'cat')
    """
    if isinstance(label, str):
        return label
    return str(int(label)) if label.is_integer() and abs(label) < 2**53 else repr(label)


def folder_hour(key: str) -> datetime | None:
    """The hour of the folder that a key ends in, None when that is none."""
    match = _HOUR.search(key)
    try:
        return datetime.strptime(match[1], "%Y/%m/%d/%H").replace(tzinfo=UTC) if match else None
    except ValueError:
        return None


def _frame(records: Iterable[Labelled]) -> pl.DataFrame:
    rows = [
        (item.truth.inference_id, row, label_text(label), item.collected_at)
        for item in records
        for row, label in enumerate(item.truth.labels)
    ]
    return pl.DataFrame(rows, schema=_COLUMNS, orient="row")
