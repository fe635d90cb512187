"""Parquet as parts: numbers and truth values typed, everything else as text.

A chunk is some parts' rows, so that a group of rows that the file keeps together is not unpacked for
each part anew. `_line` is the row's number from 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from watchkeeper.core.errors import InputError, PlatformError
from watchkeeper.readers.blobs import Blob, FileBlob
from watchkeeper.readers.part_values import LINE, Chunk, Limits, ParquetLayout, Part, check_names

MAGIC = b"PAR1"
_PARTS = 4  # parts of a chunk
_CELLS = "cells"
_NESTED = (pl.List, pl.Struct, pl.Array, pl.Object)
# Polars panics at some damaged files, which is no Exception.
_FAILURES = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, OverflowError, MemoryError)
_TIME = "%Y-%m-%dT%H:%M:%S%.f"


def cut_parquet(blob: Blob, layout: ParquetLayout, limits: Limits) -> Iterator[Chunk]:
    """Chunks by row ranges; a blob that is no file of this machine is one, since it is fetched whole.

    Raises InputError for what is no Parquet, and for a nested column, by its name.
    """
    rows = _rows(blob)
    step = limits.part_rows * _PARTS if isinstance(blob, FileBlob) else max(rows, 1)
    for start in range(0, max(rows, 1), step):
        number = start // limits.part_rows
        yield Chunk(blob, layout, start, min(start + step, rows), number, start + 1, limits=limits)


def load_parquet(chunk: Chunk) -> Iterator[Part]:
    """Parts of `limits.part_rows` rows; at least one, which may have none."""
    frame = _collected(chunk.blob, _lazy(chunk.blob).slice(chunk.start, chunk.stop - chunk.start))
    plain = pl.DataFrame([_plain(chunk.blob.name, column) for column in frame.get_columns()])
    rows = pl.int_range(chunk.first_line, chunk.first_line + frame.height, dtype=pl.Int64, eager=True)
    plain = plain.with_columns(rows.alias(LINE)) if plain.width else pl.DataFrame({LINE: rows})
    first = Part(chunk.blob.name, chunk.number, plain.head(chunk.limits.part_rows))
    yield first
    for place, start in enumerate(range(chunk.limits.part_rows, plain.height, chunk.limits.part_rows), 1):
        rest = plain.slice(start, chunk.limits.part_rows)
        yield replace(first, number=chunk.number + place, frame=rest)


def _rows(blob: Blob) -> int:
    lazy = _lazy(blob)
    try:
        schema = lazy.collect_schema()
    except _FAILURES as error:
        raise _unreadable(blob, error) from None
    check_names(schema.names(), blob.name)
    for name, type_ in schema.items():
        _expression(blob.name, name, type_)
    return int(_collected(blob, lazy.select(pl.len())).item())


def _lazy(blob: Blob) -> pl.LazyFrame:
    size = blob.size()
    if size < 3 * len(MAGIC) or blob.read(0, 4) != MAGIC or blob.read(size - 4) != MAGIC:
        got = "an empty file" if not size else "a file that does not begin and end as one; is it cut off?"
        raise InputError(f"read {blob.name}: want Parquet, got {got}")
    source = blob.path if isinstance(blob, FileBlob) else blob.read()
    try:
        return pl.scan_parquet(source, glob=False, hive_partitioning=False)
    except _FAILURES as error:
        raise _unreadable(blob, error) from None


def _collected(blob: Blob, lazy: pl.LazyFrame) -> pl.DataFrame:
    try:
        return lazy.collect()
    except _FAILURES as error:
        raise _unreadable(blob, error) from None


def _unreadable(blob: Blob, error: BaseException) -> InputError | PlatformError:
    if isinstance(error, OSError) and error.errno is not None:
        return PlatformError(f"read {blob.name}: {error.strerror or error}", retryable=True)
    return InputError(f"read {blob.name}: the Parquet file cannot be read: {_first_line(error)}")


def _plain(file: str, column: pl.Series) -> pl.Series:
    if _is_plain(column.dtype):
        return column
    expression = _expression(file, column.name, column.dtype)
    try:
        return column.alias(_CELLS).to_frame().select(expression).to_series().alias(column.name)
    except pl.exceptions.PolarsError as error:
        what = f"{column.dtype}: {_first_line(error)}"
        if column.dtype == pl.Binary:
            what = "bytes that are no UTF-8"
        raise InputError(f'read {file}: column "{column.name}" holds {what}') from None


def _expression(file: str, name: str, type_: pl.DataType) -> pl.Expr:
    """What makes the column `_CELLS` plain. Polars may take a column's own name for a pattern, as `*`."""
    column = pl.col(_CELLS)
    if _is_plain(type_):
        return column
    if isinstance(type_, _NESTED):
        raise InputError(
            f'read {file}: want columns of single values, got {type_} in column "{name}"; flatten it first'
        )
    if isinstance(type_, pl.Decimal):
        return column.cast(pl.Float64 if type_.scale else pl.Int64, strict=not type_.scale)
    if isinstance(type_, pl.Datetime):
        if type_.time_zone:
            return column.dt.convert_time_zone("UTC").dt.strftime(f"{_TIME}Z")
        return column.dt.strftime(_TIME)
    if isinstance(type_, pl.Date | pl.Time | pl.Duration):
        return column.dt.to_string("iso")
    return column.cast(pl.String)


def _is_plain(type_: pl.DataType) -> bool:
    return type_.is_integer() or type_.is_float() or type_ in (pl.Boolean, pl.String)


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]
