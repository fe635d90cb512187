"""What is older than the project keeps it: shown first, then taken away, on record.

Never touched: baselines, models, alerts, decisions, the audit log, and whatever belongs to an incident that
goes on or is held. Of each schedule the newest windows stay, which rules and the next windows look at.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from watchkeeper.app.alerts.holding import held_incidents
from watchkeeper.app.alerts.incident_stories import incident_story, known_incidents
from watchkeeper.app.registry.executions import executions, folder_of
from watchkeeper.app.registry.history import extend_history, put_together, remove_part
from watchkeeper.app.registry.history_keys import parts
from watchkeeper.app.registry.records import create_record, read_record
from watchkeeper.app.setup.project import Project
from watchkeeper.app.setup.sections import FOREVER, Kept
from watchkeeper.core.audit import Event
from watchkeeper.core.encoding import digest
from watchkeeper.core.ports import SweptStore, Trail
from watchkeeper.core.values import VERDICTS, Actor, Execution, Progress
from watchkeeper.core.windows import Duration, Window, add_months, hour_folder, month_of, month_start

CAPTURED = ("captures/", "shadow-captures/", "ground-truth/")
NEWEST = 10  # windows of a schedule that stay, however old
_HOUR = re.compile(r"/(\d{4})/(\d\d)/(\d\d)/(\d\d)/(?:m(\d\d)/)?")
_MONTH = re.compile(r"/month=(\d{4}-\d\d)/")

Report = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Expired:
    """What of one kind is kept no longer; `held` counts what incidents hold back."""

    kind: Kept
    keep: str
    keys: tuple[str, ...]
    bytes: int
    oldest: datetime | None
    newest: datetime | None
    held: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Sweep:
    """What was taken away at one time, by whom: the record that stays of it."""

    kind: Kept
    keep: str
    keys: tuple[str, ...]
    bytes: int
    actor: Actor
    time: datetime


def expired(store: SweptStore, project: Project, now: datetime) -> tuple[Expired, ...]:
    """What is older than the project keeps it, by kind; nothing is changed."""
    holding = _Holding.of(store, project)
    found = []
    for kind in Kept:
        keep = project.settings.retain.get(kind, FOREVER)
        if kind is Kept.AUDIT:
            note = "the log is one chain: it is kept whole"
            found.append(Expired(kind, str(keep), (), 0, None, None, 0, note if keep != FOREVER else ""))
            continue
        old = dict(_old(store, kind, keep.before(now))) if isinstance(keep, Duration) else {}
        free = {key: time for key, time in old.items() if not holding.holds(key)}
        times = sorted(free.values())
        found.append(
            Expired(
                kind,
                str(keep),
                tuple(sorted(free)),
                sum(store.size(key) for key in free),
                times[0] if times else None,
                times[-1] if times else None,
                len(old) - len(free),
            )
        )
    return tuple(found)


def sweep(
    store: SweptStore, trail: Trail, found: Iterable[Expired], who: tuple[Actor, datetime], report: Report
) -> tuple[Sweep, ...]:
    """Take it away, kind by kind, each on record and in the audit log before the first object goes.

    `who` does it, and when. The metrics of executions go into the history first. Interrupted, the rest is
    found by the next one.
    """
    actor, now = who
    extend_history(store)
    done = []
    for each in found:
        if not each.keys:
            continue
        made = Sweep(each.kind, each.keep, each.keys, each.bytes, actor, now)
        create_record(store, f"sweeps/{now:%Y%m%dT%H%M%S.%fZ}-{each.kind}.json", made)
        why = f"{len(each.keys):,} objects, {each.bytes:,} bytes, kept {each.keep}"
        trail.append(Event("retention.sweep", each.kind, actor, now, why, after=digest(list(each.keys))))
        for number, key in enumerate(each.keys, start=1):
            if each.kind is Kept.HISTORY:
                remove_part(store, key)
            else:
                store.remove(key)
            report(Progress(each.kind, number, len(each.keys)))
        done.append(made)
    put_together(store, month_of(now))
    return tuple(done)


def _old(store: SweptStore, kind: Kept, before: datetime) -> Iterator[tuple[str, datetime]]:
    """The objects of a kind whose time is over before that moment, with that time."""
    match kind:
        case Kept.CAPTURES:
            for key in (key for prefix in CAPTURED for key in store.list(prefix)):
                if (time := _time(key)) and time + timedelta(hours=1) <= before:
                    yield key, time
        case Kept.EXECUTIONS:
            yield from _old_executions(store, before)
        case Kept.HISTORY:
            for key in parts(store):
                month = _MONTH.search(key)
                if month and add_months(month_start(month[1]), 1) <= before:
                    yield key, month_start(month[1])


def _old_executions(store: SweptStore, before: datetime) -> Iterator[tuple[str, datetime]]:
    """All files of old windows, but for the newest of each schedule and those since its newest verdict."""
    by_schedule: dict[str, dict[datetime, list[str]]] = defaultdict(lambda: defaultdict(list))
    for key in store.list("executions/"):
        if time := _time(key):
            by_schedule[key.split("/")[1]][time].append(key)
    for windows in by_schedule.values():
        newest = sorted(windows, reverse=True)
        stay = max(NEWEST, 1 + _newest_verdict(store, [windows[time] for time in newest]))
        for time in newest[stay:]:
            if time < before:
                yield from ((key, time) for key in windows[time])


def _newest_verdict(store: SweptStore, windows: list[list[str]]) -> int:
    """The place of the newest window with a verdict; past the end when there is none."""
    for place, keys in enumerate(windows):
        records = [key for key in keys if key.endswith("/execution.json")]
        if any(read_record(store, key, Execution).status in VERDICTS for key in records):
            return place
    return len(windows)


def _time(key: str) -> datetime | None:
    found = _HOUR.search(key)
    if found is None:
        return None
    year, month, day, hour, minute = (int(part or 0) for part in found.groups())
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Holding:
    """What belongs to incidents that go on or are held: folders of executions, and hours of captures."""

    folders: tuple[str, ...]
    hours: tuple[tuple[str, str, frozenset[str]], ...]  # environment, endpoint, hour folders

    @classmethod
    def of(cls, store: SweptStore, project: Project) -> _Holding:
        folders, hours = [], []
        for environment in project.environments:
            held = held_incidents(store, environment)
            for incident in known_incidents(store, environment):
                if incident.ended_at is not None and incident.id not in held:
                    continue
                for each in _of_incident(store, incident_story(store, environment, incident).executions):
                    folders.append(folder_of(store, each))
                    hours.append((environment, each.endpoint, _hours(each.window)))
        return cls(tuple(folders), tuple(hours))

    def holds(self, key: str) -> bool:
        if key.startswith("executions/"):
            return any(key.startswith(folder) for folder in self.folders)
        parts_ = key.split("/")
        hour = "/".join(parts_[-5:-1])
        return any(
            environment in parts_ and endpoint in parts_ and hour in hours
            for environment, endpoint, hours in self.hours
        )


def _of_incident(store: SweptStore, seen: Iterable[Execution]) -> Iterator[Execution]:
    """The executions that an incident's alerts are about, and every revision of their windows."""
    for execution in seen:
        yield execution
        for other in executions(store, execution.schedule):
            if other.window == execution.window and other != execution:
                yield other


def _hours(window: Window) -> frozenset[str]:
    return frozenset(hour_folder(hour) for hour in window.hours())
