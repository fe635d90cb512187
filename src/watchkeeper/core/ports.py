"""What the use cases ask of the world: one Protocol each, one to four methods, values in and out.

Adapters keep these promises in `adapters/local`, `adapters/aws` and `adapters/memory`;
`tests/contract` holds one suite per port and runs it on each of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from watchkeeper.core.audit import AuditEntry, Event, Head
from watchkeeper.core.values import ApprovalStatus, Candidate, Deployment, Sample

ANY = "*"  # in a listing's prefix, the part of a key that may be anything; no key has such a part


class Store(Protocol):
    """Objects under slash-separated keys. Readers never see half an object."""

    def read(self, key: str) -> bytes:
        """The object's bytes. Raises InputError when there is none."""

    def write(self, key: str, data: bytes) -> None:
        """Put the object, replacing what was there."""

    def create(self, key: str, data: bytes) -> None:
        """Put the object. Raises ExistsError, and writes nothing, when the key is taken."""

    def list(self, prefix: str) -> Sequence[str]:
        """Every key that starts with `prefix`, sorted; a part `*` of it is any part of a key.

        `captures/*/2020/01/` lists `captures/blue/2020/01/x` and `captures/green/2020/01/y`.
        """


class SweptStore(Store, Protocol):
    """A store from which what is kept no longer is taken away."""

    def size(self, key: str) -> int:
        """An object's size in bytes; 0 when there is none."""

    def remove(self, key: str) -> None:
        """Take an object away for good; nothing when there is none."""


class Clock(Protocol):
    """What time it is: the wall's on a server, its own in a rehearsal."""

    def now(self) -> datetime:
        """An aware UTC time."""


class Trail(Protocol):
    """The audit log: it only grows."""

    def append(self, event: Event) -> AuditEntry:
        """Chain the event to the newest entry; on return it is on disk and the head names it."""

    def entries(self) -> Sequence[bytes]:
        """The log's lines as stored, oldest first; `core.audit.verify` judges them."""

    def head(self) -> Head:
        """Number and hash of the newest entry, kept outside the log."""


MISSED = "missed"  # tag of a run that is not to be used: which thresholds it missed


class Tracker(Protocol):
    """Where people look for runs and models (MLflow). It mirrors our records and never decides."""

    def log_run(
        self,
        name: str,
        params: Mapping[str, str],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        artefact: str,
    ) -> str:
        """Record a finished training run and the model folder at the path `artefact`; returns the run's id.

        A run with the tag `MISSED` is recorded as failed.
        """

    def register(self, run_id: str, version: int, status: ApprovalStatus) -> None:
        """Make the run's model version `version` of the project's registered model; once is enough."""

    def mirror(self, version: int, tags: Mapping[str, str], aliases: Sequence[str]) -> None:
        """Set tags and move aliases of a registered version."""


class EndpointHost(Protocol):
    """Whatever runs the endpoints of a target."""

    def deploy(self, deployment: Deployment) -> None:
        """Serve the version; returns once it answers. Raises PlatformError, the old one still serving."""

    def try_out(self, candidate: Candidate) -> None:
        """Serve it beside the version that serves; as `deploy`, and a later `deploy` ends it."""

    def withdraw(self, candidate: Candidate) -> None:
        """Serve it no more; once more does no harm."""

    def flush(self) -> None:
        """Return once every answered request is in the store."""

    def samples(self) -> Sequence[Sample]:
        """What the endpoints expose of themselves right now."""
