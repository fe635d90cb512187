"""A frame's columns as states: cut into fixed parts, each part read on its own, merged in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Self, TypeVar

import polars as pl

from watchkeeper.core.statistics import STATISTICS, Statistic, Types
from watchkeeper.core.statistics.cells import numbers
from watchkeeper.core.values import NUMERIC, Column, ColumnType

PART_ROWS = 65_536

S = TypeVar("S", bound=Statistic)


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """The states kept of one column. Its declared type decides which."""

    name: str
    declared: ColumnType
    states: tuple[Statistic, ...]

    @classmethod
    def of(cls, column: Column, cells: pl.Series) -> Self:
        """The states of one part's cells; statistics of numbers alone get the cells parsed, once for all."""
        parsed = numbers(cells) if column.type in NUMERIC else cells
        kinds = kept_for(column.type)
        states = tuple(kind.of(parsed if kind.KEPT_FOR <= NUMERIC else cells) for kind in kinds)
        return cls(column.name, column.type, states)

    def merge(self, other: Self) -> Self:
        """Both parts together."""
        if (self.name, self.declared) != (other.name, other.declared):
            raise ValueError(
                f"merge column {self.name} ({self.declared}) with {other.name} ({other.declared})"
            )
        pairs = zip(self.states, other.states, strict=True)
        return type(self)(self.name, self.declared, tuple(left.merge(right) for left, right in pairs))

    def state(self, kind: type[S]) -> S | None:
        """The state of one kind; None when this type of column has none."""
        for state in self.states:
            if isinstance(state, kind):
                return state
        return None


def kept_for(type_: ColumnType) -> tuple[type[Statistic], ...]:
    """The statistics that are kept of a column of this type."""
    return tuple(kind for kind in STATISTICS if type_ in kind.KEPT_FOR)


def part_frames(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The frame's rows in parts of `PART_ROWS`, the last one shorter; at least one part."""
    for start in range(0, max(frame.height, 1), PART_ROWS):
        yield frame.slice(start, PART_ROWS)


def profile(frame: pl.DataFrame, columns: Sequence[Column]) -> tuple[ColumnProfile, ...]:
    """The profile of each of `columns`, in their order, however the frame is chunked.

    Cells are text, null or empty when missing. A column declared `Unknown` is profiled as what its
    cells look like. Raises ValueError when the frame lacks one of the columns.
    """
    lacking = [column.name for column in columns if column.name not in frame.columns]
    if lacking:
        raise ValueError(f"profile a frame: it has no column {', '.join(lacking)}")
    typed = [_typed(column, frame) for column in columns]
    parts = (_part(typed, part) for part in part_frames(frame))
    return reduce(_merged, parts)


def inferred_type(cells: pl.Series) -> ColumnType:
    """The type of a whole column by its cells (contract 3.3)."""
    return Types.of(cells).value()


def _typed(column: Column, frame: pl.DataFrame) -> Column:
    if column.type is not ColumnType.UNKNOWN:
        return column
    return Column(column.name, inferred_type(frame[column.name]), column.role)


def _part(columns: Sequence[Column], part: pl.DataFrame) -> tuple[ColumnProfile, ...]:
    return tuple(ColumnProfile.of(column, part[column.name]) for column in columns)


def _merged(left: tuple[ColumnProfile, ...], right: tuple[ColumnProfile, ...]) -> tuple[ColumnProfile, ...]:
    return tuple(ours.merge(theirs) for ours, theirs in zip(left, right, strict=True))
