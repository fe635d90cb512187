"""The source of a project's own files."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl
import pytest

from watchkeeper.adapters.sources import SourceRequest, load_dataset
from watchkeeper.core.errors import InputError

ROWS = pl.DataFrame({"month": ["2020-02", "2020-01"], "area": [5, 7], "price": [1.5, None]})
AS_TEXT = [("2020-01", "7", None), ("2020-02", "5", "1.5")]


def as_csv(path: Path) -> None:
    ROWS.write_csv(path)


def as_gzip(path: Path) -> None:
    path.write_bytes(gzip.compress(ROWS.write_csv().encode()))


def as_lines(path: Path) -> None:
    ROWS.write_ndjson(path)


def as_parquet(path: Path) -> None:
    ROWS.write_parquet(path)


@pytest.mark.parametrize("write", [as_csv, as_gzip, as_lines, as_parquet])
def test_every_form_gives_the_same_rows_of_text_in_order_of_time(tmp_path: Path, write: object) -> None:
    assert callable(write)
    write(tmp_path / "rows")
    found = load_dataset("files", SourceRequest(own=(tmp_path / "rows",), time="month"))
    assert found.frame.rows() == AS_TEXT
    assert (found.source, found.description) == ("file", "2 rows from rows")


def test_files_are_put_together_by_the_names_of_their_columns(tmp_path: Path) -> None:
    as_csv(tmp_path / "a.csv")
    ROWS.select("price", "area", "month").write_csv(tmp_path / "b.csv")
    found = load_dataset("files", SourceRequest(own=(tmp_path / "a.csv", tmp_path / "b.csv"), time="month"))
    assert found.frame.rows() == [AS_TEXT[0], AS_TEXT[0], AS_TEXT[1], AS_TEXT[1]]


def test_a_file_that_is_named_comes_before_the_project_s_own(tmp_path: Path) -> None:
    as_csv(tmp_path / "named.csv")
    request = SourceRequest(path=tmp_path / "named.csv", own=(tmp_path / "none.csv",))
    assert load_dataset("files", request).frame.height == 2


def test_the_environment_s_file_is_another_source_s(tmp_path: Path) -> None:
    as_csv(tmp_path / "hdb.csv")
    with pytest.raises(InputError, match=r"want data\.files to name some, or --data FILE"):
        load_dataset("files", SourceRequest(environment_path=tmp_path / "hdb.csv"))


def test_files_that_differ_in_columns_are_refused(tmp_path: Path) -> None:
    as_csv(tmp_path / "a.csv")
    ROWS.drop("area").write_csv(tmp_path / "b.csv")
    with pytest.raises(InputError, match=r"b\.csv: want the columns of a\.csv; in one of them alone: area"):
        load_dataset("files", SourceRequest(own=(tmp_path / "a.csv", tmp_path / "b.csv")))
