"""Records of ours in a store: written once, read back as values; current state is a fold over them."""

from __future__ import annotations

from typing import TypeVar

from watchkeeper.core.encoding import decode, encode
from watchkeeper.core.errors import IntegrityError
from watchkeeper.core.ports import Store

T = TypeVar("T")


def create_record(store: Store, key: str, value: object) -> None:
    """Write a value under a key that must be free."""
    store.create(key, encode(value))


def read_record(store: Store, key: str, kind: type[T]) -> T:
    """Read one value. Raises InputError when there is none, IntegrityError when it is not one."""
    try:
        return decode(kind, store.read(key))
    except ValueError as error:
        raise IntegrityError(f"read record {key}: {error}") from error


def read_records(store: Store, prefix: str, kind: type[T], name: str = ".json") -> tuple[T, ...]:
    """Every value under `prefix` whose key ends in `name`, in key order."""
    return tuple(read_record(store, key, kind) for key in store.list(prefix) if key.endswith(name))
