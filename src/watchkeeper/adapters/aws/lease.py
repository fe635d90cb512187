"""Turns at something that one may do at a time, as an object of a bucket: there is no lock in S3."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from watchkeeper.adapters.aws.store import S3Store
from watchkeeper.core.encoding import decode, encode
from watchkeeper.core.errors import InputError, PlatformError
from watchkeeper.core.ports import Clock

_HELD = timedelta(seconds=30)  # many times what a turn takes; then its holder counts as dead
_PAUSE = 0.05  # seconds between two looks at a lease that another holds
_PATIENCE = 90.0  # seconds: a dead holder's lease, twice over


@dataclass(frozen=True, slots=True)
class Lease:
    """Whose turn it is, and until when."""

    holder: str
    until: datetime


@dataclass(frozen=True, slots=True)
class S3Lease:
    """A lease under `key`: an object that is created where none is, and taken over once its time is up.

    A holder that slept past it is not stopped by it, so what it guards has to refuse a late word itself.
    """

    store: S3Store
    key: str
    wall: Clock

    @contextlib.contextmanager
    def held(self, doing: str) -> Iterator[None]:
        """Wait for a turn and have it. Raises PlatformError, saying what it was for, when none comes."""
        lease = Lease(secrets.token_hex(8), self.wall.now() + _HELD)
        deadline = time.monotonic() + _PATIENCE
        while not self._taken(lease):
            if time.monotonic() > deadline:
                raise PlatformError(
                    f"{doing} in s3://{self.store.bucket}: others have held {self.key} for "
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
            data, tag = self.store.read_tagged(self.key)
        except InputError:  # nobody holds it
            return self.store.replace(self.key, encode(lease), None)
        held = decode(Lease, data)
        return held.until < self.wall.now() and self.store.replace(self.key, encode(lease), tag)

    def _give_back(self, lease: Lease) -> None:
        """Free for the next; one that another took over meanwhile stays theirs."""
        try:
            data, tag = self.store.read_tagged(self.key)
        except InputError:
            return
        if decode(Lease, data).holder == lease.holder:
            over = Lease(lease.holder, self.wall.now() - _HELD)
            self.store.replace(self.key, encode(over), tag)
