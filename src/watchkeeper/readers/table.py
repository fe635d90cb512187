"""Delimited text with a header, CSV or gzipped CSV → a frame in which every column is text.

Types are read later, where a bad value can be named; here a block number `010` stays what it is.
"""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from watchkeeper.core.errors import InputError, PlatformError
from watchkeeper.readers.gzipped import inflated


@dataclass(frozen=True, slots=True)
class Expected:
    """The columns a table should have. `optional` ones may be absent and are then filled with nulls."""

    columns: tuple[str, ...]
    optional: frozenset[str] = frozenset()


def read_table(path: Path, expected: Expected | None = None) -> pl.DataFrame:
    """Read a file; whether it is gzipped is seen by its first bytes, not by its name.

    Every column is String, empty fields are null. With `expected` the columns come in its order.
    Raises InputError for a file that is not there, is empty, has a header only, is cut off, is
    not UTF-8, has a line of another length than the header (with its number), or has missing or
    further columns.
    """
    try:
        data = path.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise InputError(f"read table {path}: there is no such file") from None
    except OSError as error:
        raise PlatformError(f"read table {path}: {error.strerror or error}", retryable=True) from error
    return parse_table(data, path.as_posix(), expected)


def parse_table(data: bytes, name: str, expected: Expected | None = None) -> pl.DataFrame:
    """Read bytes as `read_table` reads a file; `name` stands in error messages."""
    text = _text(inflated(data, f"read table {name}"), name)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        if not header:
            raise InputError(f"read table {name}: want a header line and rows, got an empty file")
        _check_header(header, name, expected)
        rows = _rows(((reader.line_num, row) for row in reader), len(header), name)
    except csv.Error as error:
        raise InputError(f"read table {name}, line {reader.line_num}: {error}") from None
    if not rows:
        raise InputError(f"read table {name}: want rows, got the header line only")
    frame = pl.DataFrame(
        dict(zip(header, zip(*rows, strict=True), strict=True)), schema=dict.fromkeys(header, pl.String)
    )
    return _in_order(frame.with_columns(pl.all().replace("", None)), expected)


def _text(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"read table {name}, line {line}: want UTF-8, got byte 0x{data[error.start]:02x}"
        ) from None


def _rows(lines: Iterable[tuple[int, list[str]]], width: int, name: str) -> list[list[str]]:
    rows = []
    for number, row in lines:
        if len(row) == width:
            rows.append(row)
        elif row:  # a blank line holds no row
            raise InputError(f"read table {name}, line {number}: want {width} fields, got {len(row)}")
    return rows


def _check_header(header: Sequence[str], name: str, expected: Expected | None) -> None:
    twice = sorted({column for column in header if header.count(column) > 1})
    if twice:
        raise InputError(f"read table {name}: want each column once, got {', '.join(twice)} twice")
    if expected is None:
        return
    missing = [c for c in expected.columns if c not in header and c not in expected.optional]
    extra = [column for column in header if column not in expected.columns]
    faults = [f"column {column} is missing{_near(column, extra)}" for column in missing]
    faults += [f"column {column} is not expected" for column in extra]
    if faults:
        raise InputError(f"read table {name}: {'; '.join(faults)}; want {', '.join(expected.columns)}")


def _near(column: str, candidates: Sequence[str]) -> str:
    found = difflib.get_close_matches(column, candidates, n=1)
    return f" (is it {found[0]}?)" if found else ""


def _in_order(frame: pl.DataFrame, expected: Expected | None) -> pl.DataFrame:
    if expected is None:
        return frame
    absent = [column for column in expected.columns if column not in frame.columns]
    return frame.with_columns(pl.lit(None, pl.String).alias(column) for column in absent).select(
        expected.columns
    )
