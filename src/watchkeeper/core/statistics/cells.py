"""Cells of a text column: which are missing, which are numbers, and the numbers themselves.

Patterns: Deequ's `DataType` classes (contract 3.3), digits being ASCII. One blank may stand before
the first digit, so ` 5` and `- 5` are numbers.
"""

from __future__ import annotations

import polars as pl

INTEGRAL = r"^[-+]? ?[0-9]+$"
FRACTIONAL = r"^[-+]? ?[0-9]+(\.[0-9]+|(\.[0-9]+)?[Ee][-+]?[0-9]+)$"
BOOLEAN = r"^(true|false)$"
NUMBER = rf"{INTEGRAL}|{FRACTIONAL}"


def present(column: pl.Series) -> pl.Series:
    """The cells that hold something, as text in row order; an empty text is missing."""
    text = column.cast(pl.String).drop_nulls()
    return text.filter(text != "")


def numbers(column: pl.Series) -> pl.Series:
    """The cells that are numbers, as doubles in row order.

    A cell that is missing, no number by the patterns, or too large for a double is left out; `Types`
    counts such cells.
    """
    if column.dtype != pl.String:
        found = column.cast(pl.Float64).drop_nulls()
        return found.filter(found.is_finite())
    text = column.drop_nulls()
    candidates = text.filter(text.str.contains(NUMBER)).str.replace(" ", "", literal=True)
    found = candidates.cast(pl.Float64)
    return found.filter(found.is_finite())
