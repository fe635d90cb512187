"""The folders between the steps: each step writes its own, whole or not at all."""

from __future__ import annotations

import contextlib
import io
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import polars as pl

from watchkeeper.core.encoding import decode, encode
from watchkeeper.core.errors import InputError, PlatformError

T = TypeVar("T")


@contextlib.contextmanager
def step_folder(folder: Path, step: str) -> Iterator[Path]:
    """A folder to write in, which becomes `folder/step`, replacing an earlier run's, once all is written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".part-", dir=folder, ignore_cleanup_errors=True) as name:
            written = Path(name) / step
            written.mkdir()
            yield written
            shutil.rmtree(folder / step, ignore_errors=True)
            written.rename(folder / step)
    except OSError as error:
        raise PlatformError(f"write {folder / step}: {error.strerror or error}", retryable=True) from error


def write_json(path: Path, value: object) -> None:
    """A value as `core.encoding` spells it, under its name once it is whole."""
    written = path.with_name(f".part-{path.name}")
    try:
        written.write_bytes(encode(value))
        written.replace(path)
    except OSError as error:
        raise PlatformError(f"write {path}: {error.strerror or error}", retryable=True) from error


def write_rows(path: Path, rows: pl.DataFrame) -> None:
    """Rows as Parquet. Written by us: polars does not say when it was the disk that took no more."""
    held = io.BytesIO()
    rows.write_parquet(held)
    path.write_bytes(held.getbuffer())


def read_json(kind: type[T], path: Path) -> T:
    """A value that an earlier step wrote. Raises InputError when it is not there or another one."""
    try:
        return decode(kind, path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"read {path}: an earlier step of the pipeline has to write it first") from None
    except ValueError as error:
        raise InputError(f"read {path}: {error}") from None


def read_rows(path: Path) -> pl.DataFrame:
    """Rows that an earlier step wrote. Raises InputError when they are not there or damaged."""
    try:
        return pl.read_parquet(path)
    except FileNotFoundError:
        raise InputError(f"read {path}: an earlier step of the pipeline has to write it first") from None
    except pl.exceptions.ComputeError as error:
        raise InputError(f"read {path}: {error}") from None
