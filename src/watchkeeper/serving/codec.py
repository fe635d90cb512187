"""Request bodies to columns and predictions to answer bodies, in the content types the endpoint speaks."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import orjson

from watchkeeper.core.values import NUMERIC, Schema
from watchkeeper.model.parsing import json_number, number
from watchkeeper.readers.payloads import Columns, csv_columns, json_columns, json_document, json_lines
from watchkeeper.serving.refusals import RequestRefused


@dataclass(frozen=True, slots=True)
class Format:
    """A content type that the endpoint speaks."""

    content_type: str


CSV = Format("text/csv")
JSON = Format("application/json")
JSON_LINES = Format("application/jsonlines")
FORMATS: Mapping[str, Format] = {form.content_type: form for form in (CSV, JSON, JSON_LINES)}
_WANTED = ", ".join(FORMATS)


@dataclass(frozen=True, slots=True)
class Wire:
    """Names of the columns in a body's rows, of those that are numbers, and of the answer's: read once."""

    names: tuple[str, ...]
    numbers: tuple[str, ...]
    prediction: str

    @classmethod
    def of(cls, schema: Schema) -> Wire:
        inputs = schema.inputs
        numbers = tuple(column.name for column in inputs if column.type in NUMERIC)
        return cls(tuple(column.name for column in inputs), numbers, schema.prediction.name)


@lru_cache(maxsize=256)
def request_format(content_type: str | None) -> Format:
    """The format of a body by its header; a charset other than UTF-8 is refused with 415.

    >>> request_format("text/csv; charset=utf-8").content_type
    'text/csv'
    """
    kind, _, parameters = (content_type or "").lower().partition(";")
    form = FORMATS.get(kind.strip())
    if form is None:
        raise RequestRefused(f'want a content type of {_WANTED}, got "{content_type or ""}"', status=415)
    charset = parameters.partition("charset=")[2].strip(' "')
    if charset not in ("", "utf-8", "utf8", "us-ascii"):
        raise RequestRefused(f'want text in utf-8, got charset "{charset}"', status=415)
    return form


@lru_cache(maxsize=256)
def answer_format(accept: str | None, request: Format) -> Format:
    """The first format of the header that the endpoint speaks; the request's own when any will do."""
    if not accept:
        return request
    for item in accept.lower().split(","):
        kind = item.partition(";")[0].strip()
        if kind in FORMATS:
            return FORMATS[kind]
        if kind in ("*/*", f"{request.content_type.partition('/')[0]}/*"):
            return request
    raise RequestRefused(f'want to accept one of {_WANTED}, got "{accept}"', status=406)


def decode_body(body: bytes, form: Format, wire: Wire) -> Columns:
    """The body's rows as one list of texts per input column, None where empty.

    Raises RequestRefused for an empty body, a wrong number of columns, a name that is missing or
    unknown, a header line, and a text in a numeric column that is no number.
    """
    try:
        text = body.decode()
        if not text.strip():
            raise ValueError("want at least one row, got an empty body")
        columns = _columns(text, form, wire.names)
        check_numbers(columns, wire)
    except ValueError as error:
        raise RequestRefused(f"read the {form.content_type} body: {error}") from None
    return columns


def masked_body(columns: Columns, form: Format, wire: Wire, mask: Collection[str]) -> str:
    """The body as it would be with the cells of the masked columns empty, in the same form, by name."""
    shown = {name: [None] * len(cells) if name in mask else cells for name, cells in columns.items()}
    rows = zip(*(shown[name] for name in wire.names), strict=True)
    if form is CSV:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([cell or "" for cell in row] for row in rows)
        return text.getvalue().removesuffix("\n")
    numbers = frozenset(wire.numbers)
    objects = [
        {
            name: json_number(cell) if cell and name in numbers else cell
            for name, cell in zip(wire.names, row, strict=True)
        }
        for row in rows
    ]
    if form is JSON:
        return orjson.dumps({"instances": objects}).decode()
    return "".join(orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE).decode() for each in objects)


def encode_predictions(values: Sequence[float], form: Format, wire: Wire) -> str:
    """The answer's body, one prediction per row in the request's order; the values are finite."""
    if form is CSV:
        return "\n".join(map(repr, values))
    if form is JSON:
        return orjson.dumps({"predictions": values}).decode()
    return "".join(
        orjson.dumps({wire.prediction: value}, option=orjson.OPT_APPEND_NEWLINE).decode() for value in values
    )


def _columns(text: str, form: Format, names: Sequence[str]) -> Columns:
    if form is CSV:
        columns = csv_columns(text, names)
        if all(columns[name][0] == name for name in names):
            raise ValueError("want rows only, got a header line")
        return columns
    return json_columns(json_document(text, "instances") if form is JSON else json_lines(text), names)


def check_numbers(columns: Columns, wire: Wire) -> None:
    """Raises ValueError, with row and column, for a text in a numeric column that is no number."""
    for name in wire.numbers:
        for row, text in enumerate(columns[name], start=1):
            if text is not None:
                try:
                    number(text)
                except ValueError as error:
                    raise ValueError(f'row {row}, column "{name}": {error}') from None
