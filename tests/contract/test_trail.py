"""Every trail keeps the port's promises."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.adapters.local.trail import FolderTrail
from watchkeeper.adapters.memory.clock import MovedClock
from watchkeeper.adapters.memory.trail import MemoryTrail
from watchkeeper.app.setup.audit import log, verify_log
from watchkeeper.core.audit import Event, Head, chain
from watchkeeper.core.encoding import encode
from watchkeeper.core.errors import IntegrityError
from watchkeeper.core.ports import Trail
from watchkeeper.core.values import Actor

START = datetime(2020, 1, 1, tzinfo=UTC)
WALL = MovedClock(datetime(2026, 1, 1, tzinfo=UTC))
MAKERS: dict[str, Callable[[Path], Trail]] = {
    "local": lambda folder: FolderTrail(FolderStore(folder), WALL),
    "memory": lambda _: MemoryTrail(WALL),
}


def event(number: int) -> Event:
    return Event("model.approve", f"model v{number}", Actor("kim", "os-user"), START, why="good figures")


@pytest.fixture(params=MAKERS)
def trail(request: pytest.FixtureRequest, tmp_path: Path) -> Trail:
    return MAKERS[request.param](tmp_path)


def test_entries_come_back_in_order_with_both_times(trail: Trail) -> None:
    for number in range(1, 13):
        trail.append(event(number))
    assert [entry.event.subject for entry in log(trail)] == [f"model v{number}" for number in range(1, 13)]
    assert {(entry.event.time, entry.recorded_at) for entry in log(trail)} == {(START, WALL.now())}
    assert verify_log(trail).verified


def test_a_new_log_is_empty_and_verified(trail: Trail) -> None:
    assert verify_log(trail).entries == 0
    assert verify_log(trail).verified


def test_many_writers_make_one_chain(tmp_path: Path) -> None:
    trails = [MAKERS["local"](tmp_path) for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: trails[number % 4].append(event(number)), range(40)))
    found = verify_log(trails[0])
    assert (found.verified, found.entries) == (True, 40)


def test_an_append_that_was_cut_short_is_taken_up(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    trail = FolderTrail(store, WALL)
    trail.append(event(1))
    interrupted = chain(trail.head(), event(2), WALL.now())
    store.write("audit-head.json", encode(replace(trail.head(), pending=interrupted.hash)))
    assert verify_log(trail).verified, "the entry never reached the log"
    store.create("audit/0000000002.json", interrupted.line())
    assert verify_log(trail).verified, "the entry did, the head was not settled"
    trail.append(event(3))
    assert [entry.number for entry in log(trail)] == [1, 2, 3]
    assert verify_log(trail).verified


def test_a_forged_entry_stops_the_next_append(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    trail = FolderTrail(store, WALL)
    first = trail.append(event(1))
    store.create("audit/0000000002.json", chain(Head(1, first.hash), event(9), WALL.now()).line())
    assert not verify_log(trail).verified
    with pytest.raises(IntegrityError, match="holds an entry of that number already"):
        trail.append(event(2))


def test_files_taken_from_the_folder_are_missed(tmp_path: Path) -> None:
    trail = MAKERS["local"](tmp_path)
    for number in range(5):
        trail.append(event(number))
    (tmp_path / "audit" / "0000000005.json").unlink()
    assert "the tail was cut off" in verify_log(trail).faults[0].reason
