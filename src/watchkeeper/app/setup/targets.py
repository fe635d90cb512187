"""Where the loop runs: the ports of one target, handed to every use case as one value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, cast

from watchkeeper.app.setup.extras import loaded
from watchkeeper.app.setup.project import Project
from watchkeeper.core.errors import InputError
from watchkeeper.core.ports import Clock, EndpointHost, Store, Tracker, Trail
from watchkeeper.core.values import Actor

TARGETS: Mapping[str, str] = MappingProxyType(
    {"local": "watchkeeper.app.setup.local:target", "aws": "watchkeeper.app.aws.target:target"}
)
ACTORS: Mapping[str, str] = MappingProxyType(
    {"local": "watchkeeper.app.setup.local:caller", "aws": "watchkeeper.app.aws.target:caller"}
)


@dataclass(frozen=True, slots=True)
class Target:
    """Everything a use case may touch. `folder` is for files that are worked on before they are stored."""

    project: Project
    folder: Path
    store: Store
    clock: Clock
    trail: Trail
    tracker: Tracker
    host: EndpointHost


class Books(Protocol):
    """What it takes to keep a project's records, and no more: every `Target` is one."""

    @property
    def project(self) -> Project: ...
    @property
    def store(self) -> Store: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def trail(self) -> Trail: ...


class _Opens(Protocol):
    def __call__(self, project: Project, folder: Path, clock: Clock | None = None) -> Target: ...


def open_target(project: Project, folder: Path, name: str = "local", clock: Clock | None = None) -> Target:
    """The target `name` of a project, on the wall's clock unless another is given.

    Raises InputError when the project file does not have it.
    """
    if name not in TARGETS or name not in project.settings.targets.names:
        known = ", ".join(sorted(set(TARGETS) & set(project.settings.targets.names)))
        raise InputError(f'open target "{name}" of project {project.name}: want one of {known}')
    return cast(_Opens, loaded(TARGETS[name], f"open target {name}"))(project, folder, clock)


def actor_on(project: Project, name: str = "local") -> Actor:
    """Who acts on a target, as the target knows it: never a name that was typed in."""
    return cast(Callable[[Project], Actor], loaded(ACTORS[name], f"open target {name}"))(project)
