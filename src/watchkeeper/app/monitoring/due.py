"""What a time of a monitor's schedule asks to be run."""

from __future__ import annotations

from datetime import datetime, timedelta

from watchkeeper.app.judging.judges import JUDGES
from watchkeeper.app.monitoring.schedule import MonitorRun
from watchkeeper.app.setup.project import Project

_MINUTE = timedelta(minutes=1)  # what schedules are exact to


def runs_at(project: Project, environment: str, monitor: str, time: datetime) -> tuple[MonitorRun, ...]:
    """The window that the time is for, and the one that ends then, where what labels will say is estimated.

    The second one's labels are awaited until its own time comes, which lies ahead.
    """
    section = project.environment(environment).monitors[monitor]
    found = [MonitorRun(monitor, environment, time)]
    if JUDGES[monitor].estimates and section.labels.delay.after(time) > time:
        later = section.schedule.next(section.labels.delay.after(time) - _MINUTE)
        if section.window(later).end == time:
            found.append(MonitorRun(monitor, environment, later))
    return tuple(found)
