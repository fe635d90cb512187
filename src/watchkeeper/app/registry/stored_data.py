"""Rows to learn from that lie in the store, for targets whose jobs read them there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from watchkeeper.app.registry.records import read_records
from watchkeeper.core.ports import Store
from watchkeeper.core.values import Actor


@dataclass(frozen=True, slots=True)
class StoredData:
    """Rows in the artefact bucket, under their digest."""

    number: int
    key: str
    digest: str
    rows: int
    source: str
    time: datetime
    actor: Actor


def stored_data(store: Store) -> StoredData | None:
    """What was put last; None when nothing was."""
    found = read_records(store, "data/records/", StoredData)
    return max(found, key=lambda each: each.number, default=None)
