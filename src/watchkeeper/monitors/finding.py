"""What a check found of one column, and the form every check of a column has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from watchkeeper.monitors.data_quality_drift import Subject

SHOWN = 5  # values named in a text


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a check did not hold: in words, and as found and asked where there are such numbers."""

    text: str
    value: float | None = None
    threshold: float | None = None


Check: TypeAlias = tuple[str, Callable[[Subject], Finding | None]]


def listed(values: Sequence[tuple[str, int]]) -> str:
    """The first few values with their counts, and how many more there are.

    >>> listed([("a", 3), ("b", 1)])
    '"a" (3), "b" (1)'
    """
    named = ", ".join(f'"{value}" ({count})' for value, count in values[:SHOWN])
    return f"{named} and {len(values) - SHOWN} more" if len(values) > SHOWN else named
