"""`watchkeeper alerts`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from watchkeeper.app.alerts.alerting import alert_history, open_alerts
from watchkeeper.app.alerts.deciding import decisions
from watchkeeper.app.setup.project import load_project
from watchkeeper.app.setup.workspace import open_workspace
from watchkeeper.cli.output import answer, json_option, table, workspace_option
from watchkeeper.core.decisions import Decision
from watchkeeper.core.rules import Alert


@dataclass(frozen=True, slots=True)
class AlertList:
    """One environment's alerts and what was decided on them."""

    environment: str
    alerts: tuple[Alert, ...]
    decisions: tuple[Decision, ...]


@click.group()
def alerts() -> None:
    """Show alerts and the decisions on them."""


@alerts.command("list")
@workspace_option
@click.option(
    "--all", "everything", is_flag=True, help="Every change of every alert, not only those open now."
)
@json_option
def list_(workspace: Path, everything: bool, as_json: bool) -> None:
    """Print the open alerts of each environment, with the decision on each."""
    store, project = open_workspace(workspace).store, load_project(workspace)
    chosen = alert_history if everything else open_alerts
    found = tuple(
        AlertList(name, chosen(store, name), decisions(store, name)) for name in project.environments
    )
    rows = [(each.environment, *_row(alert, each.decisions)) for each in found for alert in each.alerts]
    head = ("environment", "alert", "state", "severity", "since", "summary", "decision")
    answer(found, as_json, lambda: table(head, rows, "no alert is open"))


def _row(alert: Alert, made: tuple[Decision, ...]) -> tuple[object, ...]:
    decided = [decision.kind.value for decision in made if decision.fingerprint == alert.fingerprint]
    return (
        alert.name,
        alert.state,
        alert.severity,
        f"{alert.since:%Y-%m-%d %H:%M}",
        alert.summary,
        decided[-1] if decided else "none yet",
    )
