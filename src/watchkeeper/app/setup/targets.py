"""Where the loop runs: the ports of one target, handed to every use case as one value."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, cast

from watchkeeper.app.setup.project import Project
from watchkeeper.core.errors import InputError
from watchkeeper.core.ports import Clock, EndpointHost, Store, Tracker, Trail

TARGETS: Mapping[str, str] = MappingProxyType(
    {"local": "watchkeeper.app.setup.local:target", "aws": "watchkeeper.app.aws.target:target"}
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
    module, _, function = TARGETS[name].partition(":")
    return cast(_Opens, getattr(importlib.import_module(module), function))(project, folder, clock)
