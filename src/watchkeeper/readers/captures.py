"""Capture files as one table: one row for each row of a request, columns as text, in reading order."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from watchkeeper.core.values import CaptureRecord, Payload, Schema
from watchkeeper.core.windows import Window
from watchkeeper.readers.payloads import (
    Columns,
    csv_columns,
    json_columns,
    json_document,
    json_lines,
    predictions,
)
from watchkeeper.readers.records import NOT_STATED, BadLine, bad_line, read_capture_lines

_BATCH = 20_000  # records whose payloads are joined into one text, which bounds the memory that takes
_UTC_TIME = pl.Datetime("us", "UTC")
_META: dict[str, pl.DataType] = {
    "_join_id": pl.String(),
    "_event_id": pl.String(),
    "_time": _UTC_TIME,
    "_model_version": pl.Int64(),
}


@dataclass(frozen=True, slots=True)
class Captured:
    """What a window's capture files hold.

    `frame` has the schema's inputs and its prediction as text (null where empty), then `_join_id`,
    `_event_id`, `_time`, `_model_version` (null where the line names none) and `_row`, the row's
    place within its request from 0. `requests` counts the records the frame is made of, `outside`
    those of another time; `bad` are the lines that could not be used.
    """

    frame: pl.DataFrame
    requests: int
    bad: tuple[BadLine, ...]
    outside: int


@dataclass(frozen=True, slots=True)
class _Line:
    key: str
    number: int
    record: CaptureRecord

    def bad(self, reason: str) -> BadLine:
        return bad_line(self.key, self.number, reason, self.record.input.data)


@dataclass(frozen=True, slots=True)
class _Table:
    """Rows of some lines: `rows[i]` of them belong to `lines[i]`, the batch's line number `places[i]`."""

    lines: Sequence[_Line]
    places: Sequence[int]
    rows: Sequence[int]
    values: pl.DataFrame


def read_captures(objects: Iterable[tuple[str, bytes]], schema: Schema, window: Window) -> Captured:
    """Read capture files, given as keys with their bytes, and keep the records inside the window.

    A line is bad, and costs no other line anything, when it is no capture record, when input or
    answer do not fit the schema, when they differ in rows, or when it names another schema version.
    """
    lines, bad, outside = [], [], 0
    for key, data in objects:
        for number, item in read_capture_lines(key, data):
            if isinstance(item, BadLine):
                bad.append(item)
            elif item.time not in window:
                outside += 1
            else:
                lines.append(_Line(key, number, item))
    frames, requests = [_frame(_Table((), (), (), _typed({}, schema)))], 0
    for start in range(0, len(lines), _BATCH):
        tables, unfit = _read_batch(lines[start : start + _BATCH], schema)
        frames.append(pl.concat([_frame(table) for table in tables]).sort("_place", maintain_order=True))
        requests += sum(len(table.lines) for table in tables)
        bad.extend(unfit)
    return Captured(pl.concat(frames).drop("_place"), requests, tuple(bad), outside)


def _read_batch(lines: Sequence[_Line], schema: Schema) -> tuple[list[_Table], list[BadLine]]:
    width = len(schema.inputs)
    rows = [_plain_rows(line.record, width) if _of_schema(line.record, schema) else 0 for line in lines]
    places = [place for place, count in enumerate(rows) if count]
    together = _read_together(lines, places, rows, schema)
    if together is None:
        return _read_singly(lines, range(len(lines)), schema)
    tables, bad = _read_singly(lines, [place for place, count in enumerate(rows) if not count], schema)
    return [together, *tables], bad


def _read_together(
    lines: Sequence[_Line], places: Sequence[int], rows: Sequence[int], schema: Schema
) -> _Table | None:
    """The lines at `places`, their rows counted already, by one CSV reader; None when it counts otherwise."""
    chosen, counts = [lines[place] for place in places], [rows[place] for place in places]
    inputs = _read_csv([line.record.input for line in chosen], [column.name for column in schema.inputs])
    answers = _read_csv([line.record.output for line in chosen], [schema.prediction.name])
    if inputs is None or answers is None or not inputs.height == answers.height == sum(counts):
        return None
    return _Table(chosen, places, counts, inputs.hstack(answers))


def _read_csv(payloads: Sequence[Payload], names: Sequence[str]) -> pl.DataFrame | None:
    text = "\n".join(payload.data.removesuffix("\n") for payload in payloads)
    columns = dict.fromkeys(names, pl.String())
    if not text:
        return pl.DataFrame(schema=columns)
    try:
        return pl.read_csv(text.encode(), has_header=False, schema=columns, quote_char=None)
    except pl.exceptions.PolarsError:  # some record is not what counting its commas made of it
        return None


