"""`watchkeeper config`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from watchkeeper.app.setup.origins import settings_of, settings_text
from watchkeeper.app.setup.project import load_project
from watchkeeper.cli.output import answer, json_option, workspace_option


@dataclass(frozen=True, slots=True)
class Checked:
    """A project file that can be used."""

    file: str
    project: str
    environments: tuple[str, ...]
    monitors: tuple[str, ...]
    alerts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """The settings of an environment, or of none, and where each comes from, by its keys."""

    environment: str | None
    settings: dict[str, Any]
    origins: dict[str, str]


@click.group()
def config() -> None:
    """Check and show the project file."""


@config.command()
@workspace_option
@json_option
def check(workspace: Path, as_json: bool) -> None:
    """Read the project file and say what it describes, or every fault with its line."""
    project = load_project(workspace)
    settings = project.settings
    checked = Checked(
        str(project.path),
        project.name,
        project.environments,
        tuple(settings.monitors),
        tuple(a.name for a in settings.alerts),
    )
    answer(
        checked,
        as_json,
        lambda: (
            f"{checked.file}: fine\n"
            f"project {checked.project}, environments {' → '.join(checked.environments)}\n"
            f"monitors {', '.join(checked.monitors)}; alerts {', '.join(checked.alerts)}"
        ),
    )


@config.command()
@workspace_option
@click.option("--for", "--env", "environment", help="As this environment overrides it.")
@json_option
def show(workspace: Path, environment: str | None, as_json: bool) -> None:
    """Print the settings as they are used, defaults included, and where each comes from.

    What is printed is YAML. Secrets are shown as the references that they are.
    """
    project = load_project(workspace)
    settings = project.environment(environment) if environment else project.settings
    found = settings_of(project, environment)
    shown = Shown(
        environment,
        settings.model_dump(mode="json", by_alias=True),
        {each.name: each.origin for each in found},
    )
    answer(shown, as_json, lambda: settings_text(found))
