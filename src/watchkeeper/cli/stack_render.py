"""`watchkeeper stack render`, and what `stack up` shares with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from watchkeeper.app.alerts.door import DOOR_TOKEN, door_token
from watchkeeper.app.setup.project import Project, load_project
from watchkeeper.app.setup.workspace import open_workspace
from watchkeeper.app.stack.dashboards import EXTRA, dashboard_files
from watchkeeper.app.stack.files import stack_files, write_stack
from watchkeeper.cli.output import answer, json_option, workspace_option
from watchkeeper.core.windows import Duration
from watchkeeper.render.compose import COMPOSE, compose_yaml
from watchkeeper.render.dashboards import DASHBOARDS
from watchkeeper.render.stack import StackSettings

FOLDER = "stack"
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Written:
    """The files of a stack, for which environments, and how many dashboards in `grafana/`."""

    folder: str
    files: tuple[str, ...]
    environments: tuple[str, ...]
    dashboards: int | None  # none are written where the extra `grafana` is not installed


def stack_options(command: F) -> F:
    """Which environments' rules, and where the three servers answer."""
    options = (
        workspace_option,
        click.option(
            "--for",
            "environments",
            multiple=True,
            help="An environment whose rules to write; may be repeated (default: all).",
        ),
        click.option("--watchkeeper", default="127.0.0.1:8321", show_default=True, help="Where we answer."),
        click.option("--prometheus", default="127.0.0.1:9090", show_default=True, help="Where it listens."),
        click.option("--alertmanager", default="127.0.0.1:9093", show_default=True, help="Where it listens."),
        click.option(
            "--interval", default="15s", show_default=True, help="Between two scrapes, and two evaluations."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@stack_options
@json_option
def render(
    workspace: Path,
    environments: Sequence[str],
    watchkeeper: str,
    prometheus: str,
    alertmanager: str,
    interval: str,
    as_json: bool,
) -> None:
    """Write prometheus.yml, rules.yml, alertmanager.yml and docker-compose.yml into the workspace's folder
    stack/, and Grafana's dashboards with what provisions them into stack/grafana/.

    Alertmanager is given the token of run/alerts.token, which is made when it is not there.
    """
    project, settings = asked(workspace, watchkeeper, prometheus, alertmanager, interval)
    written = write(project, workspace, environments, settings)
    answer(written, as_json, lambda: _text(written))


def asked(
    workspace: Path, watchkeeper: str, prometheus: str, alertmanager: str, interval: str
) -> tuple[Project, StackSettings]:
    """What the options say. Raises InputError without a project, UsageError for an interval that is none."""
    folder = open_workspace(workspace).folder
    try:
        length = Duration.parse(interval)
    except ValueError as error:
        raise click.UsageError(f"--interval: {error}") from None
    settings = StackSettings(
        token_file=str(folder / DOOR_TOKEN),
        watchkeeper=watchkeeper,
        prometheus=prometheus,
        alertmanager=alertmanager,
        interval=length.seconds * 1000,
    )
    return load_project(workspace), settings


def write(project: Project, workspace: Path, environments: Sequence[str], settings: StackSettings) -> Written:
    """Write the files into the workspace, and the token when it is not there."""
    root = open_workspace(workspace).folder
    chosen = tuple(environments) or project.environments
    folder = root / FOLDER
    files = stack_files(project, chosen, settings)
    dashboards = dashboard_files(settings.prometheus, str(folder))
    door_token(root)
    composed = {COMPOSE: compose_yaml(settings, str(folder), dashboards=dashboards is not None)}
    write_stack(folder, {**files, **composed, **(dashboards or {})})
    return Written(str(folder), tuple(files), chosen, None if dashboards is None else len(DASHBOARDS))


def _text(written: Written) -> str:
    said = f"wrote {', '.join(written.files)} in {written.folder} for {', '.join(written.environments)}"
    if written.dashboards is None:
        return f"{said}; no dashboards: want the extra `{EXTRA}` (pip install 'watchkeeper[{EXTRA}]')"
    return f"{said}; {written.dashboards} dashboards in grafana/"
