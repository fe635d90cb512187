"""Which executions' metrics are in the history: lists beside its parts, read without the parts themselves."""

from __future__ import annotations

from dataclasses import dataclass

from watchkeeper.app.registry.records import read_record
from watchkeeper.core.ports import Store

HISTORY = "history/"


@dataclass(frozen=True, slots=True)
class PartKeys:
    """The keys of the executions whose metrics a part holds; written after the part, so that it is there."""

    executions: tuple[str, ...]


def parts(store: Store) -> dict[str, PartKeys]:
    """Each part of the history with what it holds, by the key of its Parquet file."""
    return {
        key.removesuffix(".json") + ".parquet": read_record(store, key, PartKeys)
        for key in store.list(HISTORY)
        if key.endswith(".json")
    }
