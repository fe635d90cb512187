"""What the commands on AWS have in common: which scopes and layers they are about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from watchkeeper.app.aws.deploying import Choice
from watchkeeper.app.aws.landscape import Landscape, open_landscape
from watchkeeper.app.setup.aws_sections import CENTRAL
from watchkeeper.app.setup.project import load_project

F = TypeVar("F", bound=Callable[..., Any])


def scope_options(command: F) -> F:
    """`--env`, `--central` and `--only`."""
    for option in (
        click.option("--only", metavar="LAYER", help="One layer alone, such as endpoint."),
        click.option("--central", is_flag=True, help="What all environments share."),
        click.option("--env", "environments", multiple=True, help="One environment; may be repeated."),
    ):
        command = option(command)
    return command


def chosen(
    workspace: Path, environments: tuple[str, ...], central: bool, only: str | None
) -> tuple[Landscape, Choice]:
    """The project on AWS as whoever runs this, and what the command is about: all of it without an option."""
    project = load_project(workspace)
    for name in environments:
        project.environment(name)
    scopes = ((CENTRAL,) if central else ()) + environments
    return open_landscape(project), Choice(scopes or (CENTRAL, *project.environments), only)
