"""The audit log: who did what, when and why, each entry holding the hash of the one before.

A log that is only a chain cannot show that its tail was cut, so the newest entry's number and
hash are also kept outside it, in a `Head`. Before an entry is written the head names it as
`pending`: whatever a crash leaves is told apart from what a hand took away.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from watchkeeper.core.encoding import canonical, digest, plain, restore
from watchkeeper.core.values import Actor

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Event:
    """What is to be recorded: `before` and `after` are digests, versions or small plain values."""

    action: str  # model.approve, endpoint.deploy, decision.record …
    subject: str
    actor: Actor
    time: datetime  # the clock's
    why: str = ""
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An event in its place in the chain. `hash` covers every other field, `previous` included."""

    number: int
    event: Event
    recorded_at: datetime  # the wall's
    previous: str
    hash: str = ""

    def sealed(self) -> AuditEntry:
        """The same entry with its hash."""
        body = {key: value for key, value in plain(self).items() if key != "hash"}
        return replace(self, hash=digest(body))

    def line(self) -> bytes:
        """The entry as it is stored: one line, no newline."""
        return canonical(self)


@dataclass(frozen=True, slots=True)
class Head:
    """The newest entry, named outside the log; `pending` is the hash of an entry being written."""

    number: int = 0
    hash: str = GENESIS
    pending: str | None = None


def chain(head: Head, event: Event, recorded_at: datetime) -> AuditEntry:
    """The entry that comes after `head`."""
    return AuditEntry(head.number + 1, event, recorded_at, head.hash).sealed()


def settle(head: Head, last: AuditEntry | None) -> Head:
    """The head after a crash: a pending entry that reached the log counts, one that did not never was."""
    if (
        head.pending is not None
        and last is not None
        and last.number == head.number + 1
        and last.hash == head.pending
    ):
        return Head(last.number, last.hash)
    return replace(head, pending=None)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with the log, at the entry where it shows."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What re-deriving the whole log showed."""

    entries: int
    verified: bool
    head: str
    faults: tuple[Fault, ...] = ()


def verify(lines: Sequence[bytes], head: Head) -> Verification:
    """Derive the chain anew from the stored lines and hold it against the head.

    Finds any entry that was changed (to the byte), removed, inserted, moved, or cut off at the
    end. It cannot find a log and a head that were both rewritten by one who may write both: for
    that the head has to be signed or kept elsewhere.
    """
    faults: list[Fault] = []
    previous, last = GENESIS, None
    for number, line in enumerate(lines, start=1):
        fault = _fault(line, number, previous)
        if isinstance(fault, Fault):
            faults.append(fault)
            break
        previous, last = fault.hash, fault
    if not faults:
        settled = settle(head, last)
        if (settled.number, settled.hash) != (len(lines), previous):
            faults.append(Fault(len(lines), _against_head(settled, len(lines))))
    return Verification(len(lines), not faults, previous, tuple(faults))


def read_entry(line: bytes) -> AuditEntry:
    """An entry from its stored line. Raises ValueError when it is none."""
    return restore(AuditEntry, json.loads(line))


def _fault(line: bytes, number: int, previous: str) -> AuditEntry | Fault:
    try:
        entry = read_entry(line)
    except (ValueError, RecursionError) as error:
        return Fault(number, f"entry {number} cannot be read: {error}")
    if entry.line() != line:
        return Fault(number, f"entry {number} is not spelled as it was written")
    if entry.number != number:
        return Fault(number, f"entry {number} says it is number {entry.number}")
    if entry.previous != previous:
        got, want = entry.previous[:12], previous[:12]
        return Fault(number, f"entry {number} follows {got}…, but the entry before it is {want}…")
    if entry.sealed().hash != entry.hash:
        return Fault(number, f"entry {number} does not have the hash of its content")
    return entry


def _against_head(head: Head, count: int) -> str:
    if head.number > count:
        return f"the log ends at entry {count}, the head names entry {head.number}: the tail was cut off"
    if head.number < count:
        return (
            f"the log has {count} entries, the head names entry {head.number} as newest: entries were added"
        )
    return f"entry {count} is not the one the head names"
