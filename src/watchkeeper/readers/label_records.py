"""Every ground-truth record of an endpoint as one frame, and what of it counts at a time.

`readers.labels` reads a window's few objects line by line. Here is the whole history: lines in the
form we write are read by a pattern all at once, every other line as there. Both say the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import orjson
import polars as pl

from watchkeeper.core.windows import Window
from watchkeeper.readers.labels import Labels, folder_hour, label_text
from watchkeeper.readers.lines import Lines, batches
from watchkeeper.readers.records import BadLine, Labelled, read_ground_truth_lines

_TIME = pl.Datetime("us", "UTC")
_FORM: dict[str, pl.DataType] = {
    "_join_id": pl.String(),
    "_row": pl.Int64(),
    "label": pl.String(),
    "_collected_at": _TIME,
    "_hour": _TIME,
    "_record": pl.Int64(),
    "_line": pl.Int64(),
}
_NUMBER = r"-?(?:0|[1-9][0-9]{0,16})(?:\.[0-9]{1,20})?(?:e[+-]?[0-9]{1,2})?"
_LABEL = rf'\{{\\"label\\":{_NUMBER}\}}'
_PLAIN = (
    r'^\{"groundTruthData":\{"data":"(?:'
    rf'(?P<one>{_NUMBER})","encoding":"CSV"|'
    rf'\{{\\"instances\\":\[(?P<more>{_LABEL}(?:,{_LABEL})*)\]\}}","encoding":"JSON")\}},'
    r'"eventMetadata":\{"eventId":"(?P<id>[^"\\\x00-\x1f]+)",'
    r'"collectedTime":"(?P<time>[12][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})Z"\},'
    r'"eventVersion":"0"\}$'
)
# What a record's labels say, of its labels in their order: numbers however they are written.
_SAID = pl.coalesce(pl.col("label").cast(pl.Float64, strict=False).cast(pl.String), "label").str.join("\n")


@dataclass(frozen=True, slots=True)
class LabelRecords:
    """Ground-truth records in reading order, one row for each label.

    `frame` has `_join_id`, `_row` from 0, `label` as text, `_collected_at` (the line's, else its
    folder's hour, else null), `_hour` (the folder's, else null), `_record` (the record's place) and
    `_line` (its line in its object, from 1). `bad` are the lines that could not be used.
    """

    frame: pl.DataFrame
    bad: tuple[BadLine, ...]

    def as_of(self, known: Window | datetime) -> Labels:
        """The labels that count: of several records for one id the one collected last.

        A time leaves out what was collected then or later. A window does so by its end, and also
        leaves out objects in folders of hours before its start, which no monitor of it reads.
        """
        end = known.end if isinstance(known, Window) else known
        frame = self.frame
        if isinstance(known, Window):
            first = next(known.hours())
            frame = frame.filter(pl.col("_hour").is_between(first, end, closed="left"))
        known_by = frame.filter(pl.col("_collected_at").is_null() | (pl.col("_collected_at") < end))
        last = known_by.sort("_collected_at", "_record", "_row", nulls_last=False).filter(
            pl.col("_record") == pl.col("_record").last().over("_join_id")
        )
        records = known_by["_record"].n_unique()
        requests = last["_join_id"].n_unique()
        return Labels(
            frame=last.sort("_record", "_row").select("_join_id", "_row", "label", "_collected_at"),
            requests=requests,
            duplicates=records - requests,
            conflicting=_disagreeing(known_by, last),
            later=frame["_record"].n_unique() - records,
            bad=self.bad,
        )


def read_label_records(objects: Iterable[tuple[str, bytes]], of: pl.Series | None = None) -> LabelRecords:
    """Read ground-truth files, given as keys with their bytes in key order; of those ids alone with `of`.

    Lines that do not mention any of a few ids are not looked at, so that `bad` may lack some then.
    """
    frames, bad, start = [pl.DataFrame(schema=_FORM)], [], 0
    for lines in batches(objects):
        found, unusable = _records(lines.mentioning(of))
        found = found.with_columns(pl.col("_record") + start)
        start += sum((lines.frame.height, *(data.count(b"\n") + 1 for _, data in lines.unreadable)))
        frames.append(found if of is None else found.filter(pl.col("_join_id").is_in(of.implode())))
        bad += unusable
    return LabelRecords(pl.concat(frames), tuple(bad))


def truths(lines: Lines) -> tuple[pl.DataFrame, list[BadLine]]:
    """The batch's records, one row each: `_object`, `_line`, `_join_id`, `_collected_at`, `truth` and `said`.

    `truth` is `groundTruthData` as JSON text, `said` what two records agree in when they say the same, and
    `_collected_at` as in `LabelRecords`.
    """
    found, bad = _listed(lines)
    said = found.select("_object", "_line", "label").explode("label").group_by("_object", "_line")
    whole = lines.frame.join(found.select("_object", "_line"), on=["_object", "_line"], how="semi")
    texts = whole.select("_object", "_line", _truth_text().alias("truth"))
    found = found.select(
        "_object", "_line", "_join_id", pl.coalesce("_collected_at", "_hour").alias("_collected_at")
    )
    for own in (said.agg(_SAID.alias("said")), texts):
        found = found.join(own, on=["_object", "_line"], how="left", maintain_order="left")
    lacking = found["truth"].is_null().any()
    return (_with_slow_truths(lines, found) if lacking else found), bad


def _truth_text() -> pl.Expr:
    """`groundTruthData` of a line in our own form; null for any other."""
    return pl.col("line").str.extract(
        r'^\{"groundTruthData":(\{"data":"(?:[^"\\]|\\.)*","encoding":"[A-Z]+"\}),'
    )


def _with_slow_truths(lines: Lines, found: pl.DataFrame) -> pl.DataFrame:
    keyed = {(place, number): line for place, number, line in (*lines.frame.iter_rows(), *lines.unread())}
    texts = [
        text
        if text is not None
        else orjson.dumps(orjson.loads(keyed[place, number])["groundTruthData"]).decode()
        for place, number, text in found.select("_object", "_line", "truth").iter_rows()
    ]
    return found.with_columns(pl.Series("truth", texts, dtype=pl.String))


def _records(lines: Lines) -> tuple[pl.DataFrame, list[BadLine]]:
    """The batch's records as rows, one a label, numbered from 0 in the order of objects and lines."""
    found, bad = _listed(lines)
    both = found.with_row_index("_record").explode("label")
    return both.select(
        "_join_id",
        pl.int_range(pl.len()).over("_record").alias("_row"),
        "label",
        pl.coalesce("_collected_at", "_hour").alias("_collected_at"),
        "_hour",
        pl.col("_record").cast(pl.Int64),
        "_line",
    ), bad


def _listed(lines: Lines) -> tuple[pl.DataFrame, list[BadLine]]:
    """The batch's records, each with its labels as a list, in the order of objects and lines."""
    hours = pl.DataFrame(
        {"_object": range(len(lines.keys)), "_hour": [folder_hour(key) for key in lines.keys]},
        schema={"_object": pl.Int64(), "_hour": _TIME},
    )
    parts = lines.frame.with_columns(pl.col("line").str.extract_groups(_PLAIN).alias("_found")).unnest(
        "_found"
    )
    parts = parts.with_columns(
        pl.col("time").str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False, time_unit="us", time_zone="UTC")
    )
    plain = pl.col("time").is_not_null()
    fast = parts.filter(plain).select(
        "_object",
        "_line",
        pl.col("id").alias("_join_id"),
        pl.when(pl.col("one").is_not_null())
        .then(pl.concat_list("one"))
        .otherwise(pl.col("more").str.extract_all(_NUMBER))
        .alias("label"),
        pl.col("time").alias("_collected_at"),
    )
    slow, bad = _singly(lines, parts.filter(~plain))
    both = pl.concat([fast, slow]).sort("_object", "_line").join(hours, on="_object", maintain_order="left")
    return both, bad


