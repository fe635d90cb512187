"""How long the texts of a column are, and what they look like."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from watchkeeper.core.statistics.cells import Cells
from watchkeeper.core.statistics.frequent import Bound, Frequencies
from watchkeeper.core.statistics.protocol import Kept
from watchkeeper.core.values import ColumnType, Undefined

BOUND = Bound(values=64, characters=4096)
LONGEST_PATTERN = 64
_RUNS = pl.first().str.replace_all(r"\p{Nd}+", "9").str.replace_all(r"\p{L}+", "A")
_PATTERN = _RUNS.str.replace_all(r"\s+", " ").str.slice(0, LONGEST_PATTERN).alias("pattern")
_LENGTH = pl.first().str.len_chars().cast(pl.Int64).alias("length")


@dataclass(frozen=True, slots=True)
class TextShape:
    """Length in characters, and the most common pattern with the least share of texts that have it."""

    min: int
    max: int
    mean: float
    pattern: str
    share: float


@dataclass(frozen=True, slots=True)
class Lengths:
    """Texts, their characters together, the shortest and the longest, and how many have which pattern.

    A text's pattern has 9 for a run of digits, A for a run of letters and one blank for a run of white
    space: `10 TO 12` has `9 A 9`. It ends after 64 characters. The 64 most common patterns are kept.
    """

    KEPT_FOR: ClassVar[Kept] = frozenset({ColumnType.STRING})

    n: int = 0
    characters: int = 0
    shortest: int = 0
    longest: int = 0
    patterns: Frequencies = field(default_factory=Frequencies)

    @classmethod
    def of(cls, column: pl.Series | Cells) -> Self:
        """One part; missing cells are left out, and a number has the length of its spelling."""
        values, counts = Cells.of(column).tally
        if not len(values):
            return cls()
        told = values.to_frame().select(_LENGTH, _PATTERN)
        lengths, patterns = told["length"].to_numpy(), told["pattern"]
        together = int(np.dot(lengths, counts))
        shape = int(counts.sum()), together, int(lengths.min()), int(lengths.max())
        return cls(*shape, _counted(patterns, counts))

    def merge(self, other: Self) -> Self:
        """Both parts together; exact but for the rarer of more than 64 patterns."""
        if not self.n or not other.n:
            return self if self.n else other
        return type(self)(
            self.n + other.n,
            self.characters + other.characters,
            min(self.shortest, other.shortest),
            max(self.longest, other.longest),
            self.patterns.merge(other.patterns, BOUND),
        )

    def value(self) -> TextShape | Undefined:
        """Lengths and the most common pattern, of equals the first; Undefined without texts.

        When no pattern is common enough to be among those kept, it is the empty one with a share of 0.0.
        >>> Lengths.of(pl.Series(["10 TO 12", "01  TO 03", "n/a"])).value()
        TextShape(min=3, max=9, mean=6.666666666666667, pattern='9 A 9', share=0.6666666666666666)
        """
        if not self.n:
            return Undefined("no texts")
        pattern, count = max(self.patterns.counts, key=lambda pair: pair[1], default=("", 0))
        return TextShape(self.shortest, self.longest, self.characters / self.n, pattern, count / self.n)


def pattern_of(texts: pl.Series) -> pl.Series:
    """The pattern of each text."""
    return texts.to_frame().select(_PATTERN).to_series()


def _counted(patterns: pl.Series, counts: NDArray[np.int64]) -> Frequencies:
    found: dict[str, int] = {}
    for pattern, count in zip(patterns.to_list(), counts.tolist(), strict=True):
        found[pattern] = found.get(pattern, 0) + count
    return Frequencies.of(found, BOUND)
