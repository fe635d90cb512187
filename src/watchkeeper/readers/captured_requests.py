"""Which requests were captured, and how many rows each has: all that labels need to know of captures."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable

import polars as pl

from watchkeeper.core.values import CaptureRecord, Payload
from watchkeeper.readers.lines import Lines, batches
from watchkeeper.readers.payloads import csv_rows, json_document, json_lines
from watchkeeper.readers.records import BadLine, read_capture_lines

_FORM: dict[str, pl.DataType] = {"_join_id": pl.String(), "_rows": pl.Int64()}
_TEXT = r'"(?:[^"\\]|\\.)*"'
_ID = r'[^"\\\x00-\x1f]+'
# A line in the form we write, its answer one column of CSV without quotes or a list of predictions.
_PLAIN = (
    rf'^\{{"captureData":\{{"endpointInput":\{{"observedContentType":(?:null|{_TEXT}),"mode":"INPUT",'
    rf'"data":{_TEXT},"encoding":"(?:CSV|JSON|BASE64)"\}},'
    rf'"endpointOutput":\{{"observedContentType":(?:null|{_TEXT}),"mode":"OUTPUT","data":"(?:'
    r'(?P<csv>[^"\\,]+(?:\\n[^"\\,]+)*)(?:\\n)?","encoding":"CSV"|'
    r'\{\\"predictions\\":\[(?P<json>[^"\\\[\]{}]+)\]\}","encoding":"JSON")\}\},'
    rf'"eventMetadata":\{{"eventId":"(?P<event>{_ID})"(?:,"inferenceId":"(?P<inference>{_ID})")?'
    rf'(?:,"customAttributes":\[(?:{_TEXT},?)*\])?,"inferenceTime":{_TEXT},'
    r'"modelVersion":"[0-9]+","schemaVersion":"[0-9]+"\},"eventVersion":"0"\}$'
)


def read_captured_requests(objects: Iterable[tuple[str, bytes]], of: pl.Series | None = None) -> pl.DataFrame:
    """One row for each captured request: `_join_id`, and `_rows`, null where its answer cannot be counted.

    `objects` are capture files as keys with their bytes. With `of`, only requests of those ids, and no
    further object is read once each of them was found. Lines that are no capture record are left out.
    """
    frames, missing = [pl.DataFrame(schema=_FORM)], None if of is None else of.unique()
    for lines in batches(objects):
        found = _requests(lines.mentioning(of))
        if missing is not None:
            found = found.filter(pl.col("_join_id").is_in(of.implode())) if of is not None else found
            missing = missing.filter(~missing.is_in(found["_join_id"].implode()))
        frames.append(found)
        if missing is not None and missing.is_empty():
            break
    return pl.concat(frames)


def _requests(lines: Lines) -> pl.DataFrame:
    parts = lines.frame.with_columns(pl.col("line").str.extract_groups(_PLAIN).alias("_found")).unnest(
        "_found"
    )
    plain = pl.col("event").is_not_null()
    fast = parts.filter(plain).select(
        pl.coalesce("inference", "event").alias("_join_id"),
        pl.coalesce(
            pl.col("csv").str.count_matches(r"\\n") + 1,
            pl.col("json").str.count_matches(",", literal=True) + 1,
        )
        .cast(pl.Int64)
        .alias("_rows"),
    )
    rest = (
        (lines.keys[place], line.encode())
        for place, line in parts.filter(~plain)["_object", "line"].iter_rows()
    )
    whole = ((lines.keys[place], data) for place, data in lines.unreadable)
    slow = [
        (item.join_id, _rows(item))
        for key, data in (*rest, *whole)
        for _, item in read_capture_lines(key, data)
        if not isinstance(item, BadLine)
    ]
    return pl.concat([fast, pl.DataFrame(slow, schema=_FORM, orient="row")])


def _rows(record: CaptureRecord) -> int | None:
    try:
        return len(_answers(record.output)) if record.output else None
    except ValueError:
        return None


def _answers(payload: Payload) -> list[object]:
    text, encoding = payload.data, payload.encoding
    if encoding == "BASE64":
        try:
            text = base64.b64decode(text, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise ValueError(f"base64 cannot be read: {error}") from None
        encoding = "JSON" if "json" in (payload.content_type or "") else "CSV"
    if encoding == "CSV":
        return list(csv_rows(text))
    if "jsonlines" in (payload.content_type or ""):
        return json_lines(text)
    return json_document(text, "predictions")
