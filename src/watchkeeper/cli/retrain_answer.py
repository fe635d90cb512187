"""`watchkeeper retrain approve` and `reject`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import click

from watchkeeper.adapters.local.actor import os_user
from watchkeeper.adapters.local.lock import alone
from watchkeeper.app.retraining.interruption import finishing, refuse_retrain
from watchkeeper.app.retraining.retrain import RETRAINER, RetrainJob, run_retrain
from watchkeeper.app.retraining.retrains import Retrain, answer_retrain, find_retrain
from watchkeeper.app.retraining.train import dataset_of
from watchkeeper.app.setup.project import Project, load_project
from watchkeeper.app.setup.targets import open_target
from watchkeeper.app.setup.workspace import LOCK, open_workspace
from watchkeeper.cli.by_name import load_named
from watchkeeper.cli.output import answer, json_option, workspace_option
from watchkeeper.cli.progress import progress_bars
from watchkeeper.cli.sources import data_option, source_request
from watchkeeper.cli.targets import target_option
from watchkeeper.core.errors import Interrupted

ON_AWS = "watchkeeper.cli.retrain_aws:say"
_OnAws = Callable[[Project, tuple[str, str, bool, str]], dict[str, list[str]]]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was typed."""

    decision: str
    environment: str
    why: str
    target: str
    workspace: Path
    as_json: bool
    path: Path | None = None


@click.command()
@click.argument("decision")
@click.option("--for", "environment", required=True, help="The environment whose decision it is.")
@click.option("--why", default="", help="The reason, for the audit log; wanted with --target aws.")
@target_option
@workspace_option
@data_option
@json_option
def approve(**typed: Any) -> None:
    """Say yes to the retrain of DECISION (its id, or the beginning of it), and run it.

    The challenger is promoted when it beats the model that serves, on months that neither has learned
    from. A retrain that was interrupted is run again. Exit code 1 when the champion is kept.
    With --target aws the pipeline is started there, as whoever AWS says that you are.
    """
    asked = _Asked(**typed)
    if asked.target == "aws":
        _answer_on_aws(asked, approved=True)
        return
    _approve_here(asked)


def _approve_here(asked: _Asked) -> None:
    target = open_target(load_project(asked.workspace), open_workspace(asked.workspace).folder)
    with alone(target.folder / LOCK, f"run retrain {asked.decision}"):
        found = find_retrain(target.store, asked.environment, asked.decision)
        if not found.runnable:
            found = answer_retrain(target, found, True, os_user(), asked.why)
        try:
            rows = dataset_of(target.project, source_request(asked.path))
            with progress_bars(quiet=asked.as_json) as report:
                done = run_retrain(target, found, RetrainJob(rows, RETRAINER, report))
        except KeyboardInterrupt:
            raise Interrupted(f"interrupted; `{finishing(found)}` runs it again") from None
    answer(done, asked.as_json, lambda: _text(done))
    sys.exit(0 if done.outcome and done.outcome.promoted else 1)


@click.command()
@click.argument("decision")
@click.option("--for", "environment", required=True, help="The environment whose decision it is.")
@click.option("--why", required=True, help="The reason, for the audit log.")
@target_option
@workspace_option
@json_option
def reject(**typed: Any) -> None:
    """Say no to the retrain of DECISION (its id, or the beginning of it).

    One that waits is rejected; one that was approved, or interrupted, is cancelled. Final for that firing.
    With --target aws one that waits there is.
    """
    asked = _Asked(**typed)
    if asked.target == "aws":
        _answer_on_aws(asked, approved=False)
        return
    target = open_target(load_project(asked.workspace), open_workspace(asked.workspace).folder)
    with alone(target.folder / LOCK, f"reject retrain {asked.decision}"):
        found = find_retrain(target.store, asked.environment, asked.decision)
        said = refuse_retrain(target, found, os_user(), asked.why)
    answer(said, asked.as_json, lambda: _no(said))


def _answer_on_aws(asked: _Asked, approved: bool) -> None:
    """On the records in the bucket; the pipeline runs there, and nobody waits for it here."""
    if not asked.why.strip():
        raise click.UsageError("want --why with --target aws")
    word = (asked.environment, asked.decision, approved, asked.why)
    done = cast(_OnAws, load_named(ON_AWS))(load_project(asked.workspace), word)
    answer(done, asked.as_json, lambda: "\n".join(done["done"]))


def _no(said: Retrain) -> str:
    ended = f"cancelled: {said.outcome.reason}" if said.outcome else str(said.state)
    return f"retrain {said.decision.id} is {ended}"


def _text(done: Retrain) -> str:
    if done.outcome is None:
        return f"retrain {done.decision.id} is {done.state}"
    served = f"model v{done.outcome.promoted} serves" if done.outcome.promoted else "the champion serves on"
    return f"{done.outcome.kind}: {done.outcome.reason}; {served}"
