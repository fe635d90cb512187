"""Schedules that should have run and did not: seen from the records, whoever was to run them."""

from __future__ import annotations

from datetime import datetime, timedelta

from watchkeeper.app.registry.catalogue import first_deployed
from watchkeeper.app.setup.project import Project
from watchkeeper.core.cron import Cron
from watchkeeper.core.metrics import METRIC_PREFIX
from watchkeeper.core.ports import Store
from watchkeeper.core.values import Sample, labels_of
from watchkeeper.core.windows import time_folder

LOOK_BACK = 24  # times of a schedule; one that is open for longer counts from there
GRACE = timedelta(minutes=5)  # that a run may take before its time counts as open


def overdue_samples(store: Store, project: Project, now: datetime) -> tuple[Sample, ...]:
    """A sample a schedule of every environment; none before its first time has come.

    Where nothing of ours is deployed, a schedule that nothing was ever run for has none either.
    """
    found = []
    for environment in project.environments:
        deployed = first_deployed(store, environment)
        for monitor, section in project.environment(environment).monitors.items():
            endpoint = project.endpoint(environment)
            schedule = f"{endpoint}-{monitor}"
            until = section.start_delay.before(now) - GRACE
            oldest, known = _oldest_open(store, schedule, section.schedule, (deployed, until))
            if not known and deployed is None:
                continue
            labels = labels_of(
                project=project.name, environment=environment, endpoint=endpoint, schedule=schedule
            )
            seconds = (now - oldest).total_seconds() if oldest else 0.0
            found.append(Sample(f"{METRIC_PREFIX}monitor_overdue_seconds", labels, seconds, now))
    return tuple(found)


def _oldest_open(
    store: Store, schedule: str, cron: Cron, between: tuple[datetime | None, datetime]
) -> tuple[datetime | None, bool]:
    """The oldest of the schedule's last times that nothing was run for, back to the newest that was.

    And whether there is such a one that was.
    """
    began, until = between
    oldest: datetime | None = None
    time = cron.previous(until + timedelta(minutes=1))
    for _ in range(LOOK_BACK):
        key = f"executions/{schedule}/{time_folder(time)}/execution.json"
        if key in store.list(key):
            return oldest, True
        if began is not None and time <= began:
            break
        oldest, time = time, cron.previous(time)
    return oldest, False
