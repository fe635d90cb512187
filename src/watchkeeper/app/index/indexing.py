"""The index of a workspace: brought up to date before it is asked, made anew when somebody says so."""

from __future__ import annotations

import contextlib
import importlib
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from watchkeeper.adapters.local.index import Row, SqliteIndex, new_index, opened_index
from watchkeeper.app.registry.executions import revision_of
from watchkeeper.app.registry.history_keys import parts
from watchkeeper.app.registry.records import read_record
from watchkeeper.core.errors import PlatformError, Refused
from watchkeeper.core.metrics import METRIC_PREFIX
from watchkeeper.core.ports import Store
from watchkeeper.core.rules import Alert
from watchkeeper.core.values import Execution, Progress
from watchkeeper.core.windows import parse_utc, utc_text

FILE = "index.db"
PAST = "past"  # the kind of executions of which the history alone is left
_BATCH = 500  # records that are put in together

Report = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Point:
    """A metric's value in one window, by the series it is of."""

    labels: tuple[tuple[str, str], ...]
    window_end: datetime
    value: float


@dataclass(frozen=True, slots=True)
class IndexState:
    """How many records are in the index, of each kind, and how many of these were read just now."""

    executions: int
    alerts: int
    added: int


@dataclass(frozen=True, slots=True)
class IndexCheck:
    """Whether the index says what one made anew says, and the tables in which it does not."""

    equal: bool
    records: int
    differing: tuple[str, ...]


@contextmanager
def asked_index(folder: Path, store: Store, report: Report) -> Iterator[SqliteIndex]:
    """An index with every record that is there by now, for whoever only looks: to look is not to write.

    The workspace's own where there is one that can be brought up to date, else one in a folder of its own
    that goes away with the block.
    """
    own: SqliteIndex | None = None
    if (folder / FILE).is_file():
        with contextlib.suppress(PlatformError):  # as where one may only read
            own = fresh_index(folder, store, report)
    if own is not None:
        yield own
        return
    with tempfile.TemporaryDirectory(prefix="watchkeeper-index-") as beside:
        yield fresh_index(Path(beside), store, report)


def fresh_index(folder: Path, store: Store, report: Report) -> SqliteIndex:
    """The workspace's index with every record that is there by now; each is read once in its life."""
    index = opened_index(folder / FILE)
    bring_up_to_date(index, store, report)
    return index


def rebuilt_index(folder: Path, store: Store, report: Report) -> IndexState:
    """Throw the index away and make it anew from the records."""
    index = new_index(folder / FILE)
    return bring_up_to_date(index, store, report)


def checked_index(folder: Path, store: Store, report: Report) -> IndexCheck:
    """Hold the index, brought up to date, against one made anew in a place of its own.

    Raises Refused when there is none.
    """
    if not (folder / FILE).is_file():
        raise Refused(f"check the index of {folder}: there is none; `watchkeeper index rebuild` makes one")
    ours = fresh_index(folder, store, report)
    with tempfile.TemporaryDirectory(prefix="watchkeeper-index-") as beside:
        state = rebuilt_index(Path(beside), store, report)
        theirs = SqliteIndex(Path(beside) / FILE).dump()
    mine = ours.dump()
    differing = tuple(name for name in mine if mine[name] != theirs[name])
    return IndexCheck(not differing, state.executions + state.alerts, differing)


def bring_up_to_date(index: SqliteIndex, store: Store, report: Report) -> IndexState:
    """Put in what is on record and not in it, and take out what is no more.

    Some hundreds go in together, so that what is cut short goes on later.
    """
    known, added, there = index.known(), 0, set[str]()
    counts = {}
    for kind, prefix, ending, read in _KINDS:
        keys = [key for key in store.list(prefix) if key.endswith(ending)]
        counts[kind] = len(keys)
        there.update(keys)
        missing = [key for key in keys if key not in known]
        for place in range(0, len(missing), _BATCH):
            batch = missing[place : place + _BATCH]
            index.add(kind, {key: tuple(read(store, key)) for key in batch})
            added += len(batch)
            report(Progress("index", added, None, f"{kind}: {batch[-1]}"))
    index.remove(key for key, kind in known.items() if kind != PAST and key not in there)
    past = {key for part in parts(store).values() for key in part.executions} - there
    held = {key for key, kind in known.items() if kind == PAST}
    index.remove(held - past)
    added += _add_past(index, store, sorted(past - held))
    return IndexState(counts["execution"], counts["alert"], added)


