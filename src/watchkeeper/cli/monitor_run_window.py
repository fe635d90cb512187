"""`watchkeeper monitor run --for`: one window of an endpoint."""

from __future__ import annotations

from datetime import timedelta

from watchkeeper.adapters.local.actor import os_user
from watchkeeper.app.monitoring.run import run_monitor
from watchkeeper.app.monitoring.schedule import MonitorRun, section_of
from watchkeeper.app.pages.reporting import write_execution_page
from watchkeeper.app.registry.history import extend_history
from watchkeeper.app.setup.project import load_project
from watchkeeper.app.setup.targets import open_target
from watchkeeper.app.setup.workspace import open_workspace
from watchkeeper.cli.execution_text import execution_text
from watchkeeper.cli.monitor_run import RunOptions
from watchkeeper.cli.output import answer
from watchkeeper.core.errors import InputError
from watchkeeper.core.values import VERDICTS
from watchkeeper.core.windows import parse_utc, utc_text


def run_window(typed: RunOptions) -> int:
    """Judge the window of a time of the schedule, and say what was found; the exit code."""
    monitor, environment, moment = typed.monitor, typed.environment or "", typed.moment
    target = open_target(load_project(typed.workspace), open_workspace(typed.workspace).folder)
    now = target.clock.now()
    section = section_of(target.project, MonitorRun(monitor, environment, now))
    try:
        at = parse_utc(moment) if moment else section.schedule.previous(now)
    except ValueError as error:
        raise InputError(f"run monitor {monitor} at {moment}: {error}") from None
    ended = section.window(at).end
    if ended > now:
        raise InputError(
            f"run monitor {monitor} at {utc_text(at)}: want a window that has ended, it ends "
            f"{utc_text(ended)} and it is {utc_text(now)}"
        )
    if section.schedule.next(at - timedelta(minutes=1)) != at:
        raise InputError(
            f"run monitor {monitor} at {utc_text(at)}: want a time of its schedule {section.schedule}, "
            f"the one before is {utc_text(section.schedule.previous(at))}"
        )
    execution = run_monitor(target, MonitorRun(monitor, environment, at), os_user())
    write_execution_page(target, execution)
    extend_history(target.store)
    answer(execution, typed.as_json, lambda: execution_text(execution))
    return 0 if execution.status in VERDICTS and not execution.violations else 1
