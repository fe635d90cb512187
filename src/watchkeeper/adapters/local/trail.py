"""The audit log as files: one an entry, and a head beside the log's folder."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from watchkeeper.adapters import chained
from watchkeeper.adapters.chained import HEAD
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.core.audit import AuditEntry, Event, Head
from watchkeeper.core.encoding import encode
from watchkeeper.core.errors import PlatformError
from watchkeeper.core.ports import Clock

_LOCK = "audit.lock"


@dataclass(frozen=True, slots=True)
class FolderTrail:
    """A `Trail` below a folder. `wall` is asked for `recorded_at`, whatever clock the events follow.

    Several processes may append: a lock file keeps head and log together.
    """

    store: FolderStore
    wall: Clock

    def append(self, event: Event) -> AuditEntry:
        with self._locked():
            return chained.append(self.store, event, self.wall, self._put_head)

    def entries(self) -> Sequence[bytes]:
        return chained.entries(self.store)

    def head(self) -> Head:
        return chained.head_of(self.store)

    @contextlib.contextmanager
    def still(self) -> Iterator[None]:
        """Nothing is appended while the block runs, and log and head agree."""
        with self._locked():
            head = chained.settled(self.store)
            if head != self.head():
                self._put_head(head)
            yield

    def _put_head(self, head: Head) -> None:
        self.store.write(HEAD, encode(head))

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        path = self.store.path(_LOCK)
        with contextlib.ExitStack() as held:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                lock = held.enter_context(path.open("wb"))
                fcntl.flock(lock, fcntl.LOCK_EX)
            except OSError as error:
                raise PlatformError(
                    f"lock the audit log by {path}: {error.strerror or error}", retryable=False
                ) from error
            yield
