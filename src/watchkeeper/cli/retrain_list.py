"""`watchkeeper retrain list`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from watchkeeper.app.project import load_project
from watchkeeper.app.retrains import Retrain, retrains
from watchkeeper.app.workspace import open_workspace
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
    store, project = open_workspace(workspace).store, load_project(workspace)
    found = tuple(RetrainList(name, retrains(store, name)) for name in project.environments)
    rows = [(each.environment, *_row(retrain)) for each in found for retrain in each.retrains]
    head = ("environment", "decision", "since", "state", "because", "ended")
    answer(found, as_json, lambda: table(head, rows, "no decision has asked for a retrain"))


def _row(each: Retrain) -> tuple[object, ...]:
    decision, outcome = each.decision, each.outcome
    ended = f"{outcome.kind}: {outcome.reason}" if outcome else "–"
    return decision.id, f"{decision.time:%Y-%m-%d %H:%M}", each.state, decision.reasons[0], ended
