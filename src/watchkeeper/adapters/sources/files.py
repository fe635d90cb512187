"""Rows from files of the project's own: CSV (also gzipped), Parquet and JSON Lines."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from watchkeeper.adapters.sources.dataset import Dataset, SourceRequest, dataset
from watchkeeper.core.errors import InputError
from watchkeeper.readers.table_files import file_bytes, text_table

_DOING = "load rows from"


def load(request: SourceRequest) -> Dataset:
    """The rows of all files, in ascending time; within one the files' order.

    Raises InputError when there is no file, when one cannot be read, and when they differ in columns.
    """
    paths = (request.path,) if request.path else request.own
    if not paths:
        raise InputError(f"{_DOING} files: want data.files to name some, or --data FILE; none is there")
    frames = [text_table(file_bytes(path, _DOING), path, _DOING) for path in paths]
    for path, frame in zip(paths, frames, strict=True):
        _check(frame, path, frames[0], paths[0])
    together = pl.concat([frame.select(frames[0].columns) for frame in frames])
    if request.time in together.columns:
        together = together.sort(request.time, maintain_order=True, nulls_last=True)
    names = ", ".join(path.name for path in paths[:3]) + (f" and {len(paths) - 3} more" if paths[3:] else "")
    return dataset(together, "file", f"{together.height:,} rows from {names}")


def _check(frame: pl.DataFrame, path: Path, first: pl.DataFrame, of: Path) -> None:
    if differ := sorted(set(frame.columns) ^ set(first.columns)):
        raise InputError(
            f"{_DOING} {path}: want the columns of {of.name}; in one of them alone: {', '.join(differ)}"
        )
