"""Records of ours in a store: written once, read back as values; current state is a fold over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar, cast

from watchkeeper.core.encoding import decode, encode
from watchkeeper.core.errors import IntegrityError
from watchkeeper.core.ports import Store

T = TypeVar("T")
_REMEMBERED = 100_000  # records; the oldest are read again
_REGISTRY = frozenset({"approvals", "baselines", "candidates", "deployments", "models", "schemas"})


@dataclass(frozen=True, slots=True)
class RememberingStore:
    """A store whose records are read and understood once: they are written once, so they stay what they are.

    For a process that asks for the same ones again and again. What is there of the registry is looked up
    once too: what others add is seen after `look_again`. Threads may share it.
    """

    inner: Store
    records: dict[tuple[str, type], object] = field(default_factory=dict)
    listings: dict[str, Sequence[str]] = field(default_factory=dict)

    def read(self, key: str) -> bytes:
        return self.inner.read(key)

    def write(self, key: str, data: bytes) -> None:
        self.inner.write(key, data)
        self._added(key)

    def create(self, key: str, data: bytes) -> None:
        self.inner.create(key, data)
        self._added(key)

    def list(self, prefix: str) -> Sequence[str]:
        if prefix.partition("/")[0] not in _REGISTRY:
            return self.inner.list(prefix)
        found = self.listings.get(prefix)
        if found is None:
            self.listings[prefix] = found = self.inner.list(prefix)
        return found

    def look_again(self) -> None:
        """Forget what is there, not what is in it."""
        self.listings.clear()

    def _added(self, key: str) -> None:
        if key.partition("/")[0] in _REGISTRY:
            self.listings.clear()

    def remember(self, key: str, kind: type, value: object) -> None:
        """Keep what was read; when there is no more room, what was kept longest goes."""
        while len(self.records) >= _REMEMBERED:
            self.records.pop(next(iter(self.records)), None)
        self.records[key, kind] = value


def create_record(store: Store, key: str, value: object) -> None:
    """Write a value under a key that must be free."""
    store.create(key, encode(value))


def read_record(store: Store, key: str, kind: type[T]) -> T:
    """Read one value. Raises InputError when there is none, IntegrityError when it is not one."""
    if isinstance(store, RememberingStore) and (kept := store.records.get((key, kind))) is not None:
        return cast(T, kept)
    try:
        found = decode(kind, store.read(key))
    except ValueError as error:
        raise IntegrityError(f"read record {key}: {error}") from error
    if isinstance(store, RememberingStore):
        store.remember(key, kind, found)
    return found


def read_records(store: Store, prefix: str, kind: type[T], name: str = ".json") -> tuple[T, ...]:
    """Every value under `prefix` whose key ends in `name`, in key order."""
    return tuple(read_record(store, key, kind) for key in store.list(prefix) if key.endswith(name))
