"""A capture record's rows, whatever its payloads look like: the way that every faster one agrees with."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from watchkeeper.core.values import Payload, Schema
from watchkeeper.readers.part_values import Shape
from watchkeeper.readers.payloads import (
    Columns,
    answer_value,
    csv_columns,
    csv_rows,
    json_columns,
    json_document,
    json_lines,
    predictions,
    row_values,
    scalar_text,
)
from watchkeeper.readers.records import NOT_STATED, Sides, merged_labels

_BATCH_OUTPUT = "SageMakerOutput"


@dataclass(frozen=True, slots=True)
class Rows:
    """A record's rows by column. `further` are columns that were not wanted, `missing` are wanted ones."""

    columns: Columns
    count: int
    further: Columns = field(default_factory=dict)
    missing: tuple[str, ...] = ()


def shape_of_schema(schema: Schema, exact: bool = False) -> Shape:
    """The columns of a schema, in its order; a label is there in merged files alone."""
    outputs = tuple(column.name for column in schema.columns if column.role == "prediction")
    labels = () if exact else tuple(c.name for c in schema.columns if c.role == "label")
    inputs = tuple(column.name for column in schema.inputs)
    order = tuple(column.name for column in schema.columns if column.role != "label")
    return Shape(outputs, inputs, labels, order, schema.version, exact)


def shape_of_record(sides: Sides) -> Shape:
    """The columns of a record without a schema: outputs first (contract 3.2), by name where there are names.

    Raises ValueError for a record whose payloads cannot be read.
    """
    if sides.both is not None:
        outputs, inputs = _batch_names(sides.both)
    else:
        outputs = _side_names(sides.output, "predictions", 0)
        inputs = _side_names(sides.input, "instances", len(outputs))
    if twice := [name for name in inputs if name in outputs]:
        raise ValueError(f'want a column on one side only, got "{twice[0]}" on both')
    labels = ("label",) if sides.truth is not None and "label" not in (*outputs, *inputs) else ()
    return Shape(outputs, inputs, labels, (*outputs, *inputs))


def rows_of(sides: Sides, shape: Shape) -> Rows:
    """The rows of a record. Raises ValueError with the reason when it does not fit the shape."""
    if shape.version is not None and sides.schema_version not in (shape.version, NOT_STATED):
        raise ValueError(f"want schema version {shape.version}, got version {sides.schema_version}")
    if sides.both is not None:
        rows = _of_side("batchTransformOutput", _batch, sides.both, shape)
    else:
        rows = _of_endpoint(sides, shape)
    if not shape.labels or sides.truth is None:
        return rows
    labels = [str(label) for label in merged_labels(sides.truth)]
    if len(labels) != rows.count:
        raise ValueError(f"want a label for each of the {rows.count} rows, got {len(labels)} labels")
    filled: Columns = {name: list(labels) for name in shape.labels}
    return Rows({**rows.columns, **filled}, rows.count, rows.further, rows.missing)


def _of_endpoint(sides: Sides, shape: Shape) -> Rows:
    asked = _of_side("input", _inputs, sides.input, shape) if sides.input else None
    answered = _of_side("output", _outputs, sides.output, shape) if sides.output else None
    if asked and answered and asked.count != answered.count:
        raise ValueError(f"want an answer for each of the {asked.count} rows, got {answered.count} answers")
    present = asked or answered
    if present is None or (shape.exact and not (asked and answered)):
        raise ValueError(f"endpoint{'Output' if asked else 'Input'}: want an object, got nothing")
    asked = asked or _absent(shape.inputs, present.count)
    answered = answered or _absent(shape.outputs, present.count)
    further = {**asked.further, **answered.further}
    return Rows(
        {**asked.columns, **answered.columns}, present.count, further, (*asked.missing, *answered.missing)
    )


def _of_side(name: str, read: Callable[[Payload, Shape], Rows], payload: Payload, shape: Shape) -> Rows:
    try:
        return read(payload, shape)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _absent(names: Sequence[str], count: int) -> Rows:
    return Rows({name: [None] * count for name in names}, count, missing=tuple(names))


def _inputs(payload: Payload, shape: Shape) -> Rows:
    encoding, text = _opened(payload)
    if encoding == "CSV":
        return _whole(csv_columns(text, shape.inputs) if shape.inputs else {}, text)
    items = _json_items(payload, text, "instances")
    if shape.exact:
        columns = json_columns(items, shape.inputs)
        return Rows(columns, len(items))
    return _by_name(items, shape.inputs)


