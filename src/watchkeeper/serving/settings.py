"""What a server is told when it starts, and the files it keeps in its workspace."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

DEFAULT_VARIANT = "AllTraffic"  # SageMaker's name for the only variant


class OnFailure(StrEnum):
    """What becomes of requests whose record cannot be written."""

    REFUSE = "refuse"  # they get a 503
    SERVE = "serve"  # they are answered, and capture is off until it can be written again


@dataclass(frozen=True, slots=True)
class CapturePolicy:
    """`sampling` is the percentage of requests that are captured; `fsync` waits for the disk itself.

    The cells of the columns in `mask` are captured as empty.
    """

    sampling: int = 100
    fsync: bool = False
    on_failure: OnFailure = OnFailure.REFUSE
    mask: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """One endpoint."""

    name: str
    environment: str
    variant: str = DEFAULT_VARIANT
    capture: CapturePolicy = CapturePolicy()


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """One server. Port 0 takes any free one. Only a rehearsal's server believes a request's own time."""

    project: str
    workspace: Path
    endpoints: tuple[EndpointSettings, ...]
    rehearsal: bool = False
    host: str = "127.0.0.1"
    port: int = 8080

    @property
    def spool(self) -> Path:
        """Folder of capture files that are not in the store yet."""
        return self.workspace / "spool"

    @property
    def run_file(self) -> Path:
        """Where a running server says how it is reached."""
        return self.workspace / "run" / "server.json"
