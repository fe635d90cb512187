"""Files with rows that people bring: CSV (also gzipped), Parquet and JSON Lines, as columns of text."""

from __future__ import annotations

import io
from pathlib import Path

import polars as pl

from watchkeeper.core.errors import InputError, PlatformError
from watchkeeper.readers.table import parse_table

_PARQUET = b"PAR1"


def file_bytes(path: Path, doing: str) -> bytes:
    """The file's bytes; `doing` begins each error. Raises InputError when there is no such file."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise InputError(f"{doing} {path}: there is no such file") from None
    except PermissionError as error:
        raise InputError(f"{doing} {path}: {error.strerror}") from None
    except OSError as error:
        raise PlatformError(f"{doing} {path}: {error.strerror or error}", retryable=True) from error


def as_text(rows: pl.DataFrame) -> pl.DataFrame:
    """Every column as text, numbers in their shortest form."""
    return rows.with_columns(pl.all().cast(pl.String))


def text_table(data: bytes, path: Path, doing: str) -> pl.DataFrame:
    """A file's rows as columns of text; what it is, is seen by how it begins. Raises InputError."""
    try:
        if data.startswith(_PARQUET):
            return as_text(pl.read_parquet(data))
        if data.lstrip()[:1] == b"{":
            return as_text(pl.read_ndjson(io.BytesIO(data), infer_schema_length=None))
    except pl.exceptions.PolarsError as error:
        form = "Parquet" if data.startswith(_PARQUET) else "JSON Lines"
        raise InputError(f"{doing} {path}: the {form} file cannot be read: {error}") from None
    return parse_table(data, path.as_posix())
