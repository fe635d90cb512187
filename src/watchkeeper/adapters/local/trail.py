"""The audit log as files: one an entry, and a head beside the log's folder."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.core.audit import AuditEntry, Event, Head, chain, read_entry, settle
from watchkeeper.core.encoding import decode, encode
from watchkeeper.core.errors import ExistsError, InputError, IntegrityError, PlatformError
from watchkeeper.core.ports import Clock

LOG = "audit/"
HEAD = "audit-head.json"
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
            head = self._settled()
            entry = chain(head, event, self.wall.now())
            self.store.write(HEAD, encode(Head(head.number, head.hash, pending=entry.hash)))
            try:
                self.store.create(_key(entry.number), entry.line())
            except ExistsError:
                raise IntegrityError(
                    f"append audit entry {entry.number}: the log holds an entry of that number already, "
                    f"but the head names entry {head.number} as the newest; run `watchkeeper audit verify`"
                ) from None
            self.store.write(HEAD, encode(Head(entry.number, entry.hash)))
            return entry

    def entries(self) -> Sequence[bytes]:
        return [self.store.read(key) for key in self.store.list(LOG)]

    def head(self) -> Head:
        try:
            data = self.store.read(HEAD)
        except InputError:  # there is none yet
            return Head()
        try:
            return decode(Head, data)
        except ValueError as error:
            raise IntegrityError(
                f"read the head of the audit log, {self.store.path(HEAD)}: {error}"
            ) from error

    @contextlib.contextmanager
    def still(self) -> Iterator[None]:
        """Nothing is appended while the block runs, and log and head agree."""
        with self._locked():
            head = self._settled()
            if head != self.head():
                self.store.write(HEAD, encode(head))
            yield

    def _settled(self) -> Head:
        head = self.head()
        if head.pending is None:
            return head
        following = _key(head.number + 1)
        if following not in self.store.list(following):
            return settle(head, None)
        try:
            return settle(head, read_entry(self.store.read(following)))
        except ValueError as error:
            raise IntegrityError(
                f"read audit entry {following}: {error}; run `watchkeeper audit verify`"
            ) from error

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


def _key(number: int) -> str:
    return f"{LOG}{number:010d}.json"
