"""The audit log in a list."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from watchkeeper.core.audit import AuditEntry, Event, Head, chain
from watchkeeper.core.ports import Clock


@dataclass(slots=True)
class MemoryTrail:
    """A `Trail` that lasts as long as the process. Threads may share it."""

    wall: Clock
    lines: list[bytes] = field(default_factory=list)
    newest: Head = field(default_factory=Head)
    _alone: threading.Lock = field(init=False, repr=False, default_factory=threading.Lock)

    def append(self, event: Event) -> AuditEntry:
        with self._alone:
            entry = chain(self.newest, event, self.wall.now())
            self.lines.append(entry.line())
            self.newest = Head(entry.number, entry.hash)
            return entry

    def entries(self) -> Sequence[bytes]:
        return tuple(self.lines)

    def head(self) -> Head:
        return self.newest
