"""`--target`: on this machine, or on AWS."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from watchkeeper.app.setup.project import load_project
from watchkeeper.app.setup.targets import TARGETS, Target, actor_on, open_target
from watchkeeper.app.setup.workspace import open_workspace
from watchkeeper.core.ports import Store
from watchkeeper.core.values import Actor

F = TypeVar("F", bound=Callable[..., Any])


def target_option(command: F) -> F:
    """Where the command works."""
    return click.option(
        "--target",
        type=click.Choice(list(TARGETS)),
        default="local",
        show_default=True,
        help="On this machine, or on AWS, whose records are in the project's bucket.",
    )(command)


def acting(workspace: Path, name: str) -> tuple[Target, Actor]:
    """The target, and who acts on it: the system's user here, the caller that AWS names there."""
    project = load_project(workspace)
    return open_target(project, open_workspace(workspace).folder, name), actor_on(project, name)


def records_of(workspace: Path, name: str) -> Store:
    """A target's records, to be read; here nothing else of it is loaded."""
    if name == "local":
        return open_workspace(workspace).store
    return acting(workspace, name)[0].store
