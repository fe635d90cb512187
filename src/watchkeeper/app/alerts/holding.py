"""Incidents whose records are kept beyond their time, because somebody said so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from watchkeeper.app.registry.records import create_record, read_records
from watchkeeper.app.setup.targets import Books
from watchkeeper.core.audit import Event
from watchkeeper.core.errors import ExistsError, Refused
from watchkeeper.core.incidents import Incident
from watchkeeper.core.ports import Store
from watchkeeper.core.values import Actor


@dataclass(frozen=True, slots=True)
class Hold:
    """One person's word that an incident's records are to be kept (`held`), or need not be any more."""

    incident: str
    held: bool
    actor: Actor
    time: datetime
    why: str


def held_incidents(store: Store, environment: str) -> dict[str, Hold]:
    """Those that are held now, with the word that holds each."""
    words = read_records(store, f"holds/{environment}/", Hold)
    return {name: word for name, word in {each.incident: each for each in words}.items() if word.held}


def hold(books: Books, environment: str, incident: Incident, said: Hold) -> Hold:
    """Put the word on record. Raises Refused when it changes nothing."""
    before = incident.id in held_incidents(books.store, environment)
    if before is said.held:
        state = "held already" if before else "not held"
        raise Refused(f"{'hold' if said.held else 'release'} incident {incident.id}: it is {state}")
    prefix = f"holds/{environment}/{incident.id}/"
    try:
        create_record(books.store, f"{prefix}{len(books.store.list(prefix)) + 1:04d}.json", said)
    except ExistsError:
        raise Refused(f"hold incident {incident.id}: somebody else is saying so right now") from None
    action = "incident.held" if said.held else "incident.released"
    books.trail.append(Event(action, incident.id, said.actor, said.time, said.why))
    return said
