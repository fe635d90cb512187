"""Somebody is at an incident: on record, so that it is repeated and escalated no more."""

from __future__ import annotations

from watchkeeper.app.registry.records import create_record, read_record
from watchkeeper.app.setup.targets import Books
from watchkeeper.core.audit import Event
from watchkeeper.core.errors import ExistsError, InputError, Refused
from watchkeeper.core.incidents import Acknowledgement, Incident
from watchkeeper.core.ports import Store


def acknowledge(books: Books, environment: str, incident: Incident, said: Acknowledgement) -> Acknowledgement:
    """Put it on record. Raises Refused for an incident that is over, or that somebody is at already."""
    if incident.ended_at is not None:
        raise Refused(
            f"acknowledge incident {incident.id}: it is over; `watchkeeper incidents close` says what it was"
        )
    try:
        create_record(books.store, _key(environment, incident.id), said)
    except ExistsError:
        other = read_record(books.store, _key(environment, incident.id), Acknowledgement)
        raise Refused(f"acknowledge incident {incident.id}: {other.actor} is at it already") from None
    books.trail.append(Event("incident.acknowledged", incident.id, said.actor, said.time, said.why))
    return said


def acknowledgement(store: Store, environment: str, incident: str) -> Acknowledgement | None:
    """Who is at an incident; None when nobody has said so."""
    try:
        return read_record(store, _key(environment, incident), Acknowledgement)
    except InputError:
        return None


def _key(environment: str, incident: str) -> str:
    return f"acknowledgements/{environment}/{incident}.json"
