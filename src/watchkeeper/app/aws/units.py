"""What a bill counts, and how often a schedule comes due in a month of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from watchkeeper.core.cron import Cron

HOURS = 730  # of a month, as AWS counts one


@dataclass(frozen=True, slots=True)
class Units:
    """How many of one kind a month of one scope needs, and why."""

    kind: str
    scope: str
    quantity: float
    why: str


def executions_in_month(schedule: Cron, now: datetime) -> tuple[datetime, ...]:
    """When a schedule comes due in the month from `now` on."""
    found, end = [schedule.next(now)], now + timedelta(hours=HOURS)
    while found[-1] <= end:
        found.append(schedule.next(found[-1]))
    return tuple(found[:-1])
