"""`watchkeeper retrain approve` and `reject`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from watchkeeper.adapters.local.actor import os_user
from watchkeeper.adapters.local.lock import alone
from watchkeeper.app.retraining.interruption import finishing, refuse_retrain
from watchkeeper.app.retraining.retrain import RETRAINER, RetrainJob, run_retrain
from watchkeeper.app.retraining.retrains import Retrain, answer_retrain, find_retrain
from watchkeeper.app.retraining.train import dataset_of
from watchkeeper.app.setup.project import load_project
from watchkeeper.app.setup.targets import open_target
from watchkeeper.app.setup.workspace import LOCK, open_workspace
from watchkeeper.cli.output import answer, json_option, workspace_option
from watchkeeper.cli.progress import progress_bars
from watchkeeper.cli.sources import data_option, source_request
from watchkeeper.core.errors import Interrupted


@click.command()
@click.argument("decision")
@click.option("--for", "environment", required=True, help="The environment whose decision it is.")
@click.option("--why", default="", help="The reason, for the audit log.")
@workspace_option
@data_option
@json_option
def approve(
    decision: str, environment: str, why: str, workspace: Path, path: Path | None, as_json: bool
) -> None:
    """Say yes to the retrain of DECISION (its id, or the beginning of it), and run it.

    The challenger is promoted when it beats the model that serves, on months that neither has learned
    from. A retrain that was interrupted is run again. Exit code 1 when the champion is kept.
    """
    target = open_target(load_project(workspace), open_workspace(workspace).folder)
    with alone(target.folder / LOCK, f"run retrain {decision}"):
        found = find_retrain(target.store, environment, decision)
        if not found.runnable:
            found = answer_retrain(target, found, True, os_user(), why)
        try:
            rows = dataset_of(target.project, source_request(path))
            with progress_bars(quiet=as_json) as report:
                done = run_retrain(target, found, RetrainJob(rows, RETRAINER, report))
        except KeyboardInterrupt:
            raise Interrupted(f"interrupted; `{finishing(found)}` runs it again") from None
    answer(done, as_json, lambda: _text(done))
    sys.exit(0 if done.outcome and done.outcome.promoted else 1)


@click.command()
@click.argument("decision")
@click.option("--for", "environment", required=True, help="The environment whose decision it is.")
@click.option("--why", required=True, help="The reason, for the audit log.")
@workspace_option
@json_option
def reject(decision: str, environment: str, why: str, workspace: Path, as_json: bool) -> None:
    """Say no to the retrain of DECISION (its id, or the beginning of it).

    One that waits is rejected; one that was approved, or interrupted, is cancelled. Final for that firing.
    """
    target = open_target(load_project(workspace), open_workspace(workspace).folder)
    with alone(target.folder / LOCK, f"reject retrain {decision}"):
        found = find_retrain(target.store, environment, decision)
        said = refuse_retrain(target, found, os_user(), why)
    answer(said, as_json, lambda: _no(said))


def _no(said: Retrain) -> str:
    ended = f"cancelled: {said.outcome.reason}" if said.outcome else str(said.state)
    return f"retrain {said.decision.id} is {ended}"


def _text(done: Retrain) -> str:
    if done.outcome is None:
        return f"retrain {done.decision.id} is {done.state}"
    served = f"model v{done.outcome.promoted} serves" if done.outcome.promoted else "the champion serves on"
    return f"{done.outcome.kind}: {done.outcome.reason}; {served}"
