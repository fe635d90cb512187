"""The level of the target by month: how a whole market moves, apart from what each row is worth in it.

Trees cannot go beyond the values they were trained on, and means over three years say what things
were worth half-way. So the target is divided by its level before anything is fitted, and the
newest known level is multiplied on when a row is answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from watchkeeper.model.features import Columns

ROUNDS = 8  # of the alternating means; on HDB the fifth changes nothing above 1e-4


@dataclass(frozen=True, slots=True)
class LevelSpec:
    """Which column tells the month, and which together say that two rows are of a kind."""

    time: str
    within: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "within", tuple(self.within))  # a project file gives a list
        if not self.within:
            raise ValueError("level: want at least one column that tells kinds apart")


@dataclass(frozen=True, slots=True)
class Level:
    """The level of each training month, around 1: plain data, stored with the model."""

    spec: LevelSpec
    months: dict[str, float]

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
        return cls(spec, dict(zip(names.tolist(), np.exp(effect).tolist(), strict=True)))

    def of(self, columns: Columns) -> npt.NDArray[np.float64]:
        """The level of each row, shape (rows,).

        A month after the newest known has the newest's level, one before the first the first's; so
        has a row without a month the newest's.
        """
        known = sorted(self.months)
        return np.array([self._of_month(text, known) for text in columns[self.spec.time]], dtype=np.float64)

    def _of_month(self, text: str | None, known: Sequence[str]) -> float:
        if text in self.months:
            return self.months[text]
        earlier = [month for month in known if text and month <= text]
        return self.months[(earlier or known[:1])[-1] if text else known[-1]]


def _kinds(spec: LevelSpec, columns: Columns) -> list[str]:
    return [
        "\x1f".join(part or "" for part in row)
        for row in zip(*(columns[n] for n in spec.within), strict=True)
    ]


def _means(values: npt.NDArray[np.float64], group: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    return np.bincount(group, values) / np.bincount(group)
