"""A workspace as one file, and back: everything that cannot be made anew, with the digest of each part.

The file is a tar with the manifest as its last member, so that one that was cut short has none.
"""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from watchkeeper import __version__
from watchkeeper.adapters.chained import HEAD, LOG
from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.adapters.local.trail import FolderTrail
from watchkeeper.app.setup.audit import verify_log
from watchkeeper.app.setup.formats import FORMAT, format_of
from watchkeeper.core.audit import Event
from watchkeeper.core.encoding import decode, encode
from watchkeeper.core.errors import InputError, IntegrityError, PlatformError
from watchkeeper.core.values import Actor, Progress

MANIFEST = "backup.json"
# What a running process has in hand, or makes anew when it is asked.
LEFT_OUT = ("run", "index.db", "stack", "spool", "capture-spool")
_OF_PROCESSES = (".lock", ".db-wal", ".db-shm")  # what a database's copy has in it already
_CHUNK = 1 << 20

Report = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a backup: its size in bytes and its sha256."""

    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds; `waiting` counts captured files that no hour of the store had yet."""

    format: int
    version: str
    project: str
    time: datetime
    waiting: int
    parts: dict[str, Part]


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup's file, what is in it, and its own sha256."""

    file: str
    digest: str
    size: int
    manifest: Manifest


def back_up(folder: Path, file: Path, actor: Actor, report: Report, project: str) -> Backup:
    """Write a workspace into one file, which appears whole or not at all.

    Processes may go on working: records are written once, so each is whole; the audit log and its head are
    read together, last. What a server has captured and not shipped yet is not in it, and counted.
    """
    if file.exists():
        raise InputError(f"back up into {file}: want a new file, it is there already")
    store, clock = FolderStore(folder), WallClock()
    trail = FolderTrail(store, clock)
    names = _names(folder)
    total = sum((folder / name).stat().st_size for name in names)
    parts: dict[str, Part] = {}
    with _whole(file) as half, tarfile.open(half, "w:gz" if file.suffix in (".gz", ".tgz") else "w") as tar:
        done = 0
        for name in names:
            parts[name] = _add(tar, folder, name)
            done += parts[name].size
            report(Progress("back up", done, max(total, done), name[:40]))
        with trail.still():
            for name in (*store.list(LOG), *store.list(HEAD)):
                parts[name] = _add(tar, folder, name)
        waiting = sum(1 for spool in LEFT_OUT if "spool" in spool for _ in _files(folder / spool))
        manifest = Manifest(format_of(folder), __version__, project, clock.now(), waiting, parts)
        _add_bytes(tar, MANIFEST, encode(manifest))
    found = Backup(str(file), _digest_of(file), file.stat().st_size, manifest)
    why = f"{len(parts):,} files into {file.name}"
    trail.append(Event("workspace.backed-up", str(folder.name), actor, clock.now(), why, after=found.digest))
    return found


