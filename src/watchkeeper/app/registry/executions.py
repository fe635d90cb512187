"""Executions on record, and the samples they exposed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby

from watchkeeper.app.registry.records import read_record
from watchkeeper.core.errors import InputError
from watchkeeper.core.ports import ANY, Store
from watchkeeper.core.values import VERDICTS, Execution, Sample, Status, newest
from watchkeeper.core.windows import time_folder

_REVISIONS = 1000  # of one window; more than that is a fault somewhere
_SILENT = 10  # newest windows without a verdict that may still get one
_LISTED_BY_DAY = timedelta(days=40)  # beyond that a schedule's whole folder is listed in one go
_REVISION = re.compile(r"/revision-(\d+)/execution\.json$")


@dataclass(frozen=True, slots=True)
class Recorded:
    """An execution, which revision of its window it is, and the folder that holds its files."""

    execution: Execution
    revision: int
    folder: str  # with a slash at the end


def executions(store: Store, within: str = "") -> tuple[Execution, ...]:
    """Every execution on record, in order of time, schedule and revision.

    `within` is a schedule, or a schedule and an hour's folder: only those are read.
    """
    return tuple(each.execution for each in recorded(store, within))


def recorded(store: Store, within: str = "") -> tuple[Recorded, ...]:
    """Every execution on record with its place, in order of time, schedule and revision."""
    found = [
        Recorded(read_record(store, key, Execution), revision_of(key), key.removesuffix("execution.json"))
        for key in store.list(f"executions/{within}/" if within else "executions/")
        if key.endswith("/execution.json")
    ]
    return tuple(
        sorted(found, key=lambda each: (each.execution.scheduled_at, each.execution.schedule, each.revision))
    )


def executions_between(
    store: Store, schedules: Iterable[str], start: datetime, end: datetime
) -> tuple[Execution, ...]:
    """The executions of schedules whose time lies after `start` and not after `end`, listed day by day.

    In order of time, schedule and revision.
    """
    days = [start + timedelta(days=day) for day in range((end.date() - start.date()).days + 1)]
    found = []
    for schedule in schedules:
        keys = [key for day in days for key in store.list(f"executions/{schedule}/{day:%Y/%m/%d}/")]
        for key in _ordered(each for each in keys if each.endswith("/execution.json")):
            execution = read_record(store, key, Execution)
            if start < execution.scheduled_at <= end:
                found.append(execution)
    return tuple(sorted(found, key=lambda each: (each.scheduled_at, each.schedule)))


def last_scheduled(store: Store, schedule: str, until: datetime) -> datetime | None:
    """The newest time, not after `until`, that an execution of the schedule is on record for."""
    prefix = f"executions/{schedule}/"
    keys = [key for key in store.list(prefix) if key.endswith("/execution.json")]
    for key in sorted(keys, reverse=True):
        scheduled_at = read_record(store, key, Execution).scheduled_at
        if scheduled_at <= until:
            return scheduled_at
    return None


def newest_before(store: Store, schedule: str, time: datetime) -> Execution | None:
    """The newest execution of a schedule with a verdict for a time that is not after this one."""
    keys = [key for key in store.list(f"executions/{schedule}/") if key.endswith("/execution.json")]
    for key in sorted(
        keys, key=lambda each: (_REVISION.sub("/execution.json", each), revision_of(each)), reverse=True
    ):
        found = read_record(store, key, Execution)
        if found.scheduled_at <= time and found.status in VERDICTS:
            return found
    return None


def newest_at(store: Store, schedule: str, time: datetime) -> Execution | None:
    """What was said last of the window of a schedule's time; None when nothing is on record."""
    base = f"executions/{schedule}/{time_folder(time)}/"
    first = f"{base}execution.json"
    keys = [key for key in store.list(base) if _REVISION.sub("/execution.json", key) == first]
    return read_record(store, max(keys, key=revision_of), Execution) if keys else None


def newest_revisions(found: Iterable[Execution]) -> tuple[Execution, ...]:
    """Of each window of a schedule what was said last, in the order of the executions given."""
    held = {(each.schedule, each.window): each for each in found}
    return tuple(held.values())


def revision_of(key: str) -> int:
    """The revision that a record's key names; the tenth comes after the second."""
    named = _REVISION.search(key)
    return int(named[1]) if named else 1


def place(store: Store, draft: Execution) -> tuple[str, Execution | None]:
    """The folder for an execution, and the one stored there that read the same inputs under the same key.

    Other inputs or settings are another revision of the window, in a folder of its own; so is another
    try after one that failed.
    """
    for folder, stored in _revisions(store, draft):
        if stored is None:
            return folder, None
        if (stored.key, stored.inputs) == (draft.key, draft.inputs) and stored.status is not Status.FAILED:
            return folder, stored
    raise InputError(f"record execution {draft.schedule}: want fewer than {_REVISIONS} revisions of a window")


