"""Files and folders with captured requests, as people bring them."""

from __future__ import annotations

from pathlib import Path

from watchkeeper.core.errors import InputError
from watchkeeper.readers.gzipped import inflated
from watchkeeper.readers.table_files import file_bytes


def files_below(source: Path, doing: str) -> list[Path]:
    """A file, or all of a folder's in order of their names. Raises InputError for a folder without any."""
    if not source.is_dir():
        return [source]
    found = sorted(path for path in source.rglob("*") if path.is_file() and not path.name.startswith("."))
    if not found:
        raise InputError(f"{doing} {source}: want a folder with files, it is empty")
    return found


def capture_data(file: Path, doing: str) -> bytes:
    """The file's bytes, inflated where they are gzipped."""
    return inflated(file_bytes(file, doing), f"{doing} {file}")


def is_capture(data: bytes) -> bool:
    """Whether the first line is a capture record, and not a row of a table."""
    return b'"captureData"' in data.partition(b"\n")[0]
