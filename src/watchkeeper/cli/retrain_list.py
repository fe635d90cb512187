"""`watchkeeper retrain list`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from watchkeeper.adapters.local.lock import held
from watchkeeper.app.retraining.retrains import Retrain, RetrainState, retrains
from watchkeeper.app.setup.project import load_project
from watchkeeper.app.setup.workspace import LOCK, open_workspace
from watchkeeper.cli.output import answer, json_option, table, workspace_option


@dataclass(frozen=True, slots=True)
class RetrainList:
    """One environment's retrains."""

    environment: str
    retrains: tuple[Retrain, ...]


@click.command("list")
@workspace_option
@json_option
def list_(workspace: Path, as_json: bool) -> None:
    """Print every retrain that a decision asked for, and where it stands."""
    opened, project = open_workspace(workspace), load_project(workspace)
    store, busy = opened.store, held(opened.folder / LOCK)
    found = tuple(RetrainList(name, retrains(store, name)) for name in project.environments)
    rows = [(each.environment, *_row(retrain, busy)) for each in found for retrain in each.retrains]
    head = ("environment", "decision", "since", "state", "because", "ended")
    answer(found, as_json, lambda: table(head, rows, "no decision has asked for a retrain"))


def _row(each: Retrain, busy: bool) -> tuple[object, ...]:
    decision, outcome = each.decision, each.outcome
    ended = f"{outcome.kind}: {outcome.reason}" if outcome else "–"
    state = "running" if busy and each.state is RetrainState.INTERRUPTED else each.state.value
    return decision.id, f"{decision.time:%Y-%m-%d %H:%M}", state, decision.reasons[0], ended
