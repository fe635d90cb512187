"""`watchkeeper analyze`: the entry point of the analyzer's container."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import cast

import click

from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.app.container.run import STOPPED, Surroundings, run_container
from watchkeeper.app.container.settings import DEFAULT_TIME_LIMIT, ML_ROOT
from watchkeeper.app.files.analysis import Tools
from watchkeeper.app.files.engines import open_engine
from watchkeeper.app.setup.extras import loaded
from watchkeeper.core.errors import Interrupted

OF_PROJECT = "WATCHKEEPER_PROJECT"  # a job that has it is of a project's monitor, as its records have it
SIGNALS = (signal.SIGTERM, signal.SIGINT)


@click.command()
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False),
    default=ML_ROOT,
    envvar="WATCHKEEPER_ML_ROOT",
    help="Folder that stands for /opt/ml (default: /opt/ml).",
)
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0, min_open=True),
    help="Seconds a script may take: a preprocessor for one record, a post-processor in all "
    f"(default: WATCHKEEPER_SCRIPT_TIME_LIMIT, else {DEFAULT_TIME_LIMIT:g}).",
)
def analyze(root: Path, time_limit: float | None) -> None:
    """Do what the environment variables of a Model Monitor container ask for.

    Data are read, and files written, where the service mounts them. Exit code 0 with and without
    violations; /opt/ml/output/message says which, and why for any other code. 143 and 130: stopped.
    """
    stop = StopSignals()
    tools = Tools(open_engine("local"))
    here = Surroundings(root, WallClock().now(), tools, click.echo, stop.held)
    with stop.listening():
        try:
            if OF_PROJECT in os.environ:
                _project_job()(os.environ, here)
            else:
                run_container(os.environ, here, time_limit)
        except Interrupted:
            click.echo(f"watchkeeper: {STOPPED}", err=True)
            sys.exit(128 + (stop.received or signal.SIGINT))


def _project_job() -> Callable[[Mapping[str, str], Surroundings], str]:
    """The job of a project's monitor, which needs what an analysis of files does not."""
    place = "watchkeeper.app.aws.analysing:run_project_job"
    return cast(Callable[[Mapping[str, str], Surroundings], str], loaded(place, "run a monitor of a project"))


@dataclass(slots=True)
class StopSignals:
    """SIGTERM and SIGINT as `Interrupted`, at once or after they were held; later ones are ignored."""

    received: int | None = None
    holding: bool = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        before = {number: signal.signal(number, self._receive) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def held(self) -> Iterator[None]:
        self.holding = True
        try:
            yield
        finally:
            self.holding = False
        if self.received is not None:
            raise Interrupted(STOPPED)

    def _receive(self, number: int, _: FrameType | None) -> None:
        if self.received is not None:
            return
        self.received = number
        if not self.holding:
            raise Interrupted(STOPPED)