def restore(file: Path, folder: Path, actor: Actor, report: Report) -> Manifest:
    """Make a workspace of a backup, in a folder that is not there or empty.

    It appears when every part is as its digest says and the audit log verifies; until then it is built
    beside the place, and taken away again when something is wrong. Raises IntegrityError for a part that is
    not as it was, InputError for a file that is no backup or of a newer format.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"restore into {folder}: want an empty folder or none")
    folder.parent.mkdir(parents=True, exist_ok=True)
    half = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    try:
        manifest = _unpacked(file, half, report)
        store, clock = FolderStore(half), WallClock()
        trail = FolderTrail(store, clock)
        if not (verified := verify_log(trail)).verified:
            first = verified.faults[0]
            raise IntegrityError(f"restore {file}: its audit log does not verify: {first}")
        why = f"{len(manifest.parts):,} files of {file.name}, backed up {manifest.time:%Y-%m-%dT%H:%M:%SZ}"
        trail.append(
            Event("workspace.restored", folder.name, actor, clock.now(), why, before=_digest_of(file))
        )
        if folder.exists():
            folder.rmdir()
        half.replace(folder)
    finally:
        shutil.rmtree(half, ignore_errors=True)
    return manifest


def _names(folder: Path) -> list[str]:
    """Everything but the audit log, which is read last, and what is left out."""
    found = []
    for path in _files(folder):
        name = path.relative_to(folder).as_posix()
        top = name.partition("/")[0]
        skipped = top.startswith(LEFT_OUT[1]) or top in LEFT_OUT or name.endswith(_OF_PROCESSES)
        if not skipped and not name.startswith(LOG) and name != HEAD and not path.name.startswith("."):
            found.append(name)
    return sorted(found)


def _files(folder: Path) -> Iterator[Path]:
    for base, _, names in os.walk(folder):
        yield from (Path(base) / name for name in names)


def _add(tar: tarfile.TarFile, folder: Path, name: str) -> Part:
    path = folder / name
    if path.suffix == ".db":  # somebody may be writing into it: SQLite makes a copy that holds together
        with tempfile.TemporaryDirectory() as beside:
            copy = Path(beside) / path.name
            source, target = sqlite3.connect(path), sqlite3.connect(copy)
            try:
                source.backup(target)
            finally:
                source.close()
                target.close()
            return _add_bytes(tar, name, copy.read_bytes())
    return _add_bytes(tar, name, path.read_bytes())


def _add_bytes(tar: tarfile.TarFile, name: str, data: bytes) -> Part:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(data), 0o644
    tar.addfile(member, io.BytesIO(data))
    return Part(len(data), hashlib.sha256(data).hexdigest())


def _unpacked(file: Path, half: Path, report: Report) -> Manifest:
    """The parts below `half`, each held against the manifest that comes after them."""
    store, found, manifest = FolderStore(half), dict[str, Part](), b""
    try:
        with tarfile.open(file, "r:*") as tar:
            for number, member in enumerate(tar, start=1):
                data = _member(tar, member, file)
                if member.name == MANIFEST:
                    manifest = data
                    continue
                found[member.name] = Part(len(data), hashlib.sha256(data).hexdigest())
                store.write(member.name, data)
                report(Progress("restore", number, None, member.name[:40]))
    except (OSError, EOFError, tarfile.TarError, ValueError) as error:
        raise InputError(f"restore {file}: {error}") from error
    if not manifest:
        raise InputError(f"restore {file}: want a backup that `watchkeeper backup` wrote to its end")
    try:
        said = decode(Manifest, manifest)
    except ValueError as error:
        raise InputError(f"restore {file}, {MANIFEST}: {error}") from error
    if said.format > FORMAT:
        raise InputError(
            f"restore {file}: its format {said.format} is newer than {FORMAT}, made by {said.version}"
        )
    for name in sorted(said.parts.keys() | found.keys()):
        if said.parts.get(name) != found.get(name):
            raise IntegrityError(f"restore {file}: {name} is not as it was backed up")
    return said


def _member(tar: tarfile.TarFile, member: tarfile.TarInfo, file: Path) -> bytes:
    """A member's bytes. Raises InputError for one that is no plain file below the folder."""
    path = PurePosixPath(member.name)
    held = tar.extractfile(member) if member.isfile() else None
    if held is None or path.is_absolute() or ".." in path.parts:
        raise InputError(f"restore {file}: want plain files, got {member.name}")
    return held.read()


@contextmanager
def _whole(file: Path) -> Iterator[Path]:
    """A temporary name beside the file, which gets its own when the block came to its end."""
    half = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        yield half
        with half.open("rb") as written:
            os.fsync(written.fileno())
        half.replace(file)
    except OSError as error:
        raise PlatformError(f"back up into {file}: {error.strerror or error}", retryable=True) from error
    finally:
        half.unlink(missing_ok=True)


def _digest_of(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as data:
        while chunk := data.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
