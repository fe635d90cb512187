"""What an analysis leaves in a folder: the contract's files, the answer, bad lines, the page last."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.app.files.analysis import Judged
from watchkeeper.core.encoding import encode
from watchkeeper.core.errors import InputError, PlatformError
from watchkeeper.render.contract import violations_json

STATISTICS = "statistics.json"
CONSTRAINTS = "constraints.json"
VIOLATIONS = "constraint_violations.json"
ANALYSIS = "analysis.json"
QUARANTINE = "quarantine/bad-lines.txt"
PAGE = "report.html"


@dataclass(slots=True)
class Quarantine:
    """Lines that could not be used, written as they come under a name that is not the file's own yet."""

    folder: Path
    part: Path | None = None
    _file: BinaryIO | None = field(default=None, repr=False)

    def add(self, lines: bytes) -> None:
        """Keep these lines. Raises PlatformError when they cannot be written."""
        try:
            if self._file is None:
                self.part = self.folder / "quarantine" / f".part-{secrets.token_hex(8)}"
                self.part.parent.mkdir(parents=True, exist_ok=True)
                self._file = self.part.open("xb")
            self._file.write(lines)
        except OSError as error:
            raise _unwritten(self.folder, error) from error

    def keep(self) -> None:
        """Give the file its name; without a line there is none."""
        if self._file is None or self.part is None:
            return
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self.part.replace(self.folder / QUARANTINE)
        except OSError as error:
            raise _unwritten(self.folder, error) from error

    def close(self) -> None:
        """Leave no half-written file; what was kept stays."""
        if self._file is not None and self.part is not None:
            self._file.close()
            with contextlib.suppress(FileNotFoundError):
                self.part.unlink()


@contextlib.contextmanager
def quarantine(folder: Path) -> Iterator[Quarantine]:
    """Where bad lines of a run into `folder` go. Its folder is there only when there were any."""
    held = Quarantine(folder)
    try:
        yield held
    finally:
        held.close()


def check_folder(folder: Path, inputs: tuple[str, ...]) -> None:
    """Refuse to write where the next run would read: the data's own folder, or one inside it."""
    target = folder.resolve()
    for text in inputs:
        source = Path(text)
        if _is_folder(source) and target.is_relative_to(source.resolve()):
            raise InputError(
                f"write to {folder}: want a folder outside the data's, {text}; the next run would read it"
            )


def _is_folder(path: Path) -> bool:
    """Whether it is one that this user may see: what may not be seen is refused when it is read."""
    try:
        return path.is_dir()
    except PermissionError:
        return False


def write_files(folder: Path, judged: Judged, bad_lines: Quarantine, page: str) -> tuple[str, ...]:
    """Write every file, each whole or not at all; take away what an earlier run left and this has not.

    The page goes first and comes last: while it is there, all files are of one run. Gives the names written.
    """
    store, mode = FolderStore(folder), judged.analysis.mode
    texts = {
        STATISTICS: judged.files.statistics,
        CONSTRAINTS: judged.files.constraints,
        VIOLATIONS: violations_json(judged.analysis.violations, mode) if judged.analysis.violations else "",
        ANALYSIS: encode(judged.analysis).decode(),
    }
    kept = [name for name, text in texts.items() if text]
    held = [QUARANTINE] if bad_lines.part else []
    for name in (PAGE, *({*texts, QUARANTINE} - {*kept, *held})):
        _remove(folder / name)
    for name in kept:
        store.write(name, texts[name].encode())
    bad_lines.keep()
    if not held:
        _remove_empty(folder / QUARANTINE)
    store.write(PAGE, page.encode())
    return (*kept, *held, PAGE)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except NotADirectoryError:  # somebody's file stands where our folder would be
        return
    except OSError as error:
        raise _unwritten(path, error) from error


def _remove_empty(path: Path) -> None:
    with contextlib.suppress(OSError):  # not there, or with strangers' files in it
        path.parent.rmdir()


def _unwritten(path: Path, error: OSError) -> PlatformError:
    return PlatformError(f"write {path}: {error.strerror or error}", retryable=False)
