"""What a server is told when it starts, and the files it keeps in its workspace."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from watchkeeper.core.values import Payload

DEFAULT_VARIANT = "AllTraffic"  # SageMaker's name for the only variant
CSV_TYPES = ("text/csv",)
JSON_TYPES = ("application/json", "application/jsonlines")


class OnFailure(StrEnum):
    """What becomes of requests whose record cannot be written."""

    REFUSE = "refuse"  # they get a 503
    SERVE = "serve"  # they are answered, and capture is off until it can be written again


class CaptureMode(StrEnum):
    """A side of a request that is captured, in SageMaker's words."""

    INPUT = "Input"
    OUTPUT = "Output"


@dataclass(frozen=True, slots=True)
class CapturePolicy:
    """`sampling` is the percentage of requests that are captured; `fsync` waits for the disk itself.

    The cells of the columns in `mask` are captured as empty. A body is captured as CSV or JSON when its
    content type is listed as such, and else in base64, as `CaptureContentTypeHeader` has it.
    """

    sampling: int = 100
    options: frozenset[CaptureMode] = frozenset(CaptureMode)
    csv_content_types: tuple[str, ...] = CSV_TYPES
    json_content_types: tuple[str, ...] = JSON_TYPES
    fsync: bool = False
    on_failure: OnFailure = OnFailure.REFUSE
    mask: frozenset[str] = frozenset()

    def payload(self, mode: CaptureMode, body: str, content_type: str | None) -> Payload | None:
        """One side as it is captured; None when it is not."""
        if mode not in self.options:
            return None
        kind = (content_type or "").partition(";")[0].strip().lower()
        if kind in self.csv_content_types:
            return Payload(body, "CSV", content_type)
        if kind in self.json_content_types:
            return Payload(body, "JSON", content_type)
        return Payload(base64.b64encode(body.encode()).decode(), "BASE64", content_type)


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """One endpoint."""

    name: str
    environment: str
    variant: str = DEFAULT_VARIANT
    capture: CapturePolicy = CapturePolicy()


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """One server. Port 0 takes any free one. Only a rehearsal's server believes a request's own time.

    With several `workers` each is a process of its own, and all of them share the port.
    """

    project: str
    workspace: Path
    endpoints: tuple[EndpointSettings, ...]
    rehearsal: bool = False
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1

    @property
    def spool(self) -> Path:
        """Folder of capture files that are not in the store yet; that of each worker lies in it."""
        return self.workspace / "spool"

    def spool_of(self, worker: int) -> Path:
        """The spool that one worker alone writes to."""
        return self.spool / f"worker-{worker}" if self.workers > 1 else self.spool

    @property
    def run_file(self) -> Path:
        """Where a running server says how it is reached."""
        return self.workspace / "run" / "server.json"
