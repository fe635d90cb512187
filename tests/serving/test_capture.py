"""The capture writer: nothing answered is lost, nothing incomplete is ever read as whole."""

import errno
import logging
import os
import resource
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from watchkeeper.adapters.memory.store import MemoryStore
from watchkeeper.core.errors import IntegrityError, PlatformError
from watchkeeper.core.values import CaptureRecord, Payload
from watchkeeper.render.records import CaptureFolder, capture_line
from watchkeeper.serving.capture import CaptureWriter, sampled

NOON = datetime(2020, 1, 1, 12, 30, 15, 250000, UTC)
FOLDER = CaptureFolder("prod", 1, "prices", "AllTraffic")


@dataclass
class Wall:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class FailingStore:
    """A store that is out of reach until it is mended."""

    inner: MemoryStore = field(default_factory=MemoryStore)
    broken: bool = True

    def read(self, key: str) -> bytes:
        return self.inner.read(key)

    def write(self, key: str, data: bytes) -> None:
        self.inner.write(key, data)

    def create(self, key: str, data: bytes) -> None:
        if self.broken:
            raise PlatformError(f"create {key}: out of reach", retryable=True)
        self.inner.create(key, data)

    def list(self, prefix: str) -> list[str]:
        return list(self.inner.list(prefix))


def record(time: datetime = NOON, event_id: str = "e") -> CaptureRecord:
    side = Payload("1", "CSV", "text/csv")
    return CaptureRecord(event_id, None, time, 1, 1, side, side)


def spooled(spool: Path) -> list[Path]:
    return sorted(spool.rglob("*.jsonl"))


def test_a_record_is_in_its_spool_file_when_append_returns(tmp_path: Path) -> None:
    writer = CaptureWriter(MemoryStore(), tmp_path)
    writer.append(FOLDER, record())
    (file,) = spooled(tmp_path)
    assert file.read_bytes() == capture_line(record())
    writer.flush()


def test_flush_moves_every_record_to_the_store_under_the_contract_s_key(tmp_path: Path) -> None:
    store = MemoryStore()
    writer = CaptureWriter(store, tmp_path)
    for event_id in ("a", "b"):
        writer.append(FOLDER, record(event_id=event_id))
    assert store.list("") == []
    writer.flush()
    (key,) = store.list("")
    assert key.startswith("captures/prod/schema-v1/prices/AllTraffic/2020/01/01/12/30-15-250-")
    assert store.read(key) == capture_line(record(event_id="a")) + capture_line(record(event_id="b"))
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_shipped_when_it_is_a_minute_old(tmp_path: Path) -> None:
    store, wall = MemoryStore(), Wall()
    writer = CaptureWriter(store, tmp_path, wall)
    writer.append(FOLDER, record())
    wall.now = 59.9
    writer.ship()
    assert store.list("") == []
    wall.now = 60.0
    writer.ship()
    assert len(store.list("")) == 1


def test_two_hours_of_an_endpoint_stay_open_and_older_ones_are_shipped(tmp_path: Path) -> None:
    store = MemoryStore()
    writer = CaptureWriter(store, tmp_path, Wall())
    for hours in (0, 1, 0, 1, 2, 3):
        writer.append(FOLDER, record(NOON + timedelta(hours=hours)))
    writer.append(CaptureFolder("dev", 1, "prices-dev", "AllTraffic"), record())
    writer.ship()
    assert [key.split("/")[-2] for key in store.list("")] == ["12", "13"]
    assert [store.read(key).count(b"\n") for key in store.list("")] == [2, 2]
    writer.flush()
    assert len(store.list("")) == 5


def test_what_a_crash_left_is_recovered_without_its_torn_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    crashed = CaptureWriter(MemoryStore(), tmp_path)
    crashed.append(FOLDER, record())
    crashed.append(CaptureFolder("prod", 1, "rents", "AllTraffic"), record())
    for path in spooled(tmp_path):
        path.write_bytes(path.read_bytes() + b'{"captureData":{"endpointInp')
    store = MemoryStore()
    with caplog.at_level(logging.WARNING):
        assert CaptureWriter(store, tmp_path).recover() == 2
    assert [store.read(key) for key in store.list("")] == [capture_line(record())] * 2
    assert "incomplete line of 28 bytes, dropped" in caplog.text
    assert spooled(tmp_path) == []
    assert CaptureWriter(store, tmp_path).recover() == 0


