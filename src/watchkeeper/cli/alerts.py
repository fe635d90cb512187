"""`watchkeeper alerts`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import click

from watchkeeper.adapters.local.actor import os_user
from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.app.alerts.acknowledging import acknowledge
from watchkeeper.app.alerts.alerting import alert_history, open_alerts
from watchkeeper.app.alerts.deciding import decisions
from watchkeeper.app.alerts.incident_stories import find_incident
from watchkeeper.app.alerts.trying_out import TriedOutlet, try_receiver
from watchkeeper.app.setup.project import load_project
from watchkeeper.app.setup.workspace import OpenBooks, open_workspace
from watchkeeper.cli.alerts_mute import mute, mutes, unmute_
from watchkeeper.cli.output import answer, json_option, table, workspace_option
from watchkeeper.core.decisions import Decision
from watchkeeper.core.incidents import Acknowledgement
from watchkeeper.core.rules import Alert


@dataclass(frozen=True, slots=True)
class AlertList:
    """One environment's alerts and what was decided on them."""

    environment: str
    alerts: tuple[Alert, ...]
    decisions: tuple[Decision, ...]


@click.group()
def alerts() -> None:
    """Show alerts and the decisions on them, mute them, and try receivers."""


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


@alerts.command("test")
@click.argument("receiver")
@click.option(
    "--for", "environment", metavar="ENV", help="Whose receiver it is (default: the last environment's)."
)
@workspace_option
@json_option
def test_(receiver: str, environment: str | None, workspace: Path, as_json: bool) -> None:
    """Send RECEIVER a notification that says it is a test, over every way it has.

    Exit code 1 when one of them does not arrive.
    """
    opened, project = open_workspace(workspace), load_project(workspace)
    books = OpenBooks(project, opened.store, WallClock(), opened.trail)
    found = try_receiver(books, environment or project.environments[-1], receiver, os_user())
    answer(found, as_json, lambda: "\n".join(map(_tried, found)))
    sys.exit(0 if all(each.delivery.delivered for each in found) else 1)


@alerts.command()
@click.argument("incident")
@click.option("--reason", required=True, help="What you are about to do.")
@workspace_option
@json_option
def ack(incident: str, reason: str, workspace: Path, as_json: bool) -> None:
    """Say that you are at INCIDENT (its id, or the beginning of it): it is repeated and escalated no more.

    It is hidden nowhere, and what joins it or is resolved is told as ever.
    """
    opened, project = open_workspace(workspace), load_project(workspace)
    environment, found = find_incident(opened.store, project.environments, incident)
    books = OpenBooks(project, opened.store, WallClock(), opened.trail)
    said = acknowledge(
        books, environment, found, Acknowledgement(found.id, os_user(), books.clock.now(), reason)
    )
    answer(said, as_json, lambda: f"{said.actor.name} is at incident {found.id}")


alerts.add_command(mute)
alerts.add_command(unmute_)
alerts.add_command(mutes)


def _tried(each: TriedOutlet) -> str:
    return f"{each.outlet}: {'delivered' if each.delivery.delivered else each.delivery.reason}"


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
