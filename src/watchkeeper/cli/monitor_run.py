"""`watchkeeper monitor run`."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import click

from watchkeeper.adapters.local.actor import os_user
from watchkeeper.app.monitoring import MonitorRun, run_monitor
from watchkeeper.app.project import load_project
from watchkeeper.app.reporting import write_execution_page
from watchkeeper.app.targets import open_target
from watchkeeper.app.workspace import open_workspace
from watchkeeper.cli.output import answer, json_option, workspace_option
from watchkeeper.core.errors import InputError
from watchkeeper.core.values import VERDICTS, Execution
from watchkeeper.core.windows import parse_utc, utc_text


@click.command("run")
@click.argument("monitor")
@click.option("--for", "environment", required=True, help="The environment whose endpoint is judged.")
@click.option("--at", "moment", metavar="TIME", help="A time of its schedule (default: the last).")
@workspace_option
@json_option
def run(monitor: str, environment: str, moment: str | None, workspace: Path, as_json: bool) -> None:
    """Run MONITOR on the window of one time of its schedule.

    Exit code 1 when there are violations, or no verdict.
    """
    target = open_target(load_project(workspace), open_workspace(workspace).folder)
    monitors = target.project.environment(environment).monitors
    section = next((section for name, section in monitors.items() if name == monitor), None)
    if section is None:
        raise InputError(f"run monitor {monitor} in {environment}: want one of {', '.join(monitors)}")
    now = target.clock.now()
    try:
        at = parse_utc(moment) if moment else section.schedule.previous(now)
    except ValueError as error:
        raise InputError(f"run monitor {monitor} at {moment}: {error}") from None
    if at > now:
        raise InputError(
            f"run monitor {monitor} at {utc_text(at)}: want a time that has come, it is {utc_text(now)}"
        )
    if section.schedule.next(at - timedelta(minutes=1)) != at:
        raise InputError(
            f"run monitor {monitor} at {utc_text(at)}: want a time of its schedule {section.schedule}, "
            f"the one before is {utc_text(section.schedule.previous(at))}"
        )
    execution = run_monitor(target, MonitorRun(monitor, environment, at), os_user())
    write_execution_page(target, execution)
    answer(execution, as_json, lambda: _text(execution))
    sys.exit(0 if execution.status in VERDICTS and not execution.violations else 1)


def _text(execution: Execution) -> str:
    lines = [f"{execution.schedule}, {execution.window}: {execution.status}, {execution.reason}"]
    lines += [f"  {found.subject}: {found.check}: {found.description}" for found in execution.violations]
    lines += [f"  note: {note}" for note in execution.notes]
    return "\n".join(lines)
