"""Incidents found by words of their records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from watchkeeper.app.alerts.incident_records import incident_record
from watchkeeper.app.alerts.incident_stories import incident_story, known_incidents
from watchkeeper.core.incidents import Incident
from watchkeeper.core.ports import Store


@dataclass(frozen=True, slots=True)
class FoundIncident:
    """An incident whose record has every word, and the first line that has each."""

    environment: str
    incident: Incident
    lines: tuple[str, ...]


def search_incidents(store: Store, environments: Sequence[str], words: Sequence[str]) -> list[FoundIncident]:
    """The incidents whose records hold every one of the words, in whatever case, the newest first."""
    wanted = [word.casefold() for text in words for word in text.split()]
    found = [each for name in environments for each in _found(store, name, wanted)]
    return sorted(found, key=lambda each: each.incident.started_at, reverse=True)


def _found(store: Store, environment: str, wanted: Sequence[str]) -> Iterator[FoundIncident]:
    for incident in known_incidents(store, environment):
        record = incident_record(incident_story(store, environment, incident)).replace("\\", "")
        if all(word in record.casefold() for word in wanted):
            lines = (next(line for line in record.splitlines() if word in line.casefold()) for word in wanted)
            yield FoundIncident(environment, incident, tuple(dict.fromkeys(lines)))
