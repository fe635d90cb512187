"""Which rows a violation is about: a predicate on a part's frame, or why there are no such rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import polars as pl

from watchkeeper.core.statistics import Duplicates
from watchkeeper.core.statistics.cells import FRACTIONAL, INTEGRAL, NUMBER
from watchkeeper.core.values import ColumnType, Violation
from watchkeeper.monitors.data_quality_values import (
    DataQualityConstraints,
    DataQualityStatistics,
    FeatureConstraints,
)

MASK = "•••"
WHOLE_ROW = "the whole row"
OURS = ("_line", "_event_id", "_join_id", "_time", "_model_version", "_row")  # a frame's, not the data's


@dataclass(frozen=True, slots=True)
class OffendingRows:
    """Rows that a violation is about: where `predicate` is true; `shown` is the column to show of them.

    The predicate is never null. `shown` is None when the whole row is the point; `masked` says that the
    value must not be shown.
    """

    predicate: pl.Expr
    shown: str | None
    masked: bool = False

    def value(self, cell: object) -> str | None:
        """A cell as it may be shown; None for a missing one."""
        if self.shown is None:
            return WHOLE_ROW
        if cell is None or cell == "":
            return None
        return MASK if self.masked else str(cell)


@dataclass(frozen=True, slots=True)
class NoRows:
    """Why a violation has no example rows."""

    reason: str


def offending_rows(
    violation: Violation,
    baseline: DataQualityStatistics,
    constraints: DataQualityConstraints,
    sensitive: Collection[str] = (),
    repeats: Duplicates | None = None,
) -> OffendingRows | NoRows:
    """How to find a violation's rows in any part of the data.

    A part's frame has the columns of the data by name, as text or as numbers; `sensitive` are columns
    whose values may not be shown. Rows that are there more than once are known by `repeats`, the state of
    all the data; without it, those are found that repeat an earlier one of the same frame.
    """
    asked = constraints.feature(violation.subject)
    if violation.check in WHOLE:
        return NoRows(WHOLE[violation.check])
    if violation.check == "duplicate_rows_check":
        return OffendingRows(_repeated(repeats), None)
    find = _ROWS.get(violation.check)
    predicate = find(violation.subject, asked, baseline) if find and asked else None
    if predicate is None:
        return NoRows(f"nothing is asked of single rows by {violation.check}")
    masked = violation.subject in sensitive
    return OffendingRows(predicate.fill_null(value=False), violation.subject, masked)


def _repeated(repeats: Duplicates | None) -> pl.Expr:
    rows = pl.struct(pl.exclude(OURS))
    if repeats is None:
        return ~rows.is_first_distinct()
    return rows.map_batches(
        lambda part: pl.Series(repeats.copies(part) > 1), return_dtype=pl.Boolean, is_elementwise=True
    )


def _column(name: str) -> pl.Expr:
    """The column of this very name, which may be a pattern to Polars, as `*` and `^a$` are."""
    return pl.col(f"^{re.escape(name)}$") if name == "*" or name.startswith("^") else pl.col(name)


def _missing(name: str) -> pl.Expr:
    return _column(name).is_null() | (_column(name).cast(pl.String) == "")


def _number(name: str) -> pl.Expr:
    """The cell as a double where it is a number by the contract's patterns, else null."""
    text = _column(name).cast(pl.String)
    plain = pl.when(text.str.contains(NUMBER)).then(text.str.replace(" ", "", literal=True))
    return plain.cast(pl.Float64, strict=False)


def _mistyped(name: str, asked: FeatureConstraints, _: DataQualityStatistics) -> pl.Expr | None:
    text = _column(name).cast(pl.String)
    patterns = {
        ColumnType.INTEGRAL: INTEGRAL,
        ColumnType.FRACTIONAL: NUMBER,
        ColumnType.STRING: rf"{INTEGRAL}|{FRACTIONAL}",
    }
    pattern = patterns.get(asked.inferred_type)
    if pattern is None:
        return None
    fits = text.str.contains(pattern)
    wrong = fits if asked.inferred_type is ColumnType.STRING else ~fits
    return ~_missing(name) & wrong


def _incomplete(name: str, _: FeatureConstraints, __: DataQualityStatistics) -> pl.Expr:
    return _missing(name)


def _unknown_value(name: str, asked: FeatureConstraints, baseline: DataQualityStatistics) -> pl.Expr | None:
    """Values outside the domain; of a column without one, those the baseline has not."""
    known = set(asked.domains or ())
    before = baseline.feature(name)
    if asked.domains is None and before is not None and before.string is not None:
        known |= {value for value, _ in before.string.counts}
    if not known:
        return None
    return ~_missing(name) & ~_column(name).cast(pl.String).is_in(sorted(known))


def _negative(name: str, _: FeatureConstraints, __: DataQualityStatistics) -> pl.Expr:
    return _number(name) < 0


def _beyond(name: str, asked: FeatureConstraints, _: DataQualityStatistics) -> pl.Expr | None:
    if asked.range is None:
        return None
    return (_number(name) < asked.range.low) | (_number(name) > asked.range.high)


Find = Callable[[str, FeatureConstraints, DataQualityStatistics], "pl.Expr | None"]

_ROWS: Mapping[str, Find] = MappingProxyType(
    {
        "data_type_check": _mistyped,
        "completeness_check": _incomplete,
        "categorical_values_check": _unknown_value,
        "non_negative_check": _negative,
        "range_check": _beyond,
        "sla_check": _incomplete,
    }
)
WHOLE: Mapping[str, str] = MappingProxyType(
    {
        "baseline_drift_check": "it is about the whole column: no single row has drifted",
        "vanished_values_check": "it is about values that no row has",
        "missing_column_check": "it is about a column that no row has",
        "extra_column_check": "it is about a column, and every row has it",
        "volume_check": "it is about the number of rows",
        "freshness_check": "it is about the newest time of the whole column",
        "missing_hours_check": "it is about hours that have no row",
    }
)
