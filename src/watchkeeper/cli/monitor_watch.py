"""`watchkeeper monitor watch`."""

from __future__ import annotations

import logging
import signal
import sys
from pathlib import Path
from types import FrameType

import click

from watchkeeper.adapters.local.lock import alone
from watchkeeper.app.setup.project import load_project
from watchkeeper.app.setup.targets import open_target
from watchkeeper.app.setup.workspace import open_workspace
from watchkeeper.app.watching.watch import Watch
from watchkeeper.cli.output import workspace_option
from watchkeeper.core.windows import Duration
from watchkeeper.serving.workers import end_with_input

LOCK = "run/watch.lock"


@click.command()
@workspace_option
@click.option("--interval", default="15s", show_default=True, help="Between two evaluations of the rules.")
@click.option("--with-caller", is_flag=True, hidden=True, help="End when standard input closes.")
def watch(workspace: Path, interval: str, with_caller: bool) -> None:
    """Run monitors when their schedules come due, evaluate the alert rules, tell receivers and decide, until
    Ctrl-C.

    `watchkeeper up` runs one. Windows that were missed while none ran are caught up with, 24 of a schedule at
    most. One watch at a time works in a workspace.
    """
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        length = Duration.parse(interval)
    except ValueError as error:
        raise click.UsageError(f"--interval: {error}") from None
    project, folder = load_project(workspace), open_workspace(workspace).folder
    with alone(folder / LOCK, f"watch {workspace}"):
        watching = Watch(open_target(project, folder), _say, interval=length.seconds)

        def end(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 - signal's signature
            watching.stop.set()

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        if with_caller:
            end_with_input()
        _say(f"watching {project.name}: {_schedules(watching)}")
        watching.run()


def _schedules(watching: Watch) -> str:
    project = watching.target.project
    count = sum(len(project.environment(name).monitors) for name in project.environments)
    rules = sum(len(project.rules(name)) for name in project.environments)
    return f"{count} schedules, {rules} rules, evaluated every {watching.interval:g} s"


def _say(line: str) -> None:
    click.echo(f"watch: {line}", err=True)
    sys.stderr.flush()
