"""The version of a workspace's format: an older one is brought up to date, a newer one refused.

Raised when records of before can no longer be read as they are; with it comes an entry of `MIGRATIONS`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from watchkeeper import __version__
from watchkeeper.core.encoding import decode, encode
from watchkeeper.core.errors import ExistsError, InputError, IntegrityError
from watchkeeper.core.ports import Store

FORMAT = 1
MARKER = "workspace.json"

# From a format to the next: what changes the folder, and is safe to run again where it was interrupted.
MIGRATIONS: Mapping[int, Callable[[Path], None]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Marker:
    """What a workspace says of itself: its format, and the watchkeeper that gave it."""

    format: int
    version: str


def mark(store: Store) -> None:
    """Say of a workspace that begins that it has today's format."""
    with contextlib.suppress(ExistsError):
        store.create(MARKER, encode(Marker(FORMAT, __version__)))


def format_of(folder: Path) -> int:
    """A workspace's format; one without a marker has the first. Raises IntegrityError for a broken marker."""
    try:
        return decode(Marker, (folder / MARKER).read_bytes()).format
    except FileNotFoundError:
        return 1
    except (OSError, ValueError) as error:
        raise IntegrityError(f"read {folder / MARKER}: {error}") from error


def check_format(folder: Path) -> None:
    """Raises InputError for a workspace that this watchkeeper cannot work in as it is."""
    found = format_of(folder)
    if found > FORMAT:
        raise InputError(
            f"open workspace {folder}: its format {found} is newer than {FORMAT}, which this watchkeeper "
            f"{__version__} knows; nothing was read"
        )
    if found < FORMAT:
        raise InputError(
            f"open workspace {folder}: it has format {found}, this watchkeeper works in {FORMAT}; "
            f"`watchkeeper backup --migrate` brings it there, after a backup"
        )


def migrate(folder: Path, store: Store) -> tuple[int, ...]:
    """Bring a workspace to today's format, one format after the other; those that it came through.

    Interrupted, it is taken up again. Raises InputError for a newer one, and where there is no way.
    """
    done = []
    while (found := format_of(folder)) < FORMAT:
        if found not in MIGRATIONS:
            raise InputError(f"migrate workspace {folder}: there is no way from format {found}")
        MIGRATIONS[found](folder)
        store.write(MARKER, encode(Marker(found + 1, __version__)))
        done.append(found + 1)
    check_format(folder)
    return tuple(done)
