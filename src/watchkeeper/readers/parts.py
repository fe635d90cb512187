"""One way to read everything: a blob is cut into chunks, a chunk is loaded as parts.

Cutting looks at content alone, and a chunk is a small value, so a worker anywhere can load it. Parts come
in reading order; the same rows come whatever the sizes of the chunks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from watchkeeper.readers.blobs import Blob
from watchkeeper.readers.capture_parts import cut_captures, load_captures
from watchkeeper.readers.delimited import cut_csv, load_csv
from watchkeeper.readers.detect import layout_of
from watchkeeper.readers.json_rows import cut_json, load_json
from watchkeeper.readers.parquet import cut_parquet, load_parquet
from watchkeeper.readers.part_values import (
    LINE,
    OURS,
    PART_ROWS,
    CaptureLayout,
    Chunk,
    ColumnMatch,
    CsvLayout,
    JsonLayout,
    Layout,
    Limits,
    ParquetLayout,
    Part,
    data_columns,
    match_columns,
)

__all__ = [
    "LINE",
    "OURS",
    "PART_ROWS",
    "CaptureLayout",
    "Chunk",
    "ColumnMatch",
    "CsvLayout",
    "JsonLayout",
    "Layout",
    "Limits",
    "ParquetLayout",
    "Part",
    "batches",
    "cut",
    "data_columns",
    "layout_of",
    "load",
    "load_batch",
    "match_columns",
]

_BATCH_BYTES = 16 * 1024 * 1024


def cut(blob: Blob, layout: Layout, limits: Limits | None = None) -> Iterator[Chunk]:
    """The chunks of a blob, in order; at least one. Raises InputError for a blob that is empty as a whole."""
    limits = limits or Limits()
    match layout:
        case CsvLayout():
            return cut_csv(blob, layout, limits)
        case JsonLayout():
            return cut_json(blob, layout, limits)
        case ParquetLayout():
            return cut_parquet(blob, layout, limits)
        case CaptureLayout():
            return cut_captures(blob, layout, limits)


def load(chunk: Chunk) -> Iterator[Part]:
    """The parts of a chunk, in order; at least one, which may have no rows.

    Raises InputError for a file that cannot be read at all. A line that cannot is a bad line of its part.
    """
    match chunk.layout:
        case CsvLayout():
            return load_csv(chunk, chunk.layout)
        case JsonLayout():
            return load_json(chunk, chunk.layout)
        case ParquetLayout():
            return load_parquet(chunk)
        case CaptureLayout():
            return load_captures([chunk])


def batches(chunks: Iterable[Chunk]) -> Iterator[tuple[Chunk, ...]]:
    """The chunks, neighbours in one batch as long as they are captures of few bytes together.

    Capture files are often small, and a part has its price whatever its size.
    """
    held: list[Chunk] = []
    size = 0
    for chunk in chunks:
        joins = isinstance(chunk.layout, CaptureLayout) and not chunk.packed
        length = chunk.stop - chunk.start if joins else _BATCH_BYTES
        if held and size + length > _BATCH_BYTES:
            yield tuple(held)
            held, size = [], 0
        held.append(chunk)
        size += length
    if held:
        yield tuple(held)


def load_batch(batch: Sequence[Chunk]) -> Iterator[Part]:
    """What `load` gives for each chunk, but with fewer parts where the chunks are captures.

    Such a part has the name of its first chunk's file; bad lines name their own.
    """
    if len(batch) == 1:
        return load(batch[0])
    return load_captures(batch)
