"""Which times of which schedules have come and are not dealt with: also those that came while nothing ran."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from watchkeeper.app.captures.labels import first_captured
from watchkeeper.app.monitoring.due import runs_at
from watchkeeper.app.monitoring.schedule import MonitorRun
from watchkeeper.app.registry.catalogue import first_deployed
from watchkeeper.app.registry.executions import last_scheduled
from watchkeeper.app.setup.sections import MonitorSection
from watchkeeper.app.setup.targets import Books
from watchkeeper.core.cron import Cron

CATCH_UP = 24  # times of a schedule that are made up for after it was not looked at; older ones are skipped


@dataclass(frozen=True, slots=True)
class Due:
    """A time of a schedule that has come, and what is to be run for it."""

    monitor: str
    environment: str
    time: datetime
    runs: tuple[MonitorRun, ...]


@dataclass(frozen=True, slots=True)
class Skipped:
    """Times of a schedule, from `first` to before `until`, that are too many to be made up for."""

    monitor: str
    environment: str
    first: datetime
    until: datetime
    times: int


@dataclass(slots=True)
class Agenda:
    """A project's schedules. It goes on where the executions on record end, and begins with a deployment
    or, where another service serves, with the first capture.

    The newest time on record is gone through once more: what came in late for it is judged, and what did not
    change is not.
    """

    books: Books
    skipped: list[Skipped] = field(init=False, default_factory=list)
    _next: dict[tuple[str, str], datetime] = field(init=False, default_factory=dict)

    def take(self, now: datetime) -> tuple[Due, ...]:
        """What has come due, the earliest first, each once; a monitor's `start_delay` is waited for."""
        found = [due for schedule in self._schedules() for due in self._of(*schedule, now)]
        return tuple(sorted(found, key=lambda due: due.time))

    def next_due(self) -> datetime | None:
        """When the next time comes; None when no schedule has begun."""
        return min(
            (
                self._section(environment, monitor).start_delay.after(self._next[environment, monitor])
                for environment, monitor in self._schedules()
                if (environment, monitor) in self._next
            ),
            default=None,
        )

    def _schedules(self) -> Iterator[tuple[str, str]]:
        for environment in self.books.project.environments:
            for monitor in self.books.project.environment(environment).monitors:
                yield environment, monitor

    def _of(self, environment: str, monitor: str, now: datetime) -> list[Due]:
        section = self._section(environment, monitor)
        begun = self._next.get((environment, monitor)) or self._begin(environment, monitor, now)
        if begun is None:
            return []
        times, following = _times(section.schedule, begun, section.start_delay.before(now))
        self._next[environment, monitor] = following
        if len(times) > CATCH_UP:
            late, times = times[:-CATCH_UP], times[-CATCH_UP:]
            self.skipped.append(Skipped(monitor, environment, late[0], times[0], len(late)))
        return [
            Due(monitor, environment, time, runs_at(self.books.project, environment, monitor, time))
            for time in times
        ]

    def _begin(self, environment: str, monitor: str, now: datetime) -> datetime | None:
        """The first time to look at: the newest on record, else the first after something was deployed.

        Where nothing of ours is deployed, as another service serves, the first after something was captured.
        """
        project = self.books.project
        schedule = self._section(environment, monitor).schedule
        last = last_scheduled(self.books.store, f"{project.endpoint(environment)}-{monitor}", now)
        if last is not None:
            return last
        store, endpoint = self.books.store, project.endpoint(environment)
        began = first_deployed(store, environment) or first_captured(store, environment, endpoint)
        return schedule.next(began) if began else None

    def _section(self, environment: str, monitor: str) -> MonitorSection:
        return self.books.project.environment(environment).monitors[monitor]


def _times(schedule: Cron, first: datetime, until: datetime) -> tuple[list[datetime], datetime]:
    """The schedule's times from `first`, which is one of them, to `until`, and the next after these."""
    times, time = [], first
    while time <= until:
        times.append(time)
        time = schedule.next(time)
    return times, time
