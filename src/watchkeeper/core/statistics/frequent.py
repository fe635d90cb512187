"""Counts of text values in bounded room, and what a bound takes away from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Bound:
    """How much may be kept: so many values, of so many characters together."""

    values: int
    characters: int


@dataclass(frozen=True, slots=True)
class Frequencies:
    """Values with their counts, ascending by value, and how far a count may be too low.

    A value occurs at least as often as it is counted and at most `error` times more; one that is not
    there occurs at most `error` times. With an error of 0 every value is there, with its exact count.
    """

    counts: tuple[tuple[str, int], ...] = ()
    error: int = 0

    @classmethod
    def of(cls, counts: dict[str, int], bound: Bound) -> Self:
        """Values with their counts, within the bound."""
        return cls()._with(counts, 0, bound)

    def merge(self, other: Self, bound: Bound) -> Self:
        """Both together, within the bound: exact as long as it holds them.

        Beyond it the mergeable Misra-Gries summary of Agarwal, Cormode, Huang, Phillips, Wei and Yi (2012):
        the greatest count for which there is no room is taken off all, and the error grows by it. So it is
        at most the number of rows by the number of values kept, while values are short.
        """
        found = dict(self.counts)
        for value, count in other.counts:
            found[value] = found.get(value, 0) + count
        return self._with(found, other.error, bound)

    def _with(self, found: dict[str, int], error: int, bound: Bound) -> Self:
        for without_room in (_by_number, _by_length):
            lost = without_room(found, bound)
            if lost:
                found = {value: count - lost for value, count in found.items() if count > lost}
                error += lost
        return type(self)(tuple(sorted(found.items())), self.error + error)


def _by_number(found: dict[str, int], bound: Bound) -> int:
    """The greatest count of which a value is one too many; 0 when there is none."""
    if len(found) <= bound.values:
        return 0
    return sorted(found.values(), reverse=True)[bound.values]


def _by_length(found: dict[str, int], bound: Bound) -> int:
    """The same for the values' characters: the most frequent values have their place first."""
    room = bound.characters
    if sum(map(len, found)) <= room:
        return 0
    for value, count in sorted(found.items(), key=lambda pair: (-pair[1], pair[0])):
        room -= len(value)
        if room < 0:
            return count
    return 0
