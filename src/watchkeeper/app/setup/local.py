"""The target `local`: folders below a workspace, MLflow on SQLite, endpoints on loopback."""

from __future__ import annotations

from pathlib import Path

from watchkeeper.adapters.local.actor import os_user
from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.adapters.local.endpoint import LocalEndpointHost
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.adapters.local.tracking import MlflowTracker
from watchkeeper.adapters.local.trail import FolderTrail
from watchkeeper.app.setup.project import Project
from watchkeeper.app.setup.targets import Target
from watchkeeper.core.ports import Clock
from watchkeeper.core.values import Actor


def target(project: Project, folder: Path, clock: Clock | None = None) -> Target:
    """The project in a workspace folder, which is made when it is first written to."""
    wall = WallClock()
    store = FolderStore(folder.resolve())
    return Target(
        project=project,
        folder=folder.resolve(),
        store=store,
        clock=clock or wall,
        trail=FolderTrail(store, wall),
        tracker=MlflowTracker(folder.resolve() / "mlflow", project.name),
        host=LocalEndpointHost(folder.resolve() / "run" / "server.json"),
    )


def caller(_: Project) -> Actor:
    """Who acts on this machine: its user."""
    return os_user()
