"""Judge every window of a range that a schedule has come to, the earliest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from watchkeeper.app.monitoring.run import run_monitor
from watchkeeper.app.monitoring.schedule import MonitorRun, section_of
from watchkeeper.app.pages.reporting import has_page, write_execution_page
from watchkeeper.app.registry.executions import executions
from watchkeeper.app.setup.project import Project
from watchkeeper.app.setup.targets import Target
from watchkeeper.core.errors import InputError
from watchkeeper.core.values import Actor, Execution, Progress, Status
from watchkeeper.core.windows import Window, utc_text

Report = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Backfill:
    """Which monitor, where, and the range that its windows lie in as a whole."""

    monitor: str
    environment: str
    windows: Window


@dataclass(frozen=True, slots=True)
class Backfilled:
    """Each window's execution, the earliest first; `stored` of them were on record before and still hold.

    `again` says of each whether it is one of those.
    """

    executions: tuple[Execution, ...]
    stored: int
    again: tuple[bool, ...] = ()


def backfill(target: Target, wanted: Backfill, actor: Actor, report: Report) -> Backfilled:
    """Run the monitor for each window of the range whose scheduled time has come.

    A window on record with the same inputs, settings and baselines is not judged again, but gets its page if
    that is missing; one that failed is tried again. Raises InputError
    for a monitor that the project has not and for a range without such a window; what was judged before
    anything else goes wrong stays on record.
    """
    runs = [run for run in _runs(target.project, wanted) if run.scheduled_at <= target.clock.now()]
    if not runs:
        raise InputError(
            f"backfill {wanted.monitor} in {wanted.environment}: want a window of its schedule that lies "
            f"within {wanted.windows} and has come due by {utc_text(target.clock.now())}, got none"
        )
    judged = [each for each in executions(target.store) if each.status is not Status.FAILED]
    known = {(each.key, each.inputs) for each in judged}
    found, again = [], []
    for place, run in enumerate(runs):
        report(Progress("backfill", place, len(runs), f"{run.scheduled_at:%Y-%m-%d %H:%M}"))
        execution = run_monitor(target, run, actor)
        again.append((execution.key, execution.inputs) in known)
        if not again[-1] or not has_page(target.store, execution):
            write_execution_page(target, execution)
        found.append(execution)
    report(Progress("backfill", len(runs), len(runs), ""))
    return Backfilled(tuple(found), sum(again), tuple(again))


def _runs(project: Project, wanted: Backfill) -> Iterator[MonitorRun]:
    """A run for each window within the range, whether or not its time has come."""
    blank = MonitorRun(wanted.monitor, wanted.environment, wanted.windows.start)
    section = section_of(project, blank)
    at = section.schedule.next(wanted.windows.start)
    while (window := section.window(at)).end <= wanted.windows.end:
        if window.start >= wanted.windows.start:
            yield MonitorRun(wanted.monitor, wanted.environment, at)
        at = section.schedule.next(at)
