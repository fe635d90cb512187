"""Labels as people keep them: CSV (also gzipped), Parquet, JSON Lines, checked as a whole.

A table has one line for each row of a request: an id, the label, and perhaps the row's number.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import orjson
import polars as pl

from watchkeeper.core.errors import InputError
from watchkeeper.core.values import GroundTruth
from watchkeeper.readers.gzipped import inflated
from watchkeeper.readers.label_records import read_label_records
from watchkeeper.readers.payloads import nearest

_GZIP, _PARQUET = b"\x1f\x8b", b"PAR1"
_NUMBER = r"^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*$"
_FORM: dict[str, pl.DataType] = {
    "line": pl.Int64(),
    "id": pl.String(),
    "row": pl.String(),
    "label": pl.String(),
}


@dataclass(frozen=True, slots=True)
class LabelColumns:
    """Which columns hold the id, the label and the row's number; without `row` the order of lines counts."""

    id: str | None = None
    label: str | None = None
    row: str | None = None


@dataclass(frozen=True, slots=True)
class LabelTable:
    """Labels that are fit to be stored: `frame` has `id`, `row` (from 0, no gaps) and `label`, a number.

    Requests come in the order of the lines that count, their rows in order. `lines` counts the labels
    as they came; `conflicts` has, by `id`, labels of the table itself that gave way to a later one of
    the same row: `before` and `after`, as lists.
    """

    frame: pl.DataFrame
    lines: int
    conflicts: pl.DataFrame


def read_label_table(data: bytes, name: str, columns: LabelColumns) -> LabelTable:
    """Read a file's bytes; what it is, is seen by how it begins. `name` stands in error messages.

    Of several labels for one row the last counts. JSON Lines in the form of ground truth need no
    columns; of several records for one id the last counts. Raises InputError, with the line (of
    Parquet the row), for columns that are missing, no rows, an empty id, a label that is empty or
    no finite number, a row number that is none, and for a request whose row numbers have a gap.
    """
    data = inflated(data, f"read labels {name}")
    if data.startswith(_PARQUET):
        return _checked(_parquet(data, name, columns), columns, name, "row")
    if data.lstrip().startswith(b"{"):
        return _json_table(data, name, columns)
    return _checked(_csv(data, name, columns), columns, name, "line")


def truths_table(truths: Sequence[GroundTruth]) -> LabelTable:
    """Labels that were read and checked already, each a finite number; the last of an id counts."""
    rows = [
        (truth.inference_id, record, row, float(label))
        for record, truth in enumerate(truths)
        for row, label in enumerate(truth.labels)
    ]
    form = {"id": pl.String(), "_record": pl.Int64(), "row": pl.Int64(), "label": pl.Float64()}
    return _whole_records(pl.DataFrame(rows, schema=form, orient="row"))


def _csv(data: bytes, name: str, columns: LabelColumns) -> pl.DataFrame:
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", newline="")
    reader = csv.reader(text, strict=True)
    try:
        header = next(reader, [])
        if not header:
            raise InputError(f"read labels {name}: want a header line and labels, got an empty file")
        _check_columns(header, name, columns)
        places = [header.index(column) for column in _asked(columns)]
        return _frame(_fields(reader, len(header), places, name), columns)
    except csv.Error as error:
        raise InputError(f"read labels {name}, line {reader.line_num}: {error}") from None
    except UnicodeDecodeError:
        line = _undecodable(data)
        raise InputError(f"read labels {name}, line {line}: want UTF-8, got other bytes") from None


def _fields(
    reader: Iterator[list[str]], width: int, places: list[int], name: str
) -> Iterator[tuple[int, list[str]]]:
    """Line number and the asked fields of each row; a blank line is none."""
    for fields in reader:
        number: int = reader.line_num  # type: ignore[attr-defined]
        if len(fields) == width:
            yield number, [fields[place] for place in places]
        elif fields:
            raise InputError(f"read labels {name}, line {number}: want {width} fields, got {len(fields)}")


def _undecodable(data: bytes) -> int:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return data.count(b"\n", 0, error.start) + 1
    return 1


