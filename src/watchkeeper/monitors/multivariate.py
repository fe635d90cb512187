"""Drift of columns together, which no column shows alone: reconstruction by principal components.

Columns that hang together in the baseline can be put together again from a few components; rows in which
they no longer do are put together worse (Jolliffe, "Principal component analysis", 2002, chapter 10). It
costs a few milliseconds for thousands of rows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from watchkeeper.core.values import ColumnType, Role, Schema, Violation

Floats = NDArray[np.float64]

CHECK = "multivariate_drift_check"
SUBJECT = "all columns"
EXPLAINED = 0.65  # share of the variance that the components keep
LEAST_ROWS, WINDOW_ROWS = 100, 30
_QUANTILE = 2.5758293035489004  # of the normal distribution, 1 % on both sides together
_TINY = 1e-12
_NUMBERS = (ColumnType.INTEGRAL, ColumnType.FRACTIONAL)


@dataclass(frozen=True, slots=True, eq=False)
class Encoding:
    """How a baseline's rows become numbers: as they are, or how frequent a category is; each standardised.

    A missing number counts as the mean, a category the baseline has not as never seen.
    """

    columns: tuple[str, ...]
    shares: Mapping[str, Mapping[str, float]]  # of each category, by column of text
    means: Floats
    deviations: Floats

    @classmethod
    def of(cls, rows: pl.DataFrame, schema: Schema) -> Encoding:
        """Of features and predictions: time, ids and free text differ anyhow.

        Raises ValueError for fewer than two that vary.
        """
        known = [
            column
            for column in schema.columns
            if column.role in (Role.FEATURE, Role.PREDICTION) and column.name in rows.columns
        ]
        shares = {column.name: _shares(rows[column.name]) for column in known if column.type not in _NUMBERS}
        names = tuple(column.name for column in known)
        blank = cls(names, shares, np.zeros(len(names)), np.ones(len(names)))
        with_gaps = blank._raw(rows)
        usable = ~np.isnan(with_gaps).all(axis=0)
        varying = [place for place in np.flatnonzero(usable) if np.nanstd(with_gaps[:, place]) > 0]
        if len(varying) < 2:
            raise ValueError(f"want at least two columns that vary, got {len(varying)}")
        kept = with_gaps[:, varying]
        return cls(
            tuple(names[place] for place in varying),
            shares,
            np.nanmean(kept, axis=0),
            np.nanstd(kept, axis=0),
        )

    def matrix(self, rows: pl.DataFrame) -> Floats:
        """The rows as numbers, shape (rows, columns). Raises ValueError where a column is not there."""
        lacking = [name for name in self.columns if name not in rows.columns]
        if lacking:
            raise ValueError(f"want the baseline's columns, {', '.join(lacking)} is not among the rows'")
        found: Floats = np.nan_to_num((self._raw(rows) - self.means) / self.deviations)
        return found

    def _raw(self, rows: pl.DataFrame) -> Floats:
        return np.column_stack([self._column(rows[name]) for name in self.columns])

    def _column(self, column: pl.Series) -> Floats:
        shares = self.shares.get(column.name)
        if shares is None:
            return column.cast(pl.Float64, strict=False).fill_null(math.nan).to_numpy()
        return np.array([shares.get(value or "", 0.0) for value in column.cast(pl.String)])


@dataclass(frozen=True, slots=True)
class Reconstruction:
    """The mean reconstruction error of a window over that of the baseline's own rows, and its limits.

    Of 100 samples of as many rows of the baseline 99 lie between `low` and `high`. `worst` are the columns
    whose errors changed most, with how many times they are the baseline's.
    """

    ratio: float
    low: float
    high: float
    worst: tuple[tuple[str, float], ...]

    @property
    def drifted(self) -> bool:
        """Whether chance is no explanation. Rows that fit better than the baseline's are others too."""
        return not self.low <= self.ratio <= self.high

    @property
    def violation(self) -> Violation:
        """As the other checks' are."""
        named = ", ".join(f"{name} {times:.2f} times" for name, times in self.worst[:3])
        return Violation(
            SUBJECT,
            CHECK,
            f"Rows are put together again with {self.ratio:.3f} times the baseline's error, chance gives "
            f"{self.low:.3f} to {self.high:.3f}: {named}",
            self.ratio,
            self.high if self.ratio > self.high else self.low,
        )


def reconstruction(before: Floats, now: Floats, columns: Sequence[str]) -> Reconstruction:
    """How well the window's rows are put together from the components of the baseline's.

    Both are of shape (rows, columns). Components are found on every other row of the baseline and their error
    on the rows between, so that it is no better than it is on rows not seen. The limits are those of the
    normal distribution, by both sides' standard errors. Raises ValueError for fewer than 100 rows of the
    baseline or 30 of the window.
    """
    if len(before) < LEAST_ROWS or len(now) < WINDOW_ROWS:
        raise ValueError(
            f"want at least {LEAST_ROWS} rows of the baseline and {WINDOW_ROWS} of the window, got "
            f"{len(before)} and {len(now)}"
        )
    seen, unseen = before[::2], before[1::2]
    components = _components(seen)
    usual, found = _squares(unseen, components), _squares(now, components)
    errors = np.sqrt(usual.sum(axis=1))
    whole = max(float(errors.mean()), _TINY)
    spread = float(errors.std(ddof=1)) / whole * math.sqrt(1 / len(now) + 1 / len(unseen))
    grown = np.sqrt(np.maximum(found.mean(axis=0), _TINY) / np.maximum(usual.mean(axis=0), _TINY))
    order = np.argsort(-np.abs(np.log(grown)), kind="stable")
    return Reconstruction(
        ratio=float(np.sqrt(found.sum(axis=1)).mean()) / whole,
        low=1 - _QUANTILE * spread,
        high=1 + _QUANTILE * spread,
        worst=tuple((columns[place], float(grown[place])) for place in order.tolist()),
    )


def _shares(column: pl.Series) -> dict[str, float]:
    texts = column.cast(pl.String).fill_null("")
    counts = texts.value_counts()
    return {value: count / texts.len() for value, count in counts.iter_rows()}


def _components(rows: Floats) -> Floats:
    """The leading components, as few as keep the share of the variance and never all, shape (columns, k)."""
    values, vectors = np.linalg.eigh(np.cov(rows, rowvar=False))
    falling = values[::-1].cumsum() / values.sum()
    count = min(int(np.searchsorted(falling, EXPLAINED)) + 1, rows.shape[1] - 1)
    found: Floats = vectors[:, ::-1][:, :count]
    return found


def _squares(rows: Floats, components: Floats) -> Floats:
    """Squared errors of each cell once its row is put together from the components."""
    found: Floats = np.square(rows - rows @ components @ components.T)
    return found
