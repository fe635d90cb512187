"""Where bytes come from: files, bytes at hand, or whatever else can be read by ranges.

A blob knows nothing of what it holds. It is small, frozen and picklable, so that a worker can be told
what to read and reads it itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from watchkeeper.core.errors import InputError, PlatformError
from watchkeeper.core.windows import hour_folder

_HOUR = re.compile(r"(?:^|/)(\d{4}/\d{2}/\d{2}/\d{2})/[^/]+$")
_ADDRESS = re.compile(r"^[a-z][a-z0-9+.-]+://", re.IGNORECASE)


class Blob(Protocol):
    """A run of bytes with a name; `name` is the key or path as people know it."""

    @property
    def name(self) -> str: ...

    def size(self) -> int:
        """Length in bytes."""

    def read(self, start: int = 0, stop: int | None = None) -> bytes:
        """The bytes from `start` up to `stop`, the end when None."""


@dataclass(frozen=True, slots=True)
class BytesBlob:
    """Bytes at hand."""

    name: str
    data: bytes

    def size(self) -> int:
        return len(self.data)

    def read(self, start: int = 0, stop: int | None = None) -> bytes:
        return self.data[start:stop]


@dataclass(frozen=True, slots=True)
class FileBlob:
    """A file. Raises InputError when it is not there or must not be read, else PlatformError."""

    path: Path
    name: str

    def size(self) -> int:
        try:
            return self.path.stat().st_size
        except OSError as error:
            raise _file_error(self.name, error) from error

    def read(self, start: int = 0, stop: int | None = None) -> bytes:
        try:
            with self.path.open("rb") as file:
                file.seek(start)
                data = file.read() if stop is None else file.read(stop - start)
        except OSError as error:
            raise _file_error(self.name, error) from error
        if stop is not None and len(data) < stop - start:
            raise PlatformError(
                f"read {self.name}: want bytes {start} to {stop}, got {len(data)} of them; it became shorter",
                retryable=True,
            )
        return data


def blobs_of(paths: Iterable[str | Path]) -> list[Blob]:
    """The files that are named and those in the folders that are named, sorted by name, each once.

    Names are POSIX paths as given. In folders, files and folders whose names start with `.` or `_` are
    left out, as Spark does (`_SUCCESS`). Raises InputError for a path that is not there or is an address,
    for a folder that must not be read, and when there is no file at all.
    """
    named = [str(path) for path in paths]
    found = {blob.name: blob for text in named for blob in _files(text)}
    if not found:
        raise InputError(f"read {', '.join(named) or 'input'}: want at least one file, got none")
    return [found[name] for name in sorted(found)]


def with_content(blobs: Sequence[Blob]) -> tuple[tuple[Blob, ...], tuple[str, ...]]:
    """The blobs that hold something, and a note for each that does not.

    Raises InputError when none of them holds anything.
    """
    sizes = [blob.size() for blob in blobs]
    if not any(sizes):
        first = blobs[0].name if len(blobs) == 1 else "input"
        raise InputError(f"read {first}: want rows, got {_plural(len(blobs), 'empty file')}")
    filled = tuple(blob for blob, size in zip(blobs, sizes, strict=True) if size)
    return filled, tuple(f"{blob.name} is empty" for blob, size in zip(blobs, sizes, strict=True) if not size)


def ahead_of_clock(names: Iterable[str], now: datetime) -> tuple[str, ...]:
    """A note for each name in an hour folder (`yyyy/mm/dd/hh/`) that is later than `now`."""
    hour = hour_folder(now)
    folders = [(name, match[1]) for name in names if (match := _HOUR.search(name))]
    return tuple(
        f"{name} lies in the hour {folder}, which is ahead of the clock ({hour})"
        for name, folder in folders
        if folder > hour
    )


def _files(text: str) -> Iterator[Blob]:
    address = _ADDRESS.match(text)
    if "//" in (text[address.end() :] if address else text):
        raise InputError(
            f"read {text}: there is an empty folder name in it (a double slash); "
            "want each folder's name between single slashes"
        )
    if address:
        raise InputError(f"read {text}: want a file or folder of this machine, got an address")
    path = Path(text)
    try:
        if not path.is_dir():
            path.stat()
            return iter([FileBlob(path, path.as_posix())])
        return iter([FileBlob(file, file.as_posix()) for file in _below(path)])
    except OSError as error:
        raise _file_error(text, error) from error


def _below(folder: Path) -> list[Path]:
    found = []
    for path in folder.iterdir():
        if path.name.startswith((".", "_")):
            continue
        found += _below(path) if path.is_dir() else [path]
    return found


def _file_error(name: str, error: OSError) -> InputError | PlatformError:
    match error:
        case FileNotFoundError() | NotADirectoryError():
            return InputError(f"read {name}: there is no such file or folder")
        case PermissionError():
            return InputError(f"read {name}: no permission; want a file this user may read")
        case IsADirectoryError():
            return InputError(f"read {name}: want a file, got a folder")
    return PlatformError(f"read {name}: {error.strerror or error}", retryable=True)


def _plural(count: int, noun: str) -> str:
    return f"an {noun}" if count == 1 else f"{count} {noun}s"
