"""One part of a column, with what several statistics want of it worked out once.

Patterns: Deequ's `DataType` classes (contract 3.3), digits being ASCII. One blank may stand before
the first digit, so ` 5` and `- 5` are numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

INTEGRAL = r"^[-+]? ?[0-9]+$"
FRACTIONAL = r"^[-+]? ?[0-9]+(\.[0-9]+|(\.[0-9]+)?[Ee][-+]?[0-9]+)$"
BOOLEANS = ("true", "false")
NUMBER = rf"{INTEGRAL}|{FRACTIONAL}"


@dataclass(frozen=True)
class Cells:
    """A part's cells: text in which null and "" are missing, or numbers or booleans in which null is.

    Numbers are never made text to be counted. Anything else (a date, a category) is read as its text.
    `textual` says that the column is one of texts, whatever its cells came as. Its distinct values are
    counted in any case, and what can be known of a value is found out once for each, not once for each row.
    """

    series: pl.Series
    textual: bool = False

    @classmethod
    def of(cls, column: pl.Series | Self) -> Self:
        """The part's cells, as texts unless they are numbers; what is `Cells` already stays as it is."""
        if isinstance(column, pl.Series):
            return cls(column, textual=not column.dtype.is_numeric())
        return column

    @property
    def is_number(self) -> bool:
        """Whether the cells came as numbers."""
        return self.series.dtype.is_numeric()

    @property
    def is_boolean(self) -> bool:
        """Whether the cells came as booleans."""
        return self.series.dtype == pl.Boolean

    @cached_property
    def present(self) -> pl.Series:
        """The cells that hold something, in row order."""
        held = self.series.drop_nulls() if self.series.null_count() else self.series
        if self.is_number or self.is_boolean:
            return held
        filled = (text := held.cast(pl.String)) != ""
        return text if filled.all() else text.filter(filled)

    @property
    def filled(self) -> pl.Series:
        """The same, but that dates and times stay what they are."""
        return self.series.drop_nulls() if self.series.dtype.is_temporal() else self.present

    @cached_property
    def candidates(self) -> tuple[pl.Series, pl.Series]:
        """Of cells of text, those that look like numbers, in row order, and the numbers they are."""
        like_numbers = self.present.str.contains(NUMBER)
        spelled = self.present if like_numbers.all() else self.present.filter(like_numbers)
        return spelled, parsed(spelled)

    @cached_property
    def numbers(self) -> NDArray[np.float64]:
        """The cells that are finite numbers, in row order, contiguous; a negative zero is a zero.

        What is missing, no number by the patterns, not finite or too large for a double is left out;
        `Types` counts such cells.
        """
        if self.is_boolean:
            return np.empty(0)
        parsed = self.present.cast(pl.Float64) if self.is_number else self.candidates[1]
        values = parsed.to_numpy()
        finite = np.isfinite(values)
        return (values if finite.all() else values[finite]) + 0.0

    @cached_property
    def tally(self) -> tuple[pl.Series, NDArray[np.int64]]:
        """Each distinct value as text, in any order, and how many cells hold it."""
        held = _without_negative_zero(self.present)
        counted = held.alias("value").value_counts(name="count")
        return counted["value"].cast(pl.String), counted["count"].to_numpy().astype(np.int64)


def parsed(spelled: pl.Series) -> pl.Series:
    """The doubles that texts of the pattern `NUMBER` are; one too large for a double is an infinity."""
    found = spelled.cast(pl.Float64, strict=False)
    if not found.null_count():
        return found
    return spelled.str.replace(" ", "", literal=True).cast(pl.Float64)


def _without_negative_zero(values: pl.Series) -> pl.Series:
    return pl.Series(values.to_numpy() + 0.0) if values.dtype in (pl.Float32, pl.Float64) else values
