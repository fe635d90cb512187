"""Every trail keeps the port's promises."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.aws.doubles import Doubles
from watchkeeper.adapters.aws.lease import Lease
from watchkeeper.adapters.aws.store import S3Store
from watchkeeper.adapters.aws.trail import LEASE, S3Trail, _Tagged
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.adapters.local.trail import FolderTrail
from watchkeeper.adapters.memory.clock import MovedClock
from watchkeeper.adapters.memory.trail import MemoryTrail
from watchkeeper.app.setup.audit import log, verify_log
from watchkeeper.core.audit import Event, Head, chain
from watchkeeper.core.encoding import encode
from watchkeeper.core.errors import IntegrityError
from watchkeeper.core.ports import Store, Trail
from watchkeeper.core.values import Actor

START = datetime(2020, 1, 1, tzinfo=UTC)
WALL = MovedClock(datetime(2026, 1, 1, tzinfo=UTC))
Makes = Callable[[Path, pytest.FixtureRequest], Trail]
BUCKET = {
    "Bucket": "records",
    "CreateBucketConfiguration": {"LocationConstraint": "ap-southeast-1"},
}


def bucket(request: pytest.FixtureRequest) -> S3Store:
    doubles: Doubles = request.getfixturevalue("doubles")
    with contextlib.suppress(ClientError):  # it is there
        doubles.client("s3").create_bucket(**BUCKET)
    return S3Store(doubles.account().client("s3"), "records")


MAKERS: dict[str, Makes] = {
    "local": lambda folder, _: FolderTrail(FolderStore(folder), WALL),
    "memory": lambda *_: MemoryTrail(WALL),
    "aws": lambda _, request: S3Trail(bucket(request), WALL),
}
KEPT: dict[str, Callable[[Path, pytest.FixtureRequest], Store]] = {
    "local": lambda folder, _: FolderStore(folder),
    "aws": lambda _, request: bucket(request),
}


def event(number: int) -> Event:
    return Event("model.approve", f"model v{number}", Actor("kim", "os-user"), START, why="good figures")


@pytest.fixture(params=MAKERS)
def trail(request: pytest.FixtureRequest, tmp_path: Path) -> Trail:
    return MAKERS[request.param](tmp_path, request)


def test_entries_come_back_in_order_with_both_times(trail: Trail) -> None:
    for number in range(1, 13):
        trail.append(event(number))
    assert [entry.event.subject for entry in log(trail)] == [f"model v{number}" for number in range(1, 13)]
    assert {(entry.event.time, entry.recorded_at) for entry in log(trail)} == {(START, WALL.now())}
    assert verify_log(trail).verified


def test_a_new_log_is_empty_and_verified(trail: Trail) -> None:
    assert verify_log(trail).entries == 0
    assert verify_log(trail).verified


@pytest.mark.parametrize("target", KEPT)
def test_many_writers_make_one_chain(target: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    trails = [MAKERS[target](tmp_path, request) for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: trails[number % 4].append(event(number)), range(40)))
    found = verify_log(trails[0])
    assert (found.verified, found.entries) == (True, 40)


@pytest.mark.parametrize("target", KEPT)
def test_an_append_that_was_cut_short_is_taken_up(
    target: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    store, trail = KEPT[target](tmp_path, request), MAKERS[target](tmp_path, request)
    trail.append(event(1))
    interrupted = chain(trail.head(), event(2), WALL.now())
    store.write("audit-head.json", encode(replace(trail.head(), pending=interrupted.hash)))
    assert verify_log(trail).verified, "the entry never reached the log"
    store.create("audit/0000000002.json", interrupted.line())
    assert verify_log(trail).verified, "the entry did, the head was not settled"
    trail.append(event(3))
    assert [entry.number for entry in log(trail)] == [1, 2, 3]
    assert verify_log(trail).verified


@pytest.mark.parametrize("target", KEPT)
def test_a_forged_entry_stops_the_next_append(
    target: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    store, trail = KEPT[target](tmp_path, request), MAKERS[target](tmp_path, request)
    first = trail.append(event(1))
    store.create("audit/0000000002.json", chain(Head(1, first.hash), event(9), WALL.now()).line())
    assert not verify_log(trail).verified
    with pytest.raises(IntegrityError, match="holds an entry of that number already"):
        trail.append(event(2))


def test_files_taken_from_the_folder_are_missed(tmp_path: Path) -> None:
    trail = FolderTrail(FolderStore(tmp_path), WALL)
    for number in range(5):
        trail.append(event(number))
    (tmp_path / "audit" / "0000000005.json").unlink()
    assert "the tail was cut off" in verify_log(trail).faults[0].reason


def test_a_lease_that_a_dead_process_left_is_taken_over(request: pytest.FixtureRequest) -> None:
    store, clock = bucket(request), MovedClock(datetime(2026, 1, 1, tzinfo=UTC))
    store.write(LEASE, encode(Lease("dead", clock.now() + timedelta(seconds=30))))
    clock.move_to(clock.now() + timedelta(seconds=31))
    trail = S3Trail(store, clock)
    trail.append(event(1))
    assert verify_log(trail).entries == 1


def test_who_slept_past_its_lease_appends_nothing(request: pytest.FixtureRequest) -> None:
    """Its clock stood still for longer than the lease: another has written the head meanwhile."""
    store = bucket(request)
    sleeper, other = S3Trail(store, WALL), S3Trail(store, WALL)
    sleeper.append(event(1))
    head = _Tagged(store)
    store.remove(LEASE)
    other.append(event(2))
    with pytest.raises(IntegrityError, match="the head changed meanwhile"):
        head.put(Head(2, "another"))
    assert verify_log(other).verified
