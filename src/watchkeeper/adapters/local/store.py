"""Objects as files below one folder."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from watchkeeper.core.errors import DeniedError, ExistsError, InputError, PlatformError
from watchkeeper.core.ports import ANY

_TEMPORARY = ".part-"


@dataclass(frozen=True, slots=True)
class FolderStore:
    """A `Store` whose keys are paths below `root`, which is made when first written to."""

    root: Path

    def read(self, key: str) -> bytes:
        path = self.path(key)
        try:
            return path.read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise InputError(f"read {key} below {self.root}: there is no such object") from None
        except OSError as error:
            raise _platform("read", path, error) from error

    def write(self, key: str, data: bytes) -> None:
        path = self.path(key)
        with _temporary(path, data) as written:
            written.replace(path)

    def create(self, key: str, data: bytes) -> None:
        path = self.path(key)
        with _temporary(path, data) as written:
            try:
                path.hardlink_to(written)
            except FileExistsError:
                raise ExistsError(key) from None

    def size(self, key: str) -> int:
        try:
            return self.path(key).stat().st_size
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise _platform("look at", self.path(key), error) from error

    def remove(self, key: str) -> None:
        """Take the file away, and folders that are empty then."""
        path = self.path(key)
        try:
            path.unlink(missing_ok=True)
            for folder in path.parents:
                if folder == self.root or any(folder.iterdir()):
                    return
                folder.rmdir()
        except OSError as error:
            raise _platform("remove", path, error) from error

    def list(self, prefix: str) -> Sequence[str]:
        *parts, start = prefix.split("/")
        return sorted(key for folder in self._folders(parts) for key in self._below(folder, start))

    def _folders(self, parts: Sequence[str]) -> Sequence[Path]:
        """Those that the parts name; `*` is each that is there."""
        found = [self.root]
        for part in parts:
            if part == ANY:
                found = [inner for outer in found for inner in _folders_in(outer)]
            else:
                found = [outer / part for outer in found]
        return found

    def _below(self, folder: Path, start: str) -> Iterator[str]:
        """Keys of the files in it whose path from there begins so."""
        beyond = (
            len(str(self.root)) + 1
        )  # text, as a Path for each of ten thousand folders takes most of the time
        for base, folders, files in os.walk(folder, onerror=_unlisted):
            inside = f"{base[beyond:]}/".replace(os.sep, "/").lstrip("/")
            yield from (
                inside + name for name in files if name.startswith(start) and not name.startswith(_TEMPORARY)
            )
            if start:
                folders[:] = [name for name in folders if name.startswith(start)]
                start = ""

    def path(self, key: str) -> Path:
        """Where the object lies. Raises ValueError for a key that would leave the folder."""
        parts = key.split("/")
        if (
            key.startswith("/")
            or any(part in ("", ".", "..", ANY) for part in parts[:-1])
            or parts[-1] in (".", "..", ANY)
        ):
            raise ValueError(f'a key wants plain parts between single slashes, got "{key}"')
        return self.root / key


@contextlib.contextmanager
def _temporary(path: Path, data: bytes) -> Iterator[Path]:
    """The data, whole and on disk, under a name beside `path` that goes away afterwards."""
    temporary = path.with_name(f"{_TEMPORARY}{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:  # with the permissions that the user's umask leaves
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
    except OSError as error:
        raise _platform("write", path, error) from error
    finally:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):  # it was never made, or has moved
            temporary.unlink()


def _folders_in(folder: Path) -> Sequence[Path]:
    try:
        return [Path(entry) for entry in os.scandir(folder) if entry.is_dir()]
    except OSError as error:
        _unlisted(error)
        return []


def _unlisted(error: OSError) -> None:
    """Refuse a listing that would lack a folder's keys; one that is not there has none."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise _platform("list", error.filename, error) from error


def _platform(doing: str, path: Path | str, error: OSError) -> PlatformError:
    if error.errno in (errno.EACCES, errno.EPERM):
        return DeniedError(f"{doing} {path}: {error.strerror}; nothing was changed")
    retryable = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EAGAIN, errno.EMFILE)
    return PlatformError(
        f"{doing} {path}: {error.strerror or error}; nothing was changed", retryable=retryable
    )
