"""The level of the target by month: how a whole market moves, apart from what each row is worth in it.

Trees cannot go beyond the values they were trained on, and means over three years say what things
were worth half-way. So the target is divided by its level before anything is fitted, and the level
of a row's month is multiplied on when it is answered: the newest known one, carried on by a trend
that dies away.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import InputError
from watchkeeper.model.features import Columns
from watchkeeper.model.parsing import month as month_number

ROUNDS = 8  # of the alternating means; on HDB the fifth changes nothing above 1e-4
GROWTH_MONTHS = 6  # the newest months that say how the level grows


@dataclass(frozen=True, slots=True)
class LevelSpec:
    """Which column tells the month, and which together say that two rows are of a kind.

    `damping`, from 0 to below 1, is how much of a month's growth the month after it goes on with, beyond
    the newest known one. With 0 the newest level stays.
    """

    time: str
    within: tuple[str, ...]
    damping: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "within", tuple(self.within))  # a project file gives a list
        if not 0 <= self.damping < 1:
            raise ValueError(f"level: want damping from 0 to below 1, got {self.damping}")
        if not self.within:
            raise ValueError("level: want at least one column that tells kinds apart")


@dataclass(frozen=True, slots=True)
class Level:
    """The level of each training month, around 1: plain data, stored with the model.

    `growth` is that of its logarithm, by month, over the newest months.
    """

    spec: LevelSpec
    months: dict[str, float]
    growth: float = 0.0

    @classmethod
    def fit(cls, spec: LevelSpec, columns: Columns, target: npt.NDArray[np.float64]) -> Level:
        """The months' levels from rows whose target is above 0, shape (rows,).

        The logarithm of the target is a kind's effect plus a month's effect, both found by
        alternating means (backfitting), so that a month in which more of the dear kinds change hands
        is not taken for a dearer month. This is the time-dummy index of Bailey, Muth and Nourse, "A
        regression method for real estate price index construction" (1963), with kinds in the place of
        single properties. Raises ValueError for a target that is not above 0.
        """
        if not (target > 0).all():
            raise ValueError(f"level: want targets above 0, got {int((target <= 0).sum())} that are not")
        names, month = np.unique([text or "" for text in columns[spec.time]], return_inverse=True)
        _, kind = np.unique(_kinds(spec, columns), return_inverse=True)
        logs, effect = np.log(target), np.zeros(len(names))
        for _ in range(ROUNDS):
            kinds = _means(logs - effect[month], kind)
            effect = _means(logs - kinds[kind], month)
        effect -= effect.mean()
        growth = _growth(names.tolist(), effect, np.bincount(month)) if spec.damping else 0.0
        return cls(spec, dict(zip(names.tolist(), np.exp(effect).tolist(), strict=True)), growth)

    def of(self, columns: Columns) -> npt.NDArray[np.float64]:
        """The level of each row, shape (rows,).

        A month between two known ones has the earlier's level, one before the first the first's, and a row
        without a month the newest's. A month h after the newest has the newest's times e to the power of
        growth * (d + d^2 + ... + d^h), d being the damping: the damped trend of Gardner and McKenzie,
        "Forecasting trends in time series" (1985). Raises InputError for such a month that is no YYYY-MM
        where there is a damping.
        """
        known, texts = sorted(self.months), columns[self.spec.time]
        levels = {text: self._of_month(text, known) for text in dict.fromkeys(texts)}
        return np.array([levels[text] for text in texts], dtype=np.float64)

    def _of_month(self, text: str | None, known: Sequence[str]) -> float:
        if text in self.months:
            return self.months[text]
        newest = self.months[known[-1]]
        if not text:
            return newest
        if text > known[-1]:
            return newest * self._grown(text, known[-1])
        earlier = [month for month in known if month <= text]
        return self.months[(earlier or known[:1])[-1]]

    def _grown(self, text: str, newest: str) -> float:
        damping = self.spec.damping
        if not damping:
            return 1.0
        try:
            ahead = month_number(text) - month_number(newest)
        except ValueError as error:
            raise InputError(f"read column {self.spec.time}: {error}") from None
        return math.exp(self.growth * damping * (1 - damping**ahead) / (1 - damping))


def _growth(names: Sequence[str], effect: npt.NDArray[np.float64], rows: npt.NDArray[np.intp]) -> float:
    """The slope of the newest months' effects by month, least squares weighted by rows; 0 of one month."""
    newest = slice(-GROWTH_MONTHS, None)
    try:
        at = np.array([month_number(name) for name in names[newest]])
    except ValueError as error:
        raise InputError(f"level: {error}") from None
    weight, effect = rows[newest], effect[newest]
    at = at - np.average(at, weights=weight)
    spread = float((weight * at * at).sum())
    return float((weight * at * effect).sum()) / spread if spread else 0.0


def _kinds(spec: LevelSpec, columns: Columns) -> list[str]:
    return [
        "\x1f".join(part or "" for part in row)
        for row in zip(*(columns[n] for n in spec.within), strict=True)
    ]


def _means(values: npt.NDArray[np.float64], group: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    return np.bincount(group, values) / np.bincount(group)
