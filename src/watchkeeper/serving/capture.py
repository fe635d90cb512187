"""The capture writer: each record is in the operating system's hands before its answer is sent.

A record is appended to a spool file whose path below the spool folder is the key its object will
have. A closed file goes to the store with `create` and leaves the spool; what a crash leaves there
is shipped at the next start. A file is closed a minute after it was opened, when two other hours of
its endpoint have been written to since (in a rehearsal time jumps ahead), and by `flush`.
"""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
import uuid
import zlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from watchkeeper.core.errors import ExistsError, IntegrityError, PlatformError, WatchkeeperError
from watchkeeper.core.ports import Store
from watchkeeper.core.values import CaptureRecord
from watchkeeper.render.records import CaptureFolder, capture_key, capture_line

ROTATE_AFTER = 60.0  # seconds; the contract's files close about a minute after they open
OPEN_HOURS = 2  # of an endpoint: requests in flight may straddle the turn of an hour

_Hour = tuple[CaptureFolder, datetime]  # what one file is open for

log = logging.getLogger(__name__)


def sampled(event_id: str, percentage: int) -> bool:
    """Whether a request is among the share that is captured: always the same answer for one id.

    >>> sampled("a", 100), sampled("a", 0)
    (True, False)
    """
    return percentage >= 100 or zlib.crc32(event_id.encode()) % 100 < percentage


@dataclass(slots=True)
class _SpoolFile:
    key: str
    path: Path
    descriptor: int
    opened: float
    size: int = 0

    def append(self, lines: bytes, *, fsync: bool = False) -> None:
        """Write the lines whole, or leave the file as it was and raise PlatformError."""
        try:
            written = os.write(self.descriptor, lines)
            if written < len(lines):
                os.ftruncate(self.descriptor, self.size)
            elif fsync:
                self._sync()
        except OSError as error:
            raise _unwritten(self.path, error.strerror or str(error)) from error
        if written < len(lines):
            raise _unwritten(self.path, f"{written} of {len(lines)} bytes were taken")
        self.size += written

    def _sync(self) -> None:
        """Wait for the disk; what did not get there is taken back."""
        try:
            os.fsync(self.descriptor)
        except OSError:
            os.ftruncate(self.descriptor, self.size)
            raise


