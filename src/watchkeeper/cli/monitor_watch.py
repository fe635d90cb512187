"""`watchkeeper monitor watch`."""

from __future__ import annotations

import contextlib
import logging
import signal
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType

import click

from watchkeeper.adapters.local.lock import alone
from watchkeeper.app.registry.records import RememberingStore
from watchkeeper.app.retraining.train import dataset_of
from watchkeeper.app.setup.project import Project, load_project
from watchkeeper.app.setup.targets import Target, open_target
from watchkeeper.app.setup.workspace import open_workspace
from watchkeeper.app.watching.jobs import one_by_one, side_by_side
from watchkeeper.app.watching.watch import Watch
from watchkeeper.cli.output import workspace_option
from watchkeeper.cli.sources import source_request
from watchkeeper.core.windows import Duration
from watchkeeper.serving.workers import end_with_input

LOCK = "run/watch.lock"


@click.command()
@workspace_option
@click.option("--interval", default="15s", show_default=True, help="Between two evaluations of the rules.")
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Monitors that run at once, each in a process of its own; 1 runs them in this one.",
)
@click.option(
    "--rules",
    type=click.Choice(["embedded", "prometheus"]),
    default="embedded",
    show_default=True,
    help="Who evaluates the rules; with `stack up`, prometheus.",
)
@click.option("--with-caller", is_flag=True, hidden=True, help="End when standard input closes.")
def watch(workspace: Path, interval: str, jobs: int, rules: str, with_caller: bool) -> None:
    """Run monitors when their schedules come due, evaluate the alert rules, tell receivers, decide, and run
    the retrains that wait for nobody, until Ctrl-C.

    `watchkeeper up` runs one. Windows that were missed while none ran are caught up with, 24 of a schedule at
    most. One watch at a time works in a workspace.
    """
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        length = Duration.parse(interval)
    except ValueError as error:
        raise click.UsageError(f"--interval: {error}") from None
    project, folder = load_project(workspace), open_workspace(workspace).folder
    opens = partial(_target, project, folder)
    target = opens()
    several = side_by_side(opens, target, jobs) if jobs > 1 else contextlib.nullcontext(one_by_one(target))
    with alone(folder / LOCK, f"watch {workspace}"), several as runs:
        learns = partial(dataset_of, project, source_request(None))
        watching = Watch(target, _say, runs, length.seconds, evaluates=rules == "embedded", rows=learns)

        def end(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 - signal's signature
            watching.stop.set()

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        if with_caller:
            end_with_input()
        _say(f"watching {project.name}: {_schedules(watching)}")
        watching.run()


def _target(project: Project, folder: Path) -> Target:
    """The target, on a store that reads each record once."""
    found = open_target(project, folder)
    return replace(found, store=RememberingStore(found.store))


def _schedules(watching: Watch) -> str:
    project = watching.target.project
    count = sum(len(project.environment(name).monitors) for name in project.environments)
    rules = sum(len(project.rules(name)) for name in project.environments)
    return f"{count} schedules, {rules} rules, evaluated every {watching.interval:g} s"


def _say(line: str) -> None:
    click.echo(f"watch: {line}", err=True)
    sys.stderr.flush()