def _singly(lines: Lines, rest: pl.DataFrame) -> tuple[pl.DataFrame, list[BadLine]]:
    """What the pattern does not know, line by line."""
    rows: list[tuple[int, int, str, list[str], datetime | None]] = []
    bad: list[BadLine] = []

    def take(place: int, number: int, item: Labelled | BadLine) -> None:
        if isinstance(item, BadLine):
            bad.append(BadLine(item.key, number, item.reason, item.text))
        else:
            labels = [label_text(label) for label in item.truth.labels]
            rows.append((place, number, item.truth.inference_id, labels, item.collected_at))

    for place, number, line in rest.select("_object", "_line", "line").iter_rows():
        for _, item in read_ground_truth_lines(lines.keys[place], line.encode()):
            take(place, number, item)
    for place, number, line in lines.unread():
        for _, item in read_ground_truth_lines(lines.keys[place], line):
            take(place, number, item)
    form = {
        "_object": pl.Int64(),
        "_line": pl.Int64(),
        "_join_id": pl.String(),
        "label": pl.List(pl.String()),
        "_collected_at": _TIME,
    }
    return pl.DataFrame(rows, schema=form, orient="row"), bad


def _disagreeing(records: pl.DataFrame, last: pl.DataFrame) -> int:
    """How many ids have a record that says something else than the one that counts."""
    said = _SAID.alias("_said")
    each = records.group_by("_join_id", "_record").agg(said)
    counts = last.group_by("_join_id").agg(said.alias("_counts"))
    return (
        each.join(counts, on="_join_id").filter(pl.col("_said") != pl.col("_counts"))["_join_id"].n_unique()
    )
