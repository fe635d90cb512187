"""Objects in a dictionary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from watchkeeper.core.errors import ExistsError, InputError
from watchkeeper.core.ports import ANY


@dataclass(frozen=True, slots=True)
class MemoryStore:
    """A `Store` that lasts as long as the process. Threads may share it."""

    objects: dict[str, bytes] = field(default_factory=dict)

    def read(self, key: str) -> bytes:
        try:
            return self.objects[key]
        except KeyError:
            raise InputError(f"read {key} in memory: there is no such object") from None

    def write(self, key: str, data: bytes) -> None:
        self.objects[key] = data

    def create(self, key: str, data: bytes) -> None:
        if self.objects.setdefault(key, data) is not data:
            raise ExistsError(key)

    def size(self, key: str) -> int:
        return len(self.objects.get(key, b""))

    def remove(self, key: str) -> None:
        self.objects.pop(key, None)

    def list(self, prefix: str) -> Sequence[str]:
        wanted = prefix.split("/")
        return sorted(key for key in tuple(self.objects) if _begins(key.split("/"), wanted))


def _begins(parts: Sequence[str], wanted: Sequence[str]) -> bool:
    *whole, start = wanted
    return (
        len(parts) >= len(wanted)
        and all(want in (ANY, part) for want, part in zip(whole, parts, strict=False))
        and parts[len(whole)].startswith(start)
    )
