"""A time that its owner moves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from watchkeeper.core.windows import utc_text


@dataclass(slots=True)
class MovedClock:
    """A `Clock` for rehearsals and tests: it stands still until it is moved, and only forwards."""

    time: datetime

    def now(self) -> datetime:
        return self.time

    def move_to(self, time: datetime) -> None:
        """Set the time. Raises ValueError when it lies before the present one."""
        if time < self.time:
            raise ValueError(
                f"a clock moves forwards: it is {utc_text(self.time)}, asked for {utc_text(time)}"
            )
        self.time = time