def _outputs(payload: Payload, shape: Shape) -> Rows:
    encoding, text = _opened(payload)
    if encoding == "CSV":
        return _whole(csv_columns(text, shape.outputs) if shape.outputs else {}, text)
    items = _json_items(payload, text, "predictions")
    if len(shape.outputs) == 1:
        name = shape.outputs[0]
        return Rows({name: predictions(items, name)}, len(items))
    rows = _by_name(items, shape.outputs)
    return Rows(rows.columns, rows.count, {}, rows.missing)  # a model may say more than is watched


def _whole(columns: Columns, text: str) -> Rows:
    return Rows(columns, len(next(iter(columns.values()))) if columns else len(csv_rows(text)))


def _by_name(items: Sequence[object], names: Sequence[str]) -> Rows:
    """Objects by name, whatever members they have; lists and single values by position."""
    if not items:
        raise ValueError("want at least one row, got none")
    columns: Columns = {name: [] for name in names}
    further: Columns = {}
    missing: dict[str, None] = {}
    for number, item in enumerate(items, start=1):
        named = _named(item, names, number)
        for name in names:
            columns[name].append(scalar_text(named.get(name), f'row {number}, column "{name}"'))
            if name not in named:
                missing[name] = None
        for name in named.keys() - columns.keys():
            cells = further.setdefault(name, [None] * len(items))
            cells[number - 1] = scalar_text(named[name], f'row {number}, column "{name}"')
    return Rows(columns, len(items), {name: further[name] for name in sorted(further)}, tuple(missing))


def _named(item: object, names: Sequence[str], number: int) -> dict[str, object]:
    if isinstance(item, dict) and (item.keys() != {"features"} or "features" in names):
        return item
    return dict(zip(names, row_values(item, names, number), strict=True))


def _batch(payload: Payload, shape: Shape) -> Rows:
    encoding, text = _opened(payload)
    if encoding == "CSV":
        return _whole(csv_columns(text, (*shape.inputs, *shape.outputs)), text)
    items = _batch_items(text)
    if not items or not all(isinstance(item, dict) and _BATCH_OUTPUT in item for item in items):
        return _by_name(items, (*shape.inputs, *shape.outputs))
    asked = _by_name([_without_output(item) for item in items], shape.inputs)
    answers = [item[_BATCH_OUTPUT] for item in items if isinstance(item, dict)]
    columns = dict(asked.columns)
    for name in shape.outputs:
        found = (answer_value(answer, name, number) for number, answer in enumerate(answers, start=1))
        columns[name] = [scalar_text(value, f"answer {n}") for n, value in enumerate(found, start=1)]
    return Rows(columns, asked.count, asked.further, asked.missing)


def _batch_items(text: str) -> list[object]:
    lines = json_lines(text)
    return lines[0] if len(lines) == 1 and isinstance(lines[0], list) else lines


def _without_output(item: object) -> object:
    rest = (
        {name: value for name, value in item.items() if name != _BATCH_OUTPUT}
        if isinstance(item, dict)
        else {}
    )
    return rest


def _batch_names(payload: Payload) -> tuple[tuple[str, ...], tuple[str, ...]]:
    encoding, text = _opened(payload)
    if encoding == "CSV":
        width = len(csv_rows(text)[0])
        return (f"_c{width - 1}",), tuple(f"_c{place}" for place in range(width - 1))
    first = next(iter(_batch_items(text)), None)
    if not isinstance(first, dict):
        raise ValueError("want a JSON object on each line")
    outputs = _item_names(first[_BATCH_OUTPUT], 0) if _BATCH_OUTPUT in first else ()
    return outputs, _item_names(_without_output(first), len(outputs))


def _side_names(payload: Payload | None, member: str, after: int) -> tuple[str, ...]:
    if payload is None:
        return ()
    encoding, text = _opened(payload)
    if encoding == "CSV":
        return _item_names(csv_rows(text)[0], after)
    items = _json_items(payload, text, member)
    if not items:
        raise ValueError("want at least one row, got none")
    return _item_names(items[0], after)


def _item_names(item: object, after: int) -> tuple[str, ...]:
    if isinstance(item, dict) and item.keys() == {"features"}:
        item = item["features"]
    if isinstance(item, dict):
        return tuple(item)
    return tuple(f"_c{after + place}" for place in range(len(item) if isinstance(item, list) else 1))


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
