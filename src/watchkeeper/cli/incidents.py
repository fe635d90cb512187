"""`watchkeeper incidents`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import click

from watchkeeper.adapters.local.actor import os_user
from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.app.alerts.closing import Closing, IncidentLabel, close_incident, closings
from watchkeeper.app.alerts.holding import Hold
from watchkeeper.app.alerts.holding import hold as put_hold
from watchkeeper.app.alerts.incident_records import incident_record
from watchkeeper.app.alerts.incident_stories import find_incident, incident_story, known_incidents
from watchkeeper.app.alerts.mirroring import Mirror
from watchkeeper.app.alerts.searching import FoundIncident, search_incidents
from watchkeeper.app.setup.project import load_project
from watchkeeper.app.setup.workspace import OpenBooks, open_workspace
from watchkeeper.cli.output import answer, json_option, table, workspace_option
from watchkeeper.core.incidents import Incident


@dataclass(frozen=True, slots=True)
class ListedIncident:
    """One incident of a list, with the last word on it."""

    environment: str
    incident: Incident
    closing: Closing | None


@click.group()
def incidents() -> None:
    """Show and find incidents, and say what they were."""


@incidents.command("list")
@click.option("--for", "environment", help="One environment's alone.")
@click.option("--open", "only_open", is_flag=True, help="Those alone that go on.")
@workspace_option
@json_option
def list_(environment: str | None, only_open: bool, workspace: Path, as_json: bool) -> None:
    """Print incidents, the newest first."""
    opened, project = open_workspace(workspace), load_project(workspace)
    if environment is not None:
        project.environment(environment)
    names = (environment,) if environment else project.environments
    found = [
        ListedIncident(name, each, closings(opened.store, name).get(each.id))
        for name in names
        for each in known_incidents(opened.store, name)
        if not only_open or each.ended_at is None
    ]
    found.sort(key=lambda each: each.incident.started_at, reverse=True)
    head = ("incident", "environment", "severity", "what", "began", "ended", "label")
    rows = [_row(each) for each in found]
    answer(tuple(found), as_json, lambda: table(head, rows, "no incident is on record"))


@incidents.command()
@click.argument("incident")
@workspace_option
@json_option
def show(incident: str, workspace: Path, as_json: bool) -> None:
    """Print the record of INCIDENT (its id, or the beginning of it), as Markdown."""
    store, project = open_workspace(workspace).store, load_project(workspace)
    environment, found = find_incident(store, project.environments, incident)
    story = incident_story(store, environment, found)
    answer(story, as_json, lambda: incident_record(story, project.classification).rstrip("\n"))


@incidents.command()
@click.argument("words", nargs=-1, required=True)
@click.option("--for", "environment", help="One environment's alone.")
@workspace_option
@json_option
def search(words: tuple[str, ...], environment: str | None, workspace: Path, as_json: bool) -> None:
    """Print the incidents whose records hold all of WORDS: a rule, a column, a cause, a person, a remedy."""
    opened, project = open_workspace(workspace), load_project(workspace)
    if environment is not None:
        project.environment(environment)
    found = search_incidents(opened.store, (environment,) if environment else project.environments, words)
    answer(found, as_json, lambda: "\n\n".join(map(_found, found)) or "no incident has all of these words")


@incidents.command()
@workspace_option
@json_option
def mirror(workspace: Path, as_json: bool) -> None:
    """Put what the knowledge base has not got yet, and print what it has.

    The watch does so by itself. Exit code 1 when a page could not be put.
    """
    opened, project = open_workspace(workspace), load_project(workspace)
    books = OpenBooks(project, opened.store, WallClock(), opened.trail)
    mirrors = [Mirror(books, name, opened.folder) for name in project.environments]
    for each in mirrors:
        each.run()
    found = tuple(state for each in mirrors for state in each.state())
    rows = [(each.environment, each.shelf, each.pages, each.failing or "–") for each in found]
    head = ("environment", "place", "pages", "why the newest is not there")
    answer(found, as_json, lambda: table(head, rows, "the project has no knowledge_base"))
    sys.exit(1 if any(each.failing for each in found) else 0)


@incidents.command()
@click.argument("incident")
@click.option("--label", type=click.Choice([each.value for each in IncidentLabel]), required=True)
@click.option("--cause", default="", help="What it came from.")
@click.option("--remedy", default="", help="What was done about it.")
@workspace_option
@json_option
def close(incident: str, label: str, cause: str, remedy: str, workspace: Path, as_json: bool) -> None:
    """Say what INCIDENT was, once its alerts are resolved: something to act on, or nothing.

    It stands beside later incidents that are like it. Said again, the last word counts.
    """
    opened, project = open_workspace(workspace), load_project(workspace)
    environment, found = find_incident(opened.store, project.environments, incident)
    clock = WallClock()
    said = Closing(found.id, IncidentLabel(label), cause, remedy, os_user(), clock.now())
    close_incident(OpenBooks(project, opened.store, clock, opened.trail), environment, found, said)
    answer(said, as_json, lambda: f"incident {found.id} was {said.label}")


@incidents.command()
@click.argument("incident")
@click.option("--why", required=True, help="The reason, for the audit log.")
@workspace_option
@json_option
def hold(incident: str, why: str, workspace: Path, as_json: bool) -> None:
    """Keep everything that belongs to INCIDENT, however old it gets: `watchkeeper gc` leaves it."""
    said = _held(workspace, incident, why, held=True)
    answer(said, as_json, lambda: f"incident {said.incident} is held")


@incidents.command()
@click.argument("incident")
@click.option("--why", required=True, help="The reason, for the audit log.")
@workspace_option
@json_option
def release(incident: str, why: str, workspace: Path, as_json: bool) -> None:
    """Let what belongs to INCIDENT go when its time is over."""
    said = _held(workspace, incident, why, held=False)
    answer(said, as_json, lambda: f"incident {said.incident} is held no longer")


def _held(workspace: Path, named: str, why: str, *, held: bool) -> Hold:
    opened, project, clock = open_workspace(workspace), load_project(workspace), WallClock()
    environment, found = find_incident(opened.store, project.environments, named)
    books = OpenBooks(project, opened.store, clock, opened.trail)
    return put_hold(books, environment, found, Hold(found.id, held, os_user(), clock.now(), why))


def _found(each: FoundIncident) -> str:
    incident = each.incident
    head = f"{incident.id} in {each.environment}, {incident.started_at:%Y-%m-%d %H:%M}"
    return "\n".join([head, *(f"  {line.strip()}" for line in each.lines)])


def _row(each: ListedIncident) -> tuple[object, ...]:
    incident = each.incident
    return (
        incident.id,
        each.environment,
        dict(incident.group)["severity"],
        ", ".join(dict.fromkeys(alert.name for alert in incident.alerts)),
        f"{incident.started_at:%Y-%m-%d %H:%M}",
        f"{incident.ended_at:%Y-%m-%d %H:%M}" if incident.ended_at else "goes on",
        each.closing.label if each.closing else "–",
    )
