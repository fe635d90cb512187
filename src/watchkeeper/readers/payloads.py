"""Bodies of requests and answers as text columns: CSV by position, JSON by name.

The endpoint reads a body and the monitors read its capture with these same functions, so what was
refused or accepted at the door is what the capture says. All raise ValueError with the row at fault.
"""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Sequence

import orjson

Columns = dict[str, list[str | None]]


def csv_columns(text: str, names: Sequence[str]) -> Columns:
    """CSV rows without a header, as one list per name; an empty field is None.

    >>> csv_columns("A,1\\nB,", ["town", "area"])
    {'town': ['A', 'B'], 'area': ['1', None]}
    """
    rows = csv_rows(text)
    for number, row in enumerate(rows, start=1):
        if len(row) != len(names):
            raise ValueError(f"row {number}: want {len(names)} columns ({', '.join(names)}), got {len(row)}")
    columns = zip(names, zip(*rows, strict=True), strict=True)
    return {name: [field or None for field in fields] for name, fields in columns}


def csv_rows(text: str) -> list[list[str]]:
    """The fields of each row. Raises ValueError for no rows and for quotes that do not close.

    >>> csv_rows('"a, b",1')
    [['a, b', '1']]
    """
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise ValueError(f"CSV cannot be read: {error}") from None
    if not rows:
        raise ValueError("want at least one row, got an empty body")
    return rows


def json_columns(instances: Sequence[object], names: Sequence[str]) -> Columns:
    """Rows that are objects (by name), lists (by position), `{"features": [...]}`, or a single value.

    >>> json_columns([{"town": "A", "area": 1}, ["B", None]], ["town", "area"])
    {'town': ['A', 'B'], 'area': ['1', None]}
    """
    if not instances:
        raise ValueError("want at least one row, got none")
    columns: Columns = {name: [] for name in names}
    for number, instance in enumerate(instances, start=1):
        for name, value in zip(names, row_values(instance, names, number), strict=True):
            columns[name].append(scalar_text(value, f'row {number}, column "{name}"'))
    return columns


def json_document(text: str, member: str) -> list[object]:
    """The list under `member` of a JSON document. Raises ValueError when that is not what the text is.

    >>> json_document('{"instances": [1, 2]}', "instances")
    [1, 2]
    """
    body = _loads(text, "the body")
    if not isinstance(body, dict) or not isinstance(body.get(member), list):
        raise ValueError(f'want a JSON object with a list under "{member}"')
    found: list[object] = body[member]
    return found


def json_lines(text: str) -> list[object]:
    """One JSON value for each line that is not blank.

    >>> json_lines('{"a": 1}\\n\\n[2]')
    [{'a': 1}, [2]]
    """
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    return [_loads(line, f"line {number}") for number, line in lines]


def predictions(answers: Sequence[object], name: str) -> list[str | None]:
    """One answer per row: a value, a list of one, or an object with `name` or with one member only.

    >>> predictions([1.5, [2], {"price": 3}], "price")
    ['1.5', '2', '3']
    """
    numbered = enumerate(answers, start=1)
    return [scalar_text(answer_value(item, name, number), f"answer {number}") for number, item in numbered]


def scalar_text(value: object, where: str) -> str | None:
    """A JSON value as the text a CSV would hold; null and the empty text are None.

    >>> scalar_text(True, "here"), scalar_text(1.5, "here"), scalar_text("", "here")
    ('true', '1.5', None)
    """
    match value:
        case None | "":
            return None
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
    got = "an object" if isinstance(value, dict) else "a list"
    raise ValueError(f"{where}: want a text, a number or null, got {got}")


def nearest(name: str, names: Sequence[str]) -> str:
    """A hint that names the closest of the names there are, or nothing.

    >>> nearest("tonw", ["town", "area"])
    ' (did you mean "town"?)'
    """
    close = difflib.get_close_matches(name, names, n=1)
    return f' (did you mean "{close[0]}"?)' if close else ""


def row_values(instance: object, names: Sequence[str], number: int) -> Sequence[object]:
    """One JSON row's values in the order of the names; `number` stands in errors."""
    if isinstance(instance, dict) and instance.keys() != {"features"}:
        _check_names(list(instance), names, number)
        return [instance[name] for name in names]
    row = instance["features"] if isinstance(instance, dict) and "features" not in names else instance
    row = [row["features"]] if isinstance(row, dict) else row if isinstance(row, list) else [row]
    if len(row) != len(names):
        raise ValueError(f"row {number}: want {len(names)} columns ({', '.join(names)}), got {len(row)}")
    return row


def _check_names(got: Sequence[str], names: Sequence[str], number: int) -> None:
    unknown = [name for name in got if name not in names]
    if unknown:
        raise ValueError(f'row {number}: there is no column "{unknown[0]}"{nearest(unknown[0], names)}')
    missing = [name for name in names if name not in got]
    if missing:
        raise ValueError(f'row {number}: want column "{missing[0]}", which is missing')


def answer_value(item: object, name: str, number: int) -> object:
    """One JSON answer's value; `number` stands in errors."""
    if isinstance(item, dict):
        if name not in item and len(item) != 1:
            raise ValueError(f'answer {number}: want a member "{name}", got {", ".join(item) or "none"}')
        return item[name] if name in item else next(iter(item.values()))
    if isinstance(item, list):
        if len(item) != 1:
            raise ValueError(f"answer {number}: want one value, got {len(item)}")
        return item[0]
    return item


def _loads(text: str, what: str) -> object:
    try:
        found: object = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"{what} is not JSON: {error}") from None
    return found
