"""A schedule of a project: which monitor runs where, and how the project file has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from watchkeeper.app.setup.project import Project
from watchkeeper.app.setup.sections import MonitorSection
from watchkeeper.core.errors import InputError


@dataclass(frozen=True, slots=True)
class MonitorRun:
    """Which monitor, where, and the time of its schedule that came due."""

    monitor: str
    environment: str
    scheduled_at: datetime


def schedule_name(project: Project, run: MonitorRun) -> str:
    """The schedule's name: endpoint and monitor."""
    return f"{project.endpoint(run.environment)}-{run.monitor}"


def schedules_of(project: Project) -> tuple[str, ...]:
    """Every schedule of a project, by name."""
    return tuple(
        f"{project.endpoint(name)}-{monitor}"
        for name in project.environments
        for monitor in project.environment(name).monitors
    )


def section_of(project: Project, run: MonitorRun) -> MonitorSection:
    """The monitor's settings in its environment. Raises InputError for one that the project has not there."""
    monitors = project.environment(run.environment).monitors
    for name, section in monitors.items():
        if name == run.monitor:
            return section
    raise InputError(f"run monitor {run.monitor} in {run.environment}: want one of {', '.join(monitors)}")
