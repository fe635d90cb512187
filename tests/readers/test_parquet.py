"""Parquet as parts: numbers typed, the rest text, nested columns refused by name."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from tests.readers.reading import numbered, read, read_blob, small
from watchkeeper.core.errors import InputError
from watchkeeper.readers.blobs import FileBlob
from watchkeeper.readers.parts import LINE, ParquetLayout

PARQUET = ParquetLayout()


def written(frame: pl.DataFrame, rows: int | None = None) -> bytes:
    data = io.BytesIO()
    frame.write_parquet(data, row_group_size=rows)
    return data.getvalue()


def test_every_type_of_single_value_is_typed_or_text() -> None:
    moment = datetime(2020, 1, 2, 3, 4, 5, 600)
    frame = pl.DataFrame(
        {
            "int": pl.Series([1, None], dtype=pl.Int16),
            "big": pl.Series([2**64 - 1, None], dtype=pl.UInt64),
            "float": [1.5, float("nan")],
            "bool": [True, None],
            "text": ["x", ""],
            "price": pl.Series([Decimal("1.25"), None]),
            "whole": pl.Series([Decimal(7), None], dtype=pl.Decimal(10, 0)),
            "day": [date(2020, 1, 2), None],
            "naive": [moment, None],
            "aware": [moment.replace(tzinfo=UTC, microsecond=0), None],
            "zoned": pl.Series([moment], dtype=pl.Datetime("us", "Asia/Singapore")).extend_constant(None, 1),
            "clock": [time(1, 2, 3), None],
            "span": [timedelta(days=1), None],
            "kind": pl.Series(["k", None], dtype=pl.Categorical),
            "bytes": [b"ab", None],
            "none": pl.Series([None, None], dtype=pl.Null),
        }
    )
    found = read(written(frame), PARQUET).frame
    assert found.row(0, named=True) == {
        "int": 1,
        "big": 2**64 - 1,
        "float": 1.5,
        "bool": True,
        "text": "x",
        "price": 1.25,
        "whole": 7,
        "day": "2020-01-02",
        "naive": "2020-01-02T03:04:05.000600",
        "aware": "2020-01-02T03:04:05Z",
        "zoned": "2020-01-02T03:04:05.000600Z",
        "clock": "01:02:03",
        "span": "P1D",
        "kind": "k",
        "bytes": "ab",
        "none": None,
        LINE: 1,
    }
    assert found["float"].is_nan().to_list() == [False, True]
    assert found.null_count().row(0, named=True) | {
        "float": 1,
        "text": 1,
        "none": 1,
        LINE: 1,
    } == dict.fromkeys(found.columns, 1)


@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_a_file_comes_in_parts_of_fixed_rows_whatever_its_groups(rows: int, tmp_path: Path) -> None:
    path = tmp_path / "odd [name]*.parquet"
    path.write_bytes(written(pl.DataFrame({"a": range(100)}), rows))
    for found in (
        read_blob(FileBlob(path, "f"), PARQUET, small(1, rows=8)),
        read(path.read_bytes(), PARQUET, small(1, rows=8)),
    ):
        assert [part.frame.height for part in found.parts] == [8] * 12 + [4]
        assert numbered(found.parts) == list(range(13))
        assert found.frame["a"].to_list() == list(range(100))
        assert found.lines == list(range(1, 101))


def test_no_rows_give_the_columns() -> None:
    found = read(written(pl.DataFrame({"a": []}, schema={"a": pl.String})), PARQUET)
    assert (found.frame.columns, found.frame.height) == (["a", LINE], 0)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (
            pl.DataFrame({"a": [1], "b": [[1]]}),
            r'want columns of single values, got List\(Int64\) in column "b"',
        ),
        (pl.DataFrame({"a": [{"x": 1}]}), 'in column "a"; flatten it first'),
        (pl.DataFrame({LINE: [1]}), 'the column name "_line" is one Watchkeeper uses itself'),
        (pl.DataFrame({"a": [b"\xff"]}), 'read file: column "a" holds bytes that are no UTF-8'),
    ],
)
def test_a_column_that_cannot_be_used_is_named(frame: pl.DataFrame, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(written(frame), PARQUET)


def test_a_file_that_is_cut_off_or_damaged_or_something_else_says_so() -> None:
    data = written(pl.DataFrame({"a": range(1000), "b": ["x"] * 1000}))
    for broken in (
        data[:-10],
        b"PAR1" + bytes(100) + b"PAR1",
        b"a,b\n1,2\n",
        data[:4] + data[400:],
        b"PAR1PAR1",
    ):
        with pytest.raises(InputError, match="read file: "):
            read(broken, PARQUET)
    with pytest.raises(InputError, match="want Parquet, got an empty file"):
        read(b"", PARQUET)
