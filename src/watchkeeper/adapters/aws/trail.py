"""The audit log as objects of a bucket."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from watchkeeper.adapters import chained
from watchkeeper.adapters.aws.store import S3Store
from watchkeeper.adapters.chained import HEAD
from watchkeeper.core.audit import AuditEntry, Event, Head
from watchkeeper.core.encoding import decode, encode
from watchkeeper.core.errors import InputError, IntegrityError, PlatformError
from watchkeeper.core.ports import Clock

LEASE = "audit-lease.json"
_HELD = timedelta(seconds=30)  # many times what an append takes; then its holder counts as dead
_PAUSE = 0.05  # seconds between two looks at a lease that another holds
_PATIENCE = 90.0  # seconds: a dead holder's lease, twice over


@dataclass(frozen=True, slots=True)
class Lease:
    """Who may append, and until when."""

    holder: str
    until: datetime


@dataclass(frozen=True, slots=True)
class S3Trail:
    """A `Trail` in a bucket. `wall` is asked for `recorded_at` and for how long a lease lasts.

    There is no lock in S3, so whoever appends holds a lease: an object that is created where none is, and
    taken over once its time is up. A holder that slept past its lease finds the head changed and appends
    nothing: the head, too, is replaced only where it still is what was read.
    """

    store: S3Store
    wall: Clock

    def append(self, event: Event) -> AuditEntry:
        with self._held():
            return chained.append(self.store, event, self.wall, _Tagged(self.store).put)

    def entries(self) -> Sequence[bytes]:
        return chained.entries(self.store)

    def head(self) -> Head:
        return chained.head_of(self.store)

    @contextlib.contextmanager
    def _held(self) -> Iterator[None]:
        lease = Lease(secrets.token_hex(8), self.wall.now() + _HELD)
        deadline = time.monotonic() + _PATIENCE
        while not self._taken(lease):
            if time.monotonic() > deadline:
                raise PlatformError(
                    f"append to the audit log in s3://{self.store.bucket}: others have held {LEASE} for "
                    f"{_PATIENCE:.0f} seconds",
                    retryable=True,
                )
            time.sleep(_PAUSE)
            lease = Lease(lease.holder, self.wall.now() + _HELD)
        try:
            yield
        finally:
            self._give_back(lease)

    def _taken(self, lease: Lease) -> bool:
        try:
            data, tag = self.store.read_tagged(LEASE)
        except InputError:  # nobody holds it
            return self.store.replace(LEASE, encode(lease), None)
        held = decode(Lease, data)
        return held.until < self.wall.now() and self.store.replace(LEASE, encode(lease), tag)

    def _give_back(self, lease: Lease) -> None:
        """Free for the next; one that another took over meanwhile stays theirs."""
        try:
            data, tag = self.store.read_tagged(LEASE)
        except InputError:
            return
        if decode(Lease, data).holder == lease.holder:
            over = Lease(lease.holder, self.wall.now() - _HELD)
            self.store.replace(LEASE, encode(over), tag)


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
