"""Capture records by the ids that labels are joined by, and the same records with labels put to them.

Lines in the form that SageMaker and we write are looked at by a pattern all at once, every other line as
`readers.records` has it.
"""

from __future__ import annotations

import orjson
import polars as pl

from watchkeeper.readers.lines import Lines
from watchkeeper.readers.records import INFERENCE_ID, NOT_STATED, BadLine, bad_line, read_sides, row_alone

_TEXT = r'"(?:[^"\\]|\\.)*"'
_ID = r'[^"\\\x00-\x1f]+'
_SIDE = (
    rf'\{{"observedContentType":(?:null|{_TEXT}),"mode":"[A-Z]+","data":{_TEXT},'
    r'"encoding":"(?:CSV|JSON|BASE64)"\}'
)
_INPUT, _OUTPUT = (f'"endpoint{name}":{_SIDE}' for name in ("Input", "Output"))
_END = ',"eventVersion":"0"}'
_PLAIN = (
    rf'^\{{"captureData":\{{(?:{_INPUT}(?:,{_OUTPUT})?|{_OUTPUT})\}},'
    rf'"eventMetadata":\{{"eventId":"(?P<event>{_ID})"(?:,"inferenceId":"(?P<inference>{_ID})")?'
    rf'(?:,"customAttributes":\[(?:{_TEXT},?)*\])?,"inferenceTime":"(?P<time>[0-9T:.Z-]+)"'
    r'(?:,"modelVersion":"[0-9]{1,9}")?(?:,"schemaVersion":"[0-9]{1,9}")?\},"eventVersion":"0"\}$'
)
_FORM: dict[str, pl.DataType] = {
    "_object": pl.Int64(),
    "_line": pl.Int64(),
    "_join_id": pl.String(),
    "_plain": pl.Boolean(),
}


def capture_ids(lines: Lines) -> tuple[pl.DataFrame, list[BadLine]]:
    """The batch's records: `_object`, `_line`, `_join_id`, and `_plain`, in the order of objects and lines.

    `_join_id` is the inference id, else the event id; `_plain` says that the line has the usual form. The
    lines that are no capture record come with the reason.
    """
    parts = lines.frame.select(
        "_object", "_line", "line", pl.col("line").str.extract_groups(_PLAIN).alias("_found")
    ).unnest("_found")
    plain = pl.col("event").is_not_null()
    fast = parts.filter(plain).select(
        "_object",
        "_line",
        pl.coalesce("inference", "event").alias("_join_id"),
        pl.lit(value=True).alias("_plain"),
    )
    rows: list[tuple[int, int, str, bool]] = []
    bad: list[BadLine] = []
    rest = parts.filter(~plain).select("_object", "_line", "line")
    others = ((place, number, line.encode()) for place, number, line in rest.iter_rows())
    for place, number, line in (*others, *lines.unread()):
        try:
            rows.append((place, number, read_sides(line, NOT_STATED).join_id, False))
        except ValueError as error:
            bad.append(bad_line(lines.keys[place], number, str(error), line))
    slow = pl.DataFrame(rows, schema=_FORM, orient="row")
    return pl.concat([fast, slow]).sort("_object", "_line"), bad


def merged(lines: Lines, truths: pl.DataFrame) -> pl.DataFrame:
    """Records with labels beside them: `_object` and `line`, as the contract has a merged record (2.3).

    `truths` says of which records: `_object`, `_line`, `_plain` and `truth`, `groundTruthData` as JSON text.
    """
    found = truths.join(lines.frame, on=["_object", "_line"], how="left", maintain_order="left")
    inside = pl.col("line").str.slice(1, pl.col("line").str.len_chars() - len(_END) - 1)
    fast = pl.concat_str(
        pl.lit('{"eventVersion":"0","groundTruthData":'), "truth", pl.lit(","), inside, pl.lit("}")
    )
    found = found.with_columns(pl.when("_plain").then(fast).alias("merged"))
    if found["_plain"].all():
        return found.select("_object", pl.col("merged").alias("line"))
    unread = {(place, number): line for place, number, line in lines.unread()}
    texts = [
        text if plain else _merged(line or unread[place, number], truth)
        for place, number, plain, truth, line, text in found.select(
            "_object", "_line", "_plain", "truth", "line", "merged"
        ).iter_rows()
    ]
    return pl.DataFrame({"_object": found["_object"], "line": pl.Series(texts, dtype=pl.String)})


def _merged(line: str | bytes, truth: str) -> str:
    record = orjson.loads(line)
    if INFERENCE_ID in record and "captureData" not in record:
        return _merged_row(record, truth)
    first = {"eventVersion": record.pop("eventVersion", "0"), "groundTruthData": orjson.loads(truth)}
    record.pop("groundTruthData", None)
    return orjson.dumps({**first, **record}).decode()


def _merged_row(row: dict[str, object], truth: str) -> str:
    """A batch transform's row as the contract has it merged (2.3): its id is the record's."""
    return orjson.dumps(
        {
            "eventMetadata": {"eventId": row[INFERENCE_ID]},
            "eventVersion": "0",
            "groundTruthData": orjson.loads(truth),
            "captureData": {"batchTransformOutput": {"data": row_alone(row), "encoding": "JSON"}},
        }
    ).decode()
