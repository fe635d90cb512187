"""Whole blobs read through chunks, for the tests of every format."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from watchkeeper.readers.blobs import Blob, BytesBlob
from watchkeeper.readers.parts import LINE, Layout, Limits, Part, cut, load


@dataclass(frozen=True, slots=True)
class Whole:
    """Everything that a blob's parts say."""

    parts: tuple[Part, ...]

    @property
    def frame(self) -> pl.DataFrame:
        return pl.concat([part.frame for part in self.parts], how="diagonal")

    @property
    def bad(self) -> list[tuple[int, str]]:
        return [(bad.line_number, bad.reason) for part in self.parts for bad in part.bad]

    @property
    def bad_count(self) -> int:
        return sum(part.bad_count for part in self.parts)

    @property
    def quarantine(self) -> bytes:
        return b"".join(part.quarantine for part in self.parts)

    def rows(self, *names: str) -> list[tuple[object, ...]]:
        return self.frame.select(names or [name for name in self.frame.columns if name != LINE]).rows()

    @property
    def lines(self) -> list[int]:
        return self.frame[LINE].to_list()


def read_blob(blob: Blob, layout: Layout, limits: Limits | None = None) -> Whole:
    """Cut and load, each chunk sent through a pickle as a worker's would be."""
    chunks = [pickle.loads(pickle.dumps(chunk)) for chunk in cut(blob, layout, limits)]  # noqa: S301  our own
    return Whole(tuple(part for chunk in chunks for part in load(chunk)))


def read(data: bytes | str, layout: Layout, limits: Limits | None = None, name: str = "file") -> Whole:
    return read_blob(BytesBlob(name, data.encode() if isinstance(data, str) else data), layout, limits)


def small(chunk: int, rows: int = 65_536, line: int = 1024 * 1024) -> Limits:
    return Limits(chunk_bytes=chunk, part_rows=rows, line_bytes=line)


def numbered(parts: Sequence[Part]) -> list[int]:
    return [part.number for part in parts]