def folder_of(store: Store, execution: Execution) -> str:
    """Where an execution's files are, with a slash at the end. Raises InputError for one not on record."""
    for folder, stored in _revisions(store, execution):
        if stored is None:
            break
        if stored == execution:
            return folder
    raise InputError(f"find execution {execution.schedule}, {execution.window}: it is not on record")


def _revisions(store: Store, execution: Execution) -> Iterator[tuple[str, Execution | None]]:
    """The folders of a window's revisions, first to last, then the next free one with None."""
    base = f"executions/{execution.schedule}/{time_folder(execution.scheduled_at)}/"
    for revision in range(1, _REVISIONS):
        folder = base if revision == 1 else f"{base}revision-{revision}/"
        key = f"{folder}execution.json"
        if key not in store.list(key):
            yield folder, None
            return
        yield folder, read_record(store, key, Execution)


def exposed(store: Store, environment: str | None = None) -> tuple[Sample, ...]:
    """What the executions, of one environment or of all, expose as metrics now.

    An execution with a verdict replaces every series of its schedule. One without adds what it has to
    say of itself, and the figures of the verdict before stay. Of each schedule no more is read than that.
    """
    verdicts: list[Sample] = []
    latest: list[Sample] = []
    for keys in _by_schedule(store):
        found = _shown(store, keys)
        if found and environment in (None, found[0].environment):
            latest += found[0].samples
            verdicts += found[-1].samples if found[-1].status in VERDICTS else ()
    return newest([*verdicts, *latest])


@dataclass(slots=True)
class Exposures:
    """The same, for whoever asks again and again: of each schedule only the days since are listed.

    That is since its newest verdict, which is all that counts, or where it has had none for long since the
    tenth window back: a verdict that one from before gets afterwards is not seen. `schedules` are always
    looked for; others are those that there were at first, and those that ran today or yesterday.
    """

    store: Store
    schedules: tuple[str, ...] = ()
    _names: set[str] = field(init=False, default_factory=set)
    _since: dict[str, datetime] = field(init=False, default_factory=dict)
    _verdicts: dict[str, Execution] = field(init=False, default_factory=dict)

    def read(self, now: datetime) -> tuple[Sample, ...]:
        """What every schedule exposes at a time."""
        verdicts: list[Sample] = []
        latest: list[Sample] = []
        self._look_for_schedules(now)
        for schedule in sorted(self._names):
            found = _shown(self.store, self._listed(schedule, now))
            if not found:
                continue
            if found[-1].status in VERDICTS:
                self._verdicts[schedule] = found[-1]
            latest += found[0].samples
            verdicts += self._verdicts[schedule].samples if schedule in self._verdicts else ()
            self._since[schedule] = found[:_SILENT][-1].scheduled_at
        return newest([*verdicts, *latest])

    def _look_for_schedules(self, now: datetime) -> None:
        places = ["executions/"]
        if self._names:
            days = (now - timedelta(days=1), now)
            places = [f"executions/{ANY}/{day:%Y/%m/%d}/" for day in days]
        found = {key.split("/")[1] for place in places for key in self.store.list(place)}
        self._names |= {*self.schedules, *found}

    def _listed(self, schedule: str, now: datetime) -> list[str]:
        """The keys of a schedule's executions from that day on, oldest first."""
        since = self._since.get(schedule)
        prefix = f"executions/{schedule}/"
        if since is None or not timedelta() <= now - since < _LISTED_BY_DAY:
            found = list(self.store.list(prefix))
        else:
            days = range((now.date() - since.date()).days + 1)
            found = [
                key
                for day in days
                for key in self.store.list(f"{prefix}{since + timedelta(days=day):%Y/%m/%d}/")
            ]
        return _ordered(key for key in found if key.endswith("/execution.json"))


def _shown(store: Store, keys: Sequence[str]) -> list[Execution]:
    """The newest of a schedule's executions, the one before and so on, to the first with a verdict."""
    found = []
    for key in reversed(keys):
        found.append(read_record(store, key, Execution))
        if found[-1].status in VERDICTS:
            break
    return found


def _by_schedule(store: Store) -> Iterator[list[str]]:
    """The keys of each schedule's executions, oldest first."""
    keys = [key for key in store.list("executions/") if key.endswith("/execution.json")]
    for _, found in groupby(keys, key=lambda key: key.split("/")[1]):
        yield _ordered(found)


def _ordered(keys: Iterable[str]) -> list[str]:
    """Keys of executions by window, and of a window by revision."""
    return sorted(keys, key=lambda key: (_REVISION.sub("/execution.json", key), revision_of(key)))