def test_a_crash_between_store_and_spool_ships_nothing_twice(tmp_path: Path) -> None:
    store = MemoryStore()
    CaptureWriter(store, tmp_path).append(FOLDER, record())
    (file,) = spooled(tmp_path)
    store.create(file.relative_to(tmp_path).as_posix(), file.read_bytes())
    CaptureWriter(store, tmp_path).recover()
    assert len(store.list("")) == 1
    assert spooled(tmp_path) == []


def test_another_object_under_the_same_key_stops_the_recovery(tmp_path: Path) -> None:
    store = MemoryStore()
    CaptureWriter(store, tmp_path).append(FOLDER, record())
    (file,) = spooled(tmp_path)
    store.create(file.relative_to(tmp_path).as_posix(), b"other\n")
    with pytest.raises(IntegrityError, match="the store holds another"):
        CaptureWriter(store, tmp_path).recover()
    assert spooled(tmp_path) == [file]


def test_a_spool_file_with_nothing_whole_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "captures/prod/a.jsonl"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"{torn")
    store = MemoryStore()
    CaptureWriter(store, tmp_path).recover()
    assert (store.list(""), spooled(tmp_path)) == ([], [])


def test_a_store_out_of_reach_keeps_the_spool_and_is_tried_again(tmp_path: Path) -> None:
    store = FailingStore()
    writer = CaptureWriter(store, tmp_path)
    writer.append(FOLDER, record())
    with pytest.raises(PlatformError, match="out of reach"):
        writer.flush()
    assert len(spooled(tmp_path)) == 1
    store.broken = False
    writer.flush()
    assert (len(store.list("")), spooled(tmp_path)) == (1, [])


def test_a_spool_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "captures").write_text("a file where a folder should be")
    with pytest.raises(PlatformError, match="write capture record to"):
        CaptureWriter(MemoryStore(), tmp_path).append(FOLDER, record())


def test_a_record_of_which_a_part_fits_is_taken_back(tmp_path: Path) -> None:
    """As on a full disk: the limit on a file's size lets the second record in by ten bytes."""
    store, line = MemoryStore(), capture_line(record())
    writer = CaptureWriter(store, tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(line) + 10, before[1]))
    try:
        writer.append(FOLDER, record())
        with pytest.raises(PlatformError, match=r"10 of \d+ bytes were taken; nothing of it is kept"):
            writer.append(FOLDER, record())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    writer.append(FOLDER, record())
    writer.flush()
    assert [store.read(key) for key in store.list("")] == [line, line], "a file that failed is closed"


def test_with_fsync_a_record_is_on_the_disk_or_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, synced = MemoryStore(), list[int]()
    writer = CaptureWriter(store, tmp_path)
    monkeypatch.setattr(os, "fsync", synced.append)
    assert writer.append_all(FOLDER, [record(), record()], fsync=True) == [None, None]
    assert len(synced) == 1, "one wait for all of a moment"

    def broken(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    (error,) = writer.append_all(FOLDER, [record()], fsync=True)
    assert "Input/output error; nothing of it is kept" in str(error)
    writer.append(FOLDER, record())
    writer.flush()
    assert sum(store.read(key).count(b"\n") for key in store.list("")) == 3


def test_sampling_is_deterministic_and_of_about_its_share() -> None:
    ids = [f"event-{number}" for number in range(5000)]
    kept = [each for each in ids if sampled(each, 20)]
    assert 900 < len(kept) < 1100
    assert kept == [each for each in ids if sampled(each, 20)]
    assert all(sampled(each, 50) for each in kept)
    assert not any(sampled(each, 0) for each in ids)
    assert all(sampled(each, 100) for each in ids)
