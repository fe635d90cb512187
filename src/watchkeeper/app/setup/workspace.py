"""A workspace: one folder with a project file and every record of its loop.

Opening one loads nothing heavy.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.adapters.local.trail import FolderTrail
from watchkeeper.app.setup.formats import MARKER, check_format
from watchkeeper.app.setup.project import FILE, Project
from watchkeeper.core.errors import InputError
from watchkeeper.core.ports import Clock, Store, SweptStore, Trail

LOCK = "workspace.lock"  # held by whoever rehearses or answers a retrain there

# Whatever use cases write at the top of a workspace; notifications lie where the project file says.
WRITTEN = frozenset(
    {
        FILE,
        "acknowledgements",
        "alert-inbox",
        "alerts",
        "approvals",
        "audit",
        "audit-head.json",
        "audit.lock",
        "baselines",
        "batch",
        "candidates",
        "capture-changes",
        "capture-spool",
        "captures",
        "decisions",
        "deployments",
        "erasures",
        "executions",
        "incidents",
        "history",
        "holds",
        "index.db",
        "index.db-shm",
        "index.db-wal",
        "ground-truth",
        "mlflow",
        "mirrored",
        "models",
        "mutes",
        "outbox",
        "receipts",
        "retrains",
        "run",
        "schemas",
        "shadow-captures",
        "silences",
        "spool",
        "stack",
        "sweeps",
        "tickets",
        "validations",
        "training",
        LOCK,
        MARKER,
    }
)


@dataclass(frozen=True, slots=True)
class OpenBooks:
    """A project's records without anything that runs: `Books` that load nothing heavy."""

    project: Project
    store: Store
    clock: Clock
    trail: Trail


@dataclass(frozen=True, slots=True)
class Workspace:
    """What can be read of a loop without running it."""

    folder: Path
    store: SweptStore
    trail: Trail


def open_workspace(folder: Path) -> Workspace:
    """Raises InputError when the folder holds no project file."""
    found = folder.resolve()
    if not (found / FILE).is_file():
        raise InputError(
            f"open workspace {found}: want a folder with {FILE}, got none; "
            f"`watchkeeper init {folder} --template resale-price` makes one"
        )
    check_format(found)
    store = FolderStore(found)
    return Workspace(found, store, FolderTrail(store, WallClock()))
