"""What every statistic is: a state of part of a column that merges into the state of the whole."""

from __future__ import annotations

from typing import ClassVar, Protocol, Self, TypeAlias

import polars as pl

from watchkeeper.core.statistics.cells import Cells
from watchkeeper.core.values import ColumnType, Role

Kept: TypeAlias = frozenset[ColumnType | Role]


class Statistic(Protocol):
    """A frozen state. `KEPT_FOR` says for which types of column, or for columns of which role, it is kept;
    one that is kept for none is about whole rows.

    Merging is done in part order, from the left: `a.merge(b)` wants the rows of `b` to follow those of
    `a`. Counts merge exactly in any grouping; float aggregates and sketches to within their error, and
    to the bit when the grouping is the same.
    """

    KEPT_FOR: ClassVar[Kept]

    @classmethod
    def of(cls, column: pl.Series | Cells) -> Self:
        """The state of one part: a column of text (null or empty text is missing), numbers or booleans.

        Numbers give what their spelling would give; one that is NaN or infinite is no number.
        """
        ...

    def merge(self, other: Self) -> Self:
        """The state of this part's rows followed by the other's."""
        ...

    def value(self) -> object:
        """What the state says: a frozen value, `Undefined` where there is nothing to say."""
        ...
