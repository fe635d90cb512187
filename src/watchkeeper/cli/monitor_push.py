"""`watchkeeper monitor push`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.adapters.local.remote_write import RemoteWrite
from watchkeeper.adapters.secrets import REFERENCE
from watchkeeper.app.monitoring.pushing import receivers_of, samples_to_push
from watchkeeper.app.registry.executions import Exposures
from watchkeeper.app.setup.project import load_project
from watchkeeper.app.setup.workspace import OpenBooks, open_workspace
from watchkeeper.cli.output import answer, json_option, table, workspace_option
from watchkeeper.core.errors import InputError


@dataclass(frozen=True, slots=True)
class Pushed:
    """How many series of an environment went where."""

    environment: str
    url: str
    series: int


@click.command()
@click.argument("url", required=False)
@click.option(
    "--token",
    default="",
    help="A reference to its bearer token, ${env:NAME}, ${file:PATH} or ${aws-secret:ARN}.",
)
@click.option("--for", "environment", help="One environment's alone.")
@workspace_option
@json_option
def push(url: str | None, token: str, environment: str | None, workspace: Path, as_json: bool) -> None:
    """Push what monitors expose by Prometheus' remote write, to URL or where `telemetry` says, as of now.

    For jobs that end, such as a monitor that another scheduler runs: `watchkeeper monitor run … ; watchkeeper
    monitor push`. The watch pushes by itself where `telemetry` names receivers.
    """
    if token and not REFERENCE.fullmatch(token):
        raise click.UsageError(
            "--token: want a reference, ${env:NAME}, ${file:PATH} or ${aws-secret:ARN}, not the token itself"
        )
    opened, project = open_workspace(workspace), load_project(workspace)
    if environment is not None:
        project.environment(environment)
    books = OpenBooks(project, opened.store, WallClock(), opened.trail)
    known, found = receivers_of(project), samples_to_push(books, Exposures(opened.store))
    done = []
    for name in (environment,) if environment else project.environments:
        for receiver in (RemoteWrite(url, token),) if url else known[name]:
            receiver.push(found[name], books.clock.now())
            done.append(Pushed(name, receiver.url, len(found[name])))
    if not done:
        raise InputError("push metrics: want a URL, or receivers in telemetry.remote_write, got none")
    rows = [(each.environment, each.series, each.url) for each in done]
    answer(tuple(done), as_json, lambda: table(("environment", "series", "to"), rows, ""))
