"""`watchkeeper up`."""

from __future__ import annotations

import contextlib
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from watchkeeper.adapters.local.lock import held
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.app.endpoints.serving import ServeRequest, serve_project
from watchkeeper.app.retraining.retrains import Retrain, RetrainState, retrains
from watchkeeper.app.setup.project import Project, load_project
from watchkeeper.app.setup.workspace import LOCK
from watchkeeper.cli.output import workspace_option
from watchkeeper.serving.workers import end_with_input, is_worker

_FIRST_PAUSE, _LAST_PAUSE = 5.0, 300.0  # seconds before a watch that ended by itself is started again


@click.command()
@workspace_option
@click.option(
    "--project", type=click.Path(path_type=Path, exists=True), help="Project file, when not the workspace's."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8321, show_default=True, help="0 takes any free port."
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes that share the port.",
)
@click.option("--rehearsal", is_flag=True, help="Believe each request's own time; end with the caller.")
@click.option("--no-watch", is_flag=True, help="Serve alone: run no monitors, evaluate no rules.")
@click.option("--interval", default="15s", show_default=True, help="Between two evaluations of the rules.")
@click.option(
    "--rules",
    type=click.Choice(["embedded", "prometheus"]),
    default="embedded",
    show_default=True,
    help="Who evaluates the rules; with `stack up`, prometheus.",
)
def up(
    workspace: Path,
    project: Path | None,
    host: str,
    port: int,
    workers: int,
    rehearsal: bool,
    no_watch: bool,
    interval: str,
    rules: str,
) -> None:
    """Serve every environment's endpoint, /metrics and the report, and watch them, until Ctrl-C.

    The watch, a process of its own, is `watchkeeper monitor watch`: it runs monitors when they are due,
    evaluates the alert rules, tells receivers, decides, and runs the retrains that wait for nobody.
    """
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"
    )
    settings = load_project(project or workspace)
    watches = not rehearsal and not no_watch and project is None
    if not is_worker():
        click.echo(f"serving {workspace} on http://{host}:{port or '(any free port)'}", err=True)
        if rehearsal:
            end_with_input()
        else:
            _mention_open_retrains(settings, workspace, alone=not watches)
    with contextlib.nullcontext() if not watches or is_worker() else watching(workspace, interval, rules):
        serve_project(settings, ServeRequest(workspace, host, port, rehearsal, workers))


@contextlib.contextmanager
def watching(workspace: Path, interval: str, rules: str) -> Iterator[None]:
    """Run the watch as a process beside this one; it ends with the block, and with this process.

    One that ends by itself is started again after five seconds, then twice as long each time, up to five
    minutes; what it was at goes on where the records end.
    """
    command = [sys.executable, "-m", "watchkeeper", "monitor", "watch", "--with-caller"]
    keeper = _Keeper([*command, "--workspace", str(workspace), "--interval", interval, "--rules", rules])
    thread = threading.Thread(target=keeper.run, name="watch-keeper")
    thread.start()
    try:
        yield
    finally:
        keeper.end()
        thread.join()


class _Keeper:
    """Keeps a process running until it is to end."""

    def __init__(self, command: Sequence[str]) -> None:
        self.command = command
        self.ending = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._starting = threading.Lock()

    def run(self) -> None:
        """Start it, and start it again, until `end`."""
        pause = _FIRST_PAUSE
        while (process := self._started()) is not None:
            code = process.wait()
            if self.ending.is_set():
                return
            click.echo(f"watch: it ended with {code}; starting it again in {pause:g} s", err=True)
            self.ending.wait(pause)
            pause = min(2 * pause, _LAST_PAUSE)

    def end(self) -> None:
        """Have it end, by closing its standard input, and start no other."""
        with self._starting:
            self.ending.set()
            if self._process is not None and self._process.stdin is not None:
                self._process.stdin.close()

    def _started(self) -> subprocess.Popen[bytes] | None:
        with self._starting:
            if self.ending.is_set():
                return None
            self._process = subprocess.Popen(self.command, stdin=subprocess.PIPE)
            return self._process


def _mention_open_retrains(settings: Project, workspace: Path, *, alone: bool) -> None:
    """Say what nothing does on its own, with what a person may type: a watch runs what waits for nobody."""
    if held(workspace / LOCK):  # somebody is at it
        return
    for environment in settings.environments:
        for retrain in retrains(FolderStore(workspace.resolve()), environment):
            if not retrain.over:
                click.echo(_mention(retrain, alone=alone), err=True)


def _mention(retrain: Retrain, *, alone: bool) -> str:
    decision = retrain.decision
    which = f"{decision.id} --for {decision.environment}"
    ends = "rejects" if retrain.state is RetrainState.WAITING else "cancels"
    by_hand = alone or retrain.state is RetrainState.WAITING
    return (
        f"retrain {decision.id} for {decision.environment} is {retrain.state}: "
        f"{f'`watchkeeper retrain approve {which}`' if by_hand else 'the watch'} runs it, "
        f"`watchkeeper retrain reject {which} --why TEXT` {ends} it"
    )
