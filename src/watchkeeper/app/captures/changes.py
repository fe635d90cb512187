"""When an endpoint's capture went off and on again: what a window without records is held against."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from watchkeeper.app.registry.records import create_record, read_records
from watchkeeper.core.audit import Event
from watchkeeper.core.ports import Store, Trail
from watchkeeper.core.values import Actor


@dataclass(frozen=True, slots=True)
class CaptureChange:
    """Capture went off, as `why` says, or on again."""

    endpoint: str
    off: bool
    why: str
    time: datetime


def record_change(store: Store, trail: Trail, change: CaptureChange, actor: Actor) -> None:
    """Put it on record; the audit log hears of it too."""
    action = "capture.off" if change.off else "capture.on"
    trail.append(Event(action, change.endpoint, actor, change.time, change.why))
    stamp = f"{change.time:%Y%m%dT%H%M%S.%fZ}-{'off' if change.off else 'on'}"
    create_record(store, f"{_key(change.endpoint)}{stamp}.json", change)


def changes(store: Store, endpoint: str) -> tuple[CaptureChange, ...]:
    """Every change of an endpoint's capture, oldest first."""
    return read_records(store, _key(endpoint), CaptureChange)


def _key(endpoint: str) -> str:
    return f"capture-changes/{endpoint}/"