def _plain_rows(record: CaptureRecord, width: int) -> int:
    """Rows of a record that can be read together with others, 0 for one that needs a closer look."""
    rows = _counted(record.input, width)
    return rows if rows == _counted(record.output, 1) else 0


def _counted(payload: Payload, width: int) -> int:
    """Rows of a CSV without quotes, blank lines and doubtful ends, that has as many commas as they want."""
    data = payload.data.removesuffix("\n")
    if payload.encoding != "CSV" or not data or data[0] in "\n\ufeff" or data[-1] == "\n":
        return 0
    if '"' in data or "\r" in data or "\n\n" in data:
        return 0
    rows = data.count("\n") + 1
    return rows if data.count(",") == rows * (width - 1) else 0


def _read_singly(
    lines: Sequence[_Line], places: Iterable[int], schema: Schema
) -> tuple[list[_Table], list[BadLine]]:
    good, kept, rows, bad = [], [], [], []
    held: Columns = {column.name: [] for column in (*schema.inputs, schema.prediction)}
    for place in places:
        try:
            columns = _record_columns(lines[place].record, schema)
        except ValueError as error:
            bad.append(lines[place].bad(str(error)))
            continue
        for name, values in columns.items():
            held[name].extend(values)
        good.append(lines[place])
        kept.append(place)
        rows.append(len(columns[schema.prediction.name]))
    return [_Table(good, kept, rows, _typed(held, schema))], bad


def _record_columns(record: CaptureRecord, schema: Schema) -> Columns:
    if not _of_schema(record, schema):
        raise ValueError(f"want schema version {schema.version}, got version {record.schema_version}")
    try:
        columns = _input_columns(record.input, [column.name for column in schema.inputs])
    except ValueError as error:
        raise ValueError(f"input: {error}") from None
    try:
        answers = _answers(record.output, schema.prediction.name)
    except ValueError as error:
        raise ValueError(f"output: {error}") from None
    rows = len(next(iter(columns.values())))
    if rows != len(answers):
        raise ValueError(f"want an answer for each of the {rows} rows, got {len(answers)} answers")
    return {**columns, schema.prediction.name: answers}


def _input_columns(payload: Payload, names: Sequence[str]) -> Columns:
    encoding, text = _opened(payload)
    if encoding == "CSV":
        return csv_columns(text, names)
    return json_columns(_json_items(payload, text, "instances"), names)


def _answers(payload: Payload, name: str) -> list[str | None]:
    encoding, text = _opened(payload)
    if encoding == "CSV":
        return csv_columns(text, [name])[name]
    return predictions(_json_items(payload, text, "predictions"), name)


def _json_items(payload: Payload, text: str, member: str) -> list[object]:
    """JSON Lines share the encoding; the header tells them or, without one, a text that is no document."""
    if "jsonlines" in (payload.content_type or ""):
        return json_lines(text)
    try:
        return json_document(text, member)
    except ValueError:
        lines = json_lines(text) if payload.content_type is None else []
        if not lines:
            raise
        return lines


def _opened(payload: Payload) -> tuple[str, str]:
    """The payload's encoding and text, BASE64 taken off and judged by its header."""
    if payload.encoding != "BASE64":
        return payload.encoding, payload.data
    kind = (payload.content_type or "").partition(";")[0].strip().lower()
    encoding = "CSV" if kind == "text/csv" else "JSON" if "json" in kind else None
    if encoding is None:
        raise ValueError(f'want base64 of CSV or JSON by its content type, got "{kind}"')
    try:
        return encoding, base64.b64decode(payload.data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError(f"base64 cannot be read: {error}") from None


def _of_schema(record: CaptureRecord, schema: Schema) -> bool:
    return record.schema_version in (schema.version, NOT_STATED)


def _typed(columns: Columns, schema: Schema) -> pl.DataFrame:
    names = [column.name for column in (*schema.inputs, schema.prediction)]
    return pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String()))


def _frame(table: _Table) -> pl.DataFrame:
    """The values with what is known of their requests beside them."""
    records = [line.record for line in table.lines]
    meta = pl.DataFrame(
        {
            "_join_id": [record.join_id for record in records],
            "_event_id": [record.event_id for record in records],
            "_time": [record.time for record in records],
            "_model_version": [record.model_version or None for record in records],
        },
        schema=_META,
    )
    rows = np.asarray(table.rows, dtype=np.int64)
    owner = np.repeat(np.arange(len(records)), rows)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(rows) - rows, rows)
    places = np.asarray(table.places, dtype=np.int64)[owner]
    return table.values.hstack(meta[owner]).with_columns(
        pl.Series("_row", within, dtype=pl.Int64), pl.Series("_place", places, dtype=pl.Int64)
    )
