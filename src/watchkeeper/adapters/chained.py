"""The audit log as objects of a store: one an entry, and a head beside them.

One process at a time appends; each target has its own way to see to that. The head names an entry before it
is written, so that what a crash leaves is told apart from what a hand took away.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from watchkeeper.core.audit import AuditEntry, Event, Head, chain, read_entry, settle
from watchkeeper.core.encoding import decode
from watchkeeper.core.errors import ExistsError, InputError, IntegrityError
from watchkeeper.core.ports import Clock, Store

LOG = "audit/"
HEAD = "audit-head.json"


def append(store: Store, event: Event, wall: Clock, put_head: Callable[[Head], None]) -> AuditEntry:
    """Chain the event to the newest entry; to be called by one at a time."""
    head = settled(store)
    entry = chain(head, event, wall.now())
    put_head(Head(head.number, head.hash, pending=entry.hash))
    try:
        store.create(_key(entry.number), entry.line())
    except ExistsError:
        raise IntegrityError(
            f"append audit entry {entry.number}: the log holds an entry of that number already, "
            f"but the head names entry {head.number} as the newest; run `watchkeeper audit verify`"
        ) from None
    put_head(Head(entry.number, entry.hash))
    return entry


def entries(store: Store) -> Sequence[bytes]:
    """The log's lines, oldest first."""
    return [store.read(key) for key in store.list(LOG)]


def head_of(store: Store) -> Head:
    """The head as it is stored; an empty log's when there is none."""
    try:
        data = store.read(HEAD)
    except InputError:  # there is none yet
        return Head()
    try:
        return decode(Head, data)
    except ValueError as error:
        raise IntegrityError(f"read the head of the audit log, {HEAD}: {error}") from error


def settled(store: Store) -> Head:
    """The head, with what a crash left pending counted where it reached the log."""
    head = head_of(store)
    if head.pending is None:
        return head
    following = _key(head.number + 1)
    if following not in store.list(following):
        return settle(head, None)
    try:
        return settle(head, read_entry(store.read(following)))
    except ValueError as error:
        raise IntegrityError(
            f"read audit entry {following}: {error}; run `watchkeeper audit verify`"
        ) from error


def _key(number: int) -> str:
    return f"{LOG}{number:010d}.json"