def _parquet(data: bytes, name: str, columns: LabelColumns) -> pl.DataFrame:
    try:
        schema = pl.read_parquet_schema(io.BytesIO(data))
        _check_columns(list(schema), name, columns)
        frame = pl.read_parquet(io.BytesIO(data), columns=list(dict.fromkeys(_asked(columns))))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError(f"read labels {name}: the Parquet file cannot be read: {error}") from None
    asked = _asked(columns)
    for column in asked:
        kind = frame.schema[column]
        if not (kind.is_numeric() or kind == pl.String or kind == pl.Null or kind == pl.Categorical):
            raise InputError(f'read labels {name}, column "{column}": want text or numbers, got {kind}')
    row = pl.col(columns.row) if columns.row else pl.lit(None)
    return frame.select(
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("line"),
        pl.col(asked[0]).cast(pl.String).alias("id"),
        row.cast(pl.String).alias("row"),
        pl.col(asked[1]).cast(pl.String).alias("label"),
    )


def _json_table(data: bytes, name: str, columns: LabelColumns) -> LabelTable:
    """Plain objects or ground-truth records, as the first line says."""
    first = data.lstrip().split(b"\n", 1)[0]
    if b'"groundTruthData"' not in first:
        return _checked(_frame(_objects(data, name, columns), columns), columns, name, "line")
    if columns != LabelColumns():
        raise InputError(
            f"read labels {name}: ground-truth records have no columns; leave out --id, --label and --row"
        )
    records = read_label_records([(name, data)])
    if records.bad:
        bad = min(records.bad, key=lambda line: line.line_number)
        raise InputError(
            f"read labels {name}, line {bad.line_number}: {bad.reason}{_others(len(records.bad), 'line')}"
        )
    number = pl.col("label").cast(pl.Float64, strict=False)
    wrong = records.frame.filter(~number.is_finite().fill_null(False))
    _refuse(wrong.rename({"_line": "line"}), name, "line", "want a number as label", pl.col("label"))
    if records.frame.is_empty():
        raise InputError(f"read labels {name}: want labels, got no line with one")
    each = records.frame.select(
        pl.col("_join_id").alias("id"), "_record", pl.col("_row").alias("row"), number.alias("label")
    )
    return _whole_records(each)


def _whole_records(each: pl.DataFrame) -> LabelTable:
    """Records with `id`, `_record`, `row` and `label`: the last of an id counts, with all its rows."""
    last = each.filter(pl.col("_record") == pl.col("_record").last().over("id"))
    rows = _in_order(last.drop("_record"))
    held = each.group_by("id", "_record", maintain_order=True).agg("label")
    after = rows.group_by("id").agg(pl.col("label").alias("after"))
    pairs = held.join(after, on="id", maintain_order="left")
    changed = pairs.filter(pl.col("label") != pl.col("after")).unique("id", maintain_order=True)
    return LabelTable(rows, each.height, changed.select("id", pl.col("label").alias("before"), "after"))


def _objects(data: bytes, name: str, columns: LabelColumns) -> Iterator[tuple[int, list[str]]]:
    asked: list[str] = []
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            item = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise InputError(f"read labels {name}, line {number}: want JSON: {error}") from None
        if not isinstance(item, dict):
            raise InputError(f"read labels {name}, line {number}: want a JSON object")
        if not asked or any(column not in item for column in asked):
            _check_columns(list(item), f"{name}, line {number}", columns)
            asked = _asked(columns)
        yield number, [_text(item[column], column, f"{name}, line {number}") for column in asked]


def _text(value: object, column: str, where: str) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(value)
    raise InputError(f'read labels {where}: want a text or a number in "{column}"')


def _asked(columns: LabelColumns) -> list[str]:
    return [column for column in (columns.id, columns.label, columns.row) if column is not None]


def _check_columns(header: list[str], name: str, columns: LabelColumns) -> None:
    """Raises InputError for columns that are not named, are not there, or are there twice."""
    if columns.id is None or columns.label is None:
        raise InputError(
            f"read labels {name}: want --id and --label to name two of the columns {', '.join(header)}"
        )
    for column in _asked(columns):
        if header.count(column) != 1:
            got = "twice" if column in header else f"not among {', '.join(header)}{nearest(column, header)}"
            raise InputError(f'read labels {name}: want a column "{column}" once, got it {got}')


