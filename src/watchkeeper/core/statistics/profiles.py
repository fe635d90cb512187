"""A frame's columns as states: cut into fixed parts, each part read on its own, merged in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Self, TypeVar

import polars as pl

from watchkeeper.core.statistics import (
    CONTRACT,
    STATISTICS,
    Categories,
    Distinct,
    Duplicates,
    Hours,
    Moments,
    Statistic,
    Types,
)
from watchkeeper.core.statistics.cells import Cells
from watchkeeper.core.statistics.distances import Mode
from watchkeeper.core.statistics.distinct import DistinctCount
from watchkeeper.core.values import Column, ColumnType, Role

PART_ROWS = 65_536

S = TypeVar("S", bound=Statistic)


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """The states kept of one column. Its declared type, its role and the mode decide which."""

    name: str
    declared: ColumnType
    states: tuple[Statistic, ...]

    @classmethod
    def of(cls, column: Column, cells: pl.Series, mode: Mode) -> Self:
        """The states of one part's cells; what several of them need is worked out once."""
        shared = Cells(cells, textual=column.type is ColumnType.STRING)
        kinds = kept_for(column.type, mode, column.role)
        return cls(column.name, column.type, tuple(_state(kind, shared, mode) for kind in kinds))

    def merge(self, other: Self) -> Self:
        """Both parts together. Raises ValueError for another column, and for one with other states."""
        if (self.name, self.declared) != (other.name, other.declared):
            raise ValueError(
                f"merge column {self.name} ({self.declared}) with {other.name} ({other.declared})"
            )
        pairs = zip(self.states, other.states, strict=True)
        return type(self)(self.name, self.declared, tuple(left.merge(right) for left, right in pairs))

    def state(self, kind: type[S]) -> S | None:
        """The state of one kind; None when this column has none."""
        for state in self.states:
            if isinstance(state, kind):
                return state
        return None

    def distinct(self) -> DistinctCount | None:
        """How many distinct values: exact while every category is counted, else `Distinct`'s answer."""
        categories, distinct = self.state(Categories), self.state(Distinct)
        if categories is not None and categories.exact:
            return DistinctCount(len(categories.counts), 0.0)
        return distinct.value() if distinct else None


@dataclass(frozen=True, slots=True)
class RowsProfile:
    """What is known of whole rows: how many repeat and, where they carry a time, how many came in an hour."""

    duplicates: Duplicates = field(default_factory=Duplicates)
    hours: Hours | None = None

    @classmethod
    def of(cls, part: pl.DataFrame, columns: Sequence[str], time: str | None = None) -> Self:
        """One part's rows: duplicates over `columns`, hours over the column `time` when it is there."""
        there = [name for name in columns if name in part.columns]
        hours = Hours.of(part[time]) if time in part.columns else None
        return cls(Duplicates.of(part.select(there).to_struct()), hours)

    def merge(self, other: Self) -> Self:
        """Both parts together; a part without times adds nothing to the hours."""
        hours = self.hours or other.hours
        if self.hours and other.hours:
            hours = self.hours.merge(other.hours)
        return type(self)(self.duplicates.merge(other.duplicates), hours)


@dataclass(frozen=True, slots=True)
class Settlement:
    """Columns with the types that all rows together say, and the names of those to be profiled again."""

    columns: tuple[Column, ...]
    again: tuple[str, ...]


def kept_for(type_: ColumnType, mode: Mode, role: Role = Role.FEATURE) -> tuple[type[Statistic], ...]:
    """The statistics that are kept of a column of this type and role.

    Compatible mode keeps those that the contract's files are made of. Of a column of unknown type there
    are only those that any type has.
    """
    kinds = CONTRACT if mode is Mode.COMPATIBLE else STATISTICS
    return tuple(kind for kind in kinds if type_ in kind.KEPT_FOR or role in kind.KEPT_FOR)


def part_frames(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The frame's rows in parts of `PART_ROWS`, the last one shorter; at least one part."""
    for start in range(0, max(frame.height, 1), PART_ROWS):
        yield frame.slice(start, PART_ROWS)


def part_profile(
    frame: pl.DataFrame, columns: Sequence[Column], mode: Mode = Mode.CORRECT
) -> tuple[ColumnProfile, ...]:
    """The profile of each of `columns` in one part, in their order.

    Cells are text (null or empty when missing), numbers or booleans. The types are taken as they are:
    see `assumed` for those that nobody declared. Raises ValueError when the frame lacks one of the columns.
    """
    lacking = [column.name for column in columns if column.name not in frame.columns]
    if lacking:
        raise ValueError(f"profile a frame: it has no column {', '.join(lacking)}")
    return tuple(ColumnProfile.of(column, frame[column.name], mode) for column in columns)


def merge_profiles(
    left: tuple[ColumnProfile, ...], right: tuple[ColumnProfile, ...]
) -> tuple[ColumnProfile, ...]:
    """Both parts together, column by column. Raises ValueError when they are not of the same columns."""
    return tuple(ours.merge(theirs) for ours, theirs in zip(left, right, strict=True))


def profile(
    frame: pl.DataFrame, columns: Sequence[Column], mode: Mode = Mode.CORRECT
) -> tuple[ColumnProfile, ...]:
    """The profile of a whole frame, cut into parts here, however it is chunked.

    A column declared `Unknown` is profiled as what its cells look like. Raises ValueError when the frame
    lacks one of the columns.
    """
    typed = assumed(columns, frame)
    return reduce(merge_profiles, (part_profile(part, typed, mode) for part in part_frames(frame)))


def inferred_type(cells: pl.Series) -> ColumnType:
    """The type of a whole column by its cells (contract 3.3)."""
    return Types.of(cells).value()


def assumed(columns: Sequence[Column], part: pl.DataFrame) -> tuple[Column, ...]:
    """The columns, those of unknown type as what their cells in this part look like.

    One that the part lacks stays unknown.
    """
    return tuple(_assumed(column, part) for column in columns)


def settled(
    declared: Sequence[Column], taken: Sequence[Column], profiles: Sequence[ColumnProfile], mode: Mode
) -> Settlement:
    """What the undeclared columns are by all their cells, and which were taken for something else.

    `declared` are the columns before `assumed` and `taken` after it; `profiles` are the merged ones of
    the columns taken. A column taken for another type whose states are the same (whole numbers that
    turn out to have fractions) needs no second pass.
    """
    columns = tuple(_settled(before, profile) for before, profile in zip(declared, profiles, strict=True))
    pairs = zip(taken, columns, strict=True)
    again = tuple(
        now.name
        for before, now in pairs
        if kept_for(before.type, mode, before.role) != kept_for(now.type, mode, now.role)
    )
    return Settlement(columns, again)


def _state(kind: type[Statistic], cells: Cells, mode: Mode) -> Statistic:
    if kind is Moments and mode is Mode.COMPATIBLE:
        return Moments.in_row_order(cells)
    return kind.of(cells)


def _assumed(column: Column, part: pl.DataFrame) -> Column:
    if column.type is not ColumnType.UNKNOWN or column.name not in part.columns:
        return column
    return Column(column.name, inferred_type(part[column.name]), column.role)


def _settled(column: Column, profile: ColumnProfile) -> Column:
    types = profile.state(Types)
    if column.type is not ColumnType.UNKNOWN or types is None:
        return column
    return Column(column.name, types.value(), column.role)