def _add_past(index: SqliteIndex, store: Store, missing: Sequence[str]) -> int:
    """Samples of executions that were swept, from the history, whose library is loaded when there are any."""
    if not missing:
        return 0
    read = importlib.import_module("watchkeeper.app.registry.history").samples_of_past
    rows: dict[str, list[tuple[str, Row]]] = {key: [] for key in missing}
    for key, row in read(store, missing):
        rows[key].append(
            (
                "samples",
                {
                    "metric": row["metric"],
                    "labels": row["labels"],
                    "value": row["value"],
                    "window_end": utc_text(row["window_end"]),
                    "scheduled_at": utc_text(row["scheduled_at"]),
                    "revision": row["revision"],
                },
            )
        )
    index.add(PAST, rows)
    return len(missing)


def trend(index: SqliteIndex, metric: str, since: datetime | None, **labels: str) -> tuple[Point, ...]:
    """A metric's values by window, of each window what was said last, in order of time and series.

    Also of executions that are kept no longer, whose metrics the history holds.

    `labels` keeps the series that carry them. A metric may be named without its prefix.
    """
    name = metric if metric.startswith(METRIC_PREFIX) else f"{METRIC_PREFIX}{metric}"
    held: dict[tuple[str, str], tuple[tuple[str, int], float]] = {}
    for row in index.rows("samples", ("window_end", "labels"), metric=name):
        said, place = (row["scheduled_at"], row["revision"]), (row["window_end"], row["labels"])
        if place not in held or held[place][0] <= said:
            held[place] = (said, row["value"])
    points = [
        Point(tuple(sorted(json.loads(series).items())), parse_utc(end), value)
        for (end, series), (_, value) in sorted(held.items())
    ]
    wanted = set(labels.items())
    return tuple(
        point
        for point in points
        if wanted <= set(point.labels) and (since is None or point.window_end > since)
    )


def _of_execution(store: Store, key: str) -> Iterator[tuple[str, Row]]:
    found = read_record(store, key, Execution)
    window_end = utc_text(found.window.end)
    yield (
        "executions",
        {
            "key": found.key,
            "schedule": found.schedule,
            "monitor": found.monitor,
            "environment": found.environment,
            "endpoint": found.endpoint,
            "window_start": utc_text(found.window.start),
            "window_end": window_end,
            "scheduled_at": utc_text(found.scheduled_at),
            "revision": revision_of(key),
            "status": found.status.value,
            "reason": found.reason,
            "rows": found.rows,
            "violations": len(found.violations),
        },
    )
    for sample in found.samples:
        labels = json.dumps(dict(sample.labels), sort_keys=True)
        yield (
            "samples",
            {
                "metric": sample.metric,
                "labels": labels,
                "value": sample.value,
                "window_end": window_end,
                "scheduled_at": utc_text(found.scheduled_at),
                "revision": revision_of(key),
            },
        )


def _of_alert(store: Store, key: str) -> Iterator[tuple[str, Row]]:
    found = read_record(store, key, Alert)
    yield (
        "alerts",
        {
            "environment": key.split("/")[1],
            "name": found.name,
            "fingerprint": found.fingerprint,
            "state": found.state.value,
            "severity": found.severity.value,
            "since": utc_text(found.since),
            "summary": found.summary,
        },
    )


_Reads = Callable[[Store, str], Iterable[tuple[str, Row]]]
_KINDS: tuple[tuple[str, str, str, _Reads], ...] = (
    ("execution", "executions/", "/execution.json", _of_execution),
    ("alert", "alerts/", ".json", _of_alert),
)