@dataclass(slots=True)
class CaptureWriter:
    """Writes records to `spool` and ships closed files to `store`. Safe to use from several threads.

    `seconds` only go forward; they decide the age of a file and nothing else.
    """

    store: Store
    spool: Path
    seconds: Callable[[], float] = time.monotonic
    _open: OrderedDict[_Hour, _SpoolFile] = field(default_factory=OrderedDict)
    _closed: dict[str, float] = field(default_factory=dict)  # when each was opened, by its key
    _writing: threading.Lock = field(default_factory=threading.Lock)
    _shipping: threading.Lock = field(default_factory=threading.Lock)

    def append(self, folder: CaptureFolder, record: CaptureRecord) -> None:
        """Write one record. Raises PlatformError when it could not be, and then nothing of it is kept."""
        (error,) = self.append_all(folder, [record])
        if error is not None:
            raise error

    def append_all(
        self, folder: CaptureFolder, records: Sequence[CaptureRecord], *, fsync: bool = False
    ) -> list[PlatformError | None]:
        """Write records, those of an hour at once; of each the error when it could not be, else None.

        Those of one hour are kept all or none. With `fsync` they are on the disk when this returns.
        """
        lines = [capture_line(record) for record in records]
        hours: dict[datetime, list[int]] = {}
        for place, record in enumerate(records):
            hours.setdefault(_hour(record.time), []).append(place)
        errors: list[PlatformError | None] = [None] * len(records)
        with self._writing:
            for places in hours.values():
                together = b"".join(lines[place] for place in places)
                try:
                    self._append(folder, records[places[0]], together, fsync=fsync)
                except PlatformError as error:
                    for place in places:
                        errors[place] = error
        return errors

    def _append(self, folder: CaptureFolder, first: CaptureRecord, lines: bytes, *, fsync: bool) -> None:
        hour = (folder, _hour(first.time))
        file = self._open.get(hour) or self._opened(hour, first)
        self._open.move_to_end(hour)
        try:
            file.append(lines, fsync=fsync)
        except PlatformError:
            self._close(hour)  # shipped soon, which makes room where the store is on another disk
            raise

    def lag(self, folder: str) -> float:
        """Seconds since the oldest file below a folder that is not in the store was opened; 0 without one."""
        with self._writing:
            opened = [file.opened for file in self._open.values() if file.key.startswith(folder)]
            opened += [at for key, at in self._closed.items() if key.startswith(folder)]
            return max(0.0, self.seconds() - min(opened)) if opened else 0.0

    def free(self) -> float | None:
        """The share of the spool's disk that is free; None before there is a spool."""
        if not self.spool.exists():
            return None
        usage = shutil.disk_usage(self.spool)
        return usage.free / usage.total

    def ship(self) -> None:
        """Close the files that are a minute old and bring every closed file to the store."""
        limit = self.seconds() - ROTATE_AFTER
        self._close_where(lambda file: file.opened <= limit)
        self._ship_closed()

    def flush(self) -> None:
        """Close every file and bring it to the store. Raises PlatformError when one could not be."""
        self._close_where(lambda _: True)
        self._ship_closed()

    def recover(self) -> int:
        """Bring what an earlier process left in the spool to the store; call it before any append.

        An incomplete last line, whose request was never answered, is dropped and said in the log.
        Returns the number of files.
        """
        left = sorted(path.relative_to(self.spool).as_posix() for path in self.spool.rglob("*.jsonl"))
        with self._writing:
            self._closed.update(dict.fromkeys(left, self.seconds()))
        if left:
            log.warning(
                "capture: %d files of an earlier process are recovered from %s", len(left), self.spool
            )
        self._ship_closed()
        return len(left)

    def _opened(self, hour: _Hour, record: CaptureRecord) -> _SpoolFile:
        key = capture_key(hour[0], record.time, str(uuid.uuid4()))
        path = self.spool / key
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(
                path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o644
            )
        except OSError as error:
            raise _unwritten(path, error.strerror or str(error)) from error
        file = self._open[hour] = _SpoolFile(key, path, descriptor, self.seconds())
        of_endpoint = [other for other in self._open if other[0] == hour[0]]
        for idle in of_endpoint[:-OPEN_HOURS]:
            self._close(idle)
        return file

    def _close_where(self, due: Callable[[_SpoolFile], bool]) -> None:
        with self._writing:
            for hour in [hour for hour, file in self._open.items() if due(file)]:
                self._close(hour)

    def _close(self, hour: _Hour) -> None:
        file = self._open.pop(hour)
        os.close(file.descriptor)
        self._closed[file.key] = file.opened

    def _ship_closed(self) -> None:
        """Ship every closed file; one that fails is kept for the next time, its error raised last.

        One thread ships at a time, so whoever flushes also waits for files another is shipping.
        """
        failed: list[WatchkeeperError] = []
        with self._shipping:
            with self._writing:
                due = tuple(self._closed)
            for key in due:
                try:
                    self._ship(key)
                except WatchkeeperError as error:
                    failed.append(error)
                    continue
                with self._writing:
                    del self._closed[key]
                    self._prune(key)
        if failed:
            raise failed[0]

    def _ship(self, key: str) -> None:
        path = self.spool / key
        try:
            lines = _whole_lines(path)
            if lines:
                self._create(key, lines)
            path.unlink()
        except OSError as error:
            raise PlatformError(
                f"ship capture file {path}: {error.strerror or error}", retryable=True
            ) from error

    def _prune(self, key: str) -> None:
        """Remove the folders the file leaves empty; under the lock, as an append may be making one there."""
        for folder in (self.spool / key).parents:
            if folder == self.spool:
                break
            try:
                folder.rmdir()
            except OSError:  # it is not empty
                break

    def _create(self, key: str, lines: bytes) -> None:
        try:
            self.store.create(key, lines)
        except ExistsError:  # a crash came between this and leaving the spool
            if self.store.read(key) != lines:
                raise IntegrityError(
                    f"ship capture file {key}: the store holds another under its key"
                ) from None


def _hour(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _whole_lines(path: Path) -> bytes:
    data = path.read_bytes()
    end = data.rfind(b"\n") + 1
    if end < len(data):
        log.warning("capture: %s ends in an incomplete line of %d bytes, dropped", path, len(data) - end)
    return data[:end]


def _unwritten(path: Path, reason: str) -> PlatformError:
    return PlatformError(f"write capture record to {path}: {reason}; nothing of it is kept", retryable=True)
