"""The work that engine tests give every engine: a dirty table, made where it is read, profiled by parts."""

import math
from functools import reduce

import polars as pl

from watchkeeper.core.errors import InputError
from watchkeeper.core.statistics.distances import Mode
from watchkeeper.core.statistics.profiles import ColumnProfile, RowsProfile, merge_profiles, part_profile
from watchkeeper.core.values import Column, ColumnType, Role

COLUMNS = (
    Column("price", ColumnType.FRACTIONAL, Role.FEATURE),
    Column("year", ColumnType.INTEGRAL, Role.FEATURE),
    Column("town", ColumnType.STRING, Role.FEATURE),
    Column("note", ColumnType.STRING, Role.TEXT),
    Column("month", ColumnType.STRING, Role.TIME),
    Column("typed", ColumnType.FRACTIONAL, Role.FEATURE),
    Column("nothing", ColumnType.UNKNOWN, Role.FEATURE),
)
DIRT = [
    "",
    None,
    "NaN",
    "inf",
    "-1e400",
    "- 5",
    ".5",
    "true",
    "x" * 10_000,
    "a\r\nb",
    '"',
    "٣",
    "\ufeff1",
    "1e-300",
]
PART = 1_500
Result = tuple[tuple[ColumnProfile, ...], RowsProfile]
Item = tuple[int, int]


def items(rows: int) -> list[Item]:
    """Where each part of a table of so many rows begins and ends."""
    return [(start, min(start + PART, rows)) for start in range(0, rows, PART)]


def table(start: int, stop: int) -> pl.DataFrame:
    """Rows of the table; every eleventh cell of the texts is dirt."""
    numbers = range(start, stop)
    texts = {
        "price": [_dirty(row, repr(row * 7919 % 100_003 / 7)) for row in numbers],
        "year": [str(1960 + row * 31 % 63) for row in numbers],
        "town": [_dirty(row, f"TOWN {row % 26}") for row in numbers],
        "note": [f"note {row * 7 % 9_001}" for row in numbers],
        "month": [f"{2017 + row % 6}-{1 + row % 14:02d}" for row in numbers],
        "nothing": [None for _ in numbers],
        "_time": [f"2022-03-{1 + row % 28:02d}T05:00:00Z" for row in numbers],
    }
    typed = [None if row % 5 == 0 else math.nan if row % 7 == 0 else row / 3 for row in numbers]
    frame = pl.DataFrame(texts, schema=dict.fromkeys(texts, pl.String))
    return frame.with_columns(typed=pl.Series(typed, dtype=pl.Float64))


def _dirty(row: int, clean: str) -> str | None:
    return DIRT[row // 11 % len(DIRT)] if row % 11 == 0 else clean


def profiled(item: Item) -> Result:
    """The work: one part, read and profiled."""
    part = table(*item)
    names = [column.name for column in COLUMNS]
    return part_profile(part, COLUMNS, Mode.CORRECT), RowsProfile.of(part, names, "_time")


def folded(results: list[Result]) -> bytes:
    """All parts together, spelled to the last digit and register."""
    columns = reduce(merge_profiles, (columns for columns, _ in results))
    rows = reduce(lambda left, right: left.merge(right), (rows for _, rows in results))
    return repr((columns, rows)).encode()


def failing_at_three(number: int) -> int:
    """Work that fails from the third item on, each time with another message."""
    if number >= 3:
        raise InputError(f"read part {number}: want a row, got none")
    return number
