"""The wall's time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class WallClock:
    """A `Clock` that tells the machine's time."""

    def now(self) -> datetime:
        return datetime.now(UTC)
