"""What a file holds is seen by its content."""

from __future__ import annotations

import gzip
import io

import polars as pl
import pytest

from watchkeeper.core.errors import InputError
from watchkeeper.readers.blobs import BytesBlob
from watchkeeper.readers.parts import CaptureLayout, CsvLayout, JsonLayout, Layout, ParquetLayout, layout_of


def parquet() -> bytes:
    data = io.BytesIO()
    pl.DataFrame({"a": [1]}).write_parquet(data)
    return data.getvalue()


@pytest.mark.parametrize(
    ("data", "layout"),
    [
        (b"a,b\n1,2\n", CsvLayout(header=True)),
        (b"town,2nd price\nx,y\n", CsvLayout(header=True)),
        (b"x,1\ny,2\n", CsvLayout(header=False)),
        (b"2020-01-01,x\n", CsvLayout(header=False)),
        (b"x,x\na,b\n", CsvLayout(header=False)),
        (b'{"a":1}\n{"a":2}\n', JsonLayout(lines=True)),
        (b'{"a":1}', JsonLayout(lines=True)),
        (b'{"instances":[{"a":1}]}', JsonLayout(lines=False)),
        (b'{\n"instances":[{"a":1}]}', JsonLayout(lines=False)),
        (b'\xef\xbb\xbf [{"a":1}]', JsonLayout(lines=False)),
        (b'{"captureData":{},"eventMetadata":{}}\n', CaptureLayout()),
        (b'{"eventMetadata":{},"captureData":{}}\n', CaptureLayout()),
    ],
)
def test_the_layout_is_seen_by_content_gzipped_or_not(data: bytes, layout: Layout) -> None:
    assert layout_of(BytesBlob("x", data)) == layout
    assert layout_of(BytesBlob("x", gzip.compress(data))) == layout


def test_parquet_is_known_by_its_first_bytes_or_its_name() -> None:
    assert layout_of(BytesBlob("x", parquet())) == ParquetLayout()
    assert layout_of(BytesBlob("x.parquet", b"damaged")) == ParquetLayout()


def test_an_empty_file_has_no_layout() -> None:
    with pytest.raises(InputError, match="read x: want rows, got an empty file"):
        layout_of(BytesBlob("x", b""))