def _frame(lines: Iterable[tuple[int, list[str]]], columns: LabelColumns) -> pl.DataFrame:
    numbers: list[int] = []
    fields: list[list[str]] = [[] for _ in _asked(columns)]
    for number, values in lines:
        numbers.append(number)
        for held, value in zip(fields, values, strict=True):
            held.append(value)
    rows = fields[2] if columns.row is not None else [None] * len(numbers)
    return pl.DataFrame({"line": numbers, "id": fields[0], "row": rows, "label": fields[1]}, schema=_FORM)


def _checked(frame: pl.DataFrame, columns: LabelColumns, name: str, unit: str) -> LabelTable:
    """Lines with `id`, `row` and `label` as texts, as a table."""
    if frame.is_empty():
        raise InputError(f"read labels {name}: want labels, got no line with one")
    label, row = pl.col("label").str.strip_chars(), pl.col("row").str.strip_chars()
    number = pl.when(label.str.contains(_NUMBER)).then(label.cast(pl.Float64, strict=False))
    place = pl.when(row.str.contains(r"^[0-9]{1,9}$")).then(row.cast(pl.Int64, strict=False))
    blank = pl.col("id").fill_null("").str.strip_chars() == ""
    _refuse(frame.filter(blank), name, unit, "want an id", pl.col("id"))
    _refuse(
        frame.filter(~number.is_finite().fill_null(False)),
        name, unit, "want a finite number as label", pl.col("label"),
    )  # fmt: skip
    order = pl.int_range(pl.len(), dtype=pl.Int64).over("id")
    if columns.row is not None:
        _refuse(frame.filter(place.is_null()), name, unit, "want a row number such as 0", pl.col("row"))
        order = place
    lines = frame.select("line", "id", order.alias("row"), number.alias("label"))
    last = lines.unique(["id", "row"], keep="last", maintain_order=True)
    rows = _in_order(last.drop("line"))
    _refuse_gaps(rows, name)
    return LabelTable(rows, lines.height, _conflicts(lines, rows))


def _conflicts(lines: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Labels of a row that a later line of the same file changed."""
    later = lines.join(rows.rename({"label": "_after"}), on=["id", "row"], maintain_order="left")
    changed = later.filter(pl.col("label") != pl.col("_after")).unique("id", maintain_order=True)
    return changed.select(
        "id", pl.concat_list("label").alias("before"), pl.concat_list("_after").alias("after")
    )


def _in_order(rows: pl.DataFrame) -> pl.DataFrame:
    """Requests in the order in which they come first, their rows in order."""
    first = pl.col("_at").min().over("id")
    return rows.with_row_index("_at").sort(first, "row").select("id", "row", "label")


def _refuse_gaps(rows: pl.DataFrame, name: str) -> None:
    sizes = rows.group_by("id", maintain_order=True).agg(pl.len().alias("_rows"), pl.col("row").max())
    wrong = sizes.filter(pl.col("row") != pl.col("_rows") - 1)
    if wrong.height:
        first = wrong.row(0, named=True)
        raise InputError(
            f"read labels {name}, request {first['id']}: want a label for each row from 0 to {first['row']}, "
            f"got {first['_rows']}{_others(wrong.height, 'request')}"
        )


def _refuse(wrong: pl.DataFrame, name: str, unit: str, wanted: str, shown: pl.Expr) -> None:
    """Raises InputError that names the first of the wrong lines, when there are any."""
    if wrong.is_empty():
        return
    line = wrong["line"][0]
    got = wrong.head(1).select(shown.alias("got"))["got"][0]
    text = f'"{got[:40]}"' if got else "an empty one"
    raise InputError(f"read labels {name}, {unit} {line}: {wanted}, got {text}{_others(wrong.height, unit)}")


def _others(count: int, noun: str) -> str:
    return "" if count < 2 else f" (and {count - 1:,} more {noun}{'' if count == 2 else 's'} like it)"
