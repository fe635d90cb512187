"""What people said of incidents afterwards, and which earlier ones are like one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from watchkeeper.app.registry.records import create_record, read_records
from watchkeeper.app.setup.targets import Books
from watchkeeper.core.audit import Event
from watchkeeper.core.errors import ExistsError, Refused
from watchkeeper.core.incidents import Incident, likeness
from watchkeeper.core.ports import Store
from watchkeeper.core.values import Actor
from watchkeeper.core.windows import utc_text

SIMILAR = 3  # earlier incidents that stand beside one


class IncidentLabel(StrEnum):
    """Whether there was something to do about it, as a person says afterwards."""

    REAL = "real"
    BENIGN = "benign"


@dataclass(frozen=True, slots=True)
class Closing:
    """One person's last word on an incident. A later one counts instead."""

    incident: str
    label: IncidentLabel
    cause: str
    remedy: str
    actor: Actor
    time: datetime


@dataclass(frozen=True, slots=True)
class Similar:
    """An earlier incident, how much of what fired is the same (0 to 1), and what was said of it."""

    id: str
    started_at: datetime
    likeness: float
    closing: Closing | None

    def __str__(self) -> str:
        said = f"; {self.closing.label}, {self.closing.cause or 'no cause given'}" if self.closing else ""
        return f"`{self.id}` of {utc_text(self.started_at)}, {self.likeness:.0%} the same{said}"


def closings(store: Store, environment: str) -> dict[str, Closing]:
    """The last word on each incident that has one."""
    found = read_records(store, f"incidents/{environment}/", Closing)
    return {each.incident: each for each in found}


def close_incident(books: Books, environment: str, incident: Incident, said: Closing) -> Closing:
    """Put a person's last word on record. Raises Refused while an alert of it still fires."""
    if incident.ended_at is None:
        raise Refused(
            f"close incident {incident.id}: {len(incident.firing)} of its alerts still fire; it can be "
            "closed when they are resolved"
        )
    prefix = f"incidents/{environment}/{incident.id}/"
    number = len(books.store.list(prefix)) + 1
    try:
        create_record(books.store, f"{prefix}closing-{number:04d}.json", said)
    except ExistsError:
        raise Refused(f"close incident {incident.id}: somebody else is closing it right now") from None
    why = "; ".join(filter(None, (said.label.value, said.cause, said.remedy)))
    books.trail.append(Event("incident.closed", incident.id, said.actor, said.time, why))
    return said


def similar(
    incident: Incident, known: Sequence[Incident], said: Mapping[str, Closing]
) -> tuple[Similar, ...]:
    """Earlier incidents in which the same fired, the most alike and the newest first."""
    earlier = [each for each in known if each.started_at < incident.started_at]
    found = [
        Similar(each.id, each.started_at, likeness(incident, each), said.get(each.id)) for each in earlier
    ]
    alike = [each for each in found if each.likeness > 0]
    return tuple(sorted(alike, key=lambda each: (-each.likeness, -each.started_at.timestamp()))[:SIMILAR])
