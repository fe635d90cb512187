"""The audit log as objects of a bucket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from watchkeeper.adapters import chained
from watchkeeper.adapters.aws.lease import S3Lease
from watchkeeper.adapters.aws.store import S3Store
from watchkeeper.adapters.chained import HEAD
from watchkeeper.core.audit import AuditEntry, Event, Head
from watchkeeper.core.encoding import encode
from watchkeeper.core.errors import InputError, IntegrityError
from watchkeeper.core.ports import Clock

LEASE = "audit-lease.json"


@dataclass(frozen=True, slots=True)
class S3Trail:
    """A `Trail` in a bucket. `wall` is asked for `recorded_at` and for how long a lease lasts.

    Whoever appends holds a lease. A holder that slept past it finds the head changed and appends nothing:
    the head is replaced only where it still is what was read.
    """

    store: S3Store
    wall: Clock

    def append(self, event: Event) -> AuditEntry:
        with S3Lease(self.store, LEASE, self.wall).held("append to the audit log"):
            return chained.append(self.store, event, self.wall, _Tagged(self.store).put)

    def entries(self) -> Sequence[bytes]:
        return chained.entries(self.store)

    def head(self) -> Head:
        return chained.head_of(self.store)


class _Tagged:
    """The head, put only where nobody else has put one since it was read."""

    def __init__(self, store: S3Store) -> None:
        self.store = store
        self.tag = self._read()

    def put(self, head: Head) -> None:
        if not self.store.replace(HEAD, encode(head), self.tag):
            raise IntegrityError(
                f"append audit entry to s3://{self.store.bucket}: the head changed meanwhile; run "
                "`watchkeeper audit verify`"
            )
        self.tag = self._read()

    def _read(self) -> str | None:
        try:
            return self.store.read_tagged(HEAD)[1]
        except InputError:  # there is none yet
            return None
