"""A copy of the publisher's file: slowed down, broken off, taken up again, and refused when it changed."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.adapters.sources.publisher import ROWS, Answer, pages, publisher
from watchkeeper.adapters.sources.datagov import Api
from watchkeeper.adapters.sources.lookalike import COLUMNS
from watchkeeper.app.setup.fetching import fetch_data
from watchkeeper.core.errors import InputError, PlatformError
from watchkeeper.core.values import Progress
from watchkeeper.readers.table import read_table


def heard(_: Progress) -> None:
    """Nobody looks."""


def test_every_row_is_copied_in_order_of_months(tmp_path: Path) -> None:
    seen: list[Progress] = []
    with publisher(pages) as url:
        done = fetch_data(tmp_path / "hdb.csv.gz", Api(url=url), seen.append)
    frame = read_table(tmp_path / "hdb.csv.gz")
    assert frame.rows() == sorted(ROWS, key=lambda row: row[0])
    assert (done.rows, done.first, done.last) == (len(ROWS), "2020-01", "2020-02")
    assert [(each.done, each.total) for each in seen] == [(10, 25), (20, 25), (25, 25)]
    assert [path.name for path in tmp_path.iterdir()] == ["hdb.csv.gz"]


def test_it_slows_down_and_asks_again_for_what_broke_off(tmp_path: Path) -> None:
    slept: list[float] = []
    asked: list[int] = []

    def answer(query: dict[str, str]) -> Answer:
        asked.append(int(query["offset"]))
        if len(asked) == 1:
            return 429, {"Retry-After": "3"}, {}
        status, headers, body = pages(query)
        if len(asked) == 3:
            return status, {**headers, "Content-Length": "100000"}, b"{"  # cut off
        return status, headers, body

    with publisher(answer) as url:
        api = Api(url=url, sleep=slept.append, read_seconds=1.0)
        assert fetch_data(tmp_path / "hdb.csv", api, heard).rows == len(ROWS)
    assert asked == [0, 0, 10, 10, 20]
    assert slept == [3.0, 1.0]


def test_an_interrupted_fetch_goes_on_where_it_was(tmp_path: Path) -> None:
    asked: list[int] = []

    def answer(query: dict[str, str]) -> Answer:
        asked.append(int(query["offset"]))
        return (500, {}, {}) if len(asked) == 3 else pages(query)

    with publisher(answer) as url:
        with pytest.raises(PlatformError, match="want status 200, got 500"):
            fetch_data(tmp_path / "hdb.csv", Api(url=url), heard)
        assert not (tmp_path / "hdb.csv").exists()
        fetch_data(tmp_path / "hdb.csv", Api(url=url), heard)
    assert asked == [0, 10, 20, 20]
    assert [path.name for path in tmp_path.iterdir()] == ["hdb.csv"]


def test_a_dataset_that_changed_meanwhile_is_asked_for_anew(tmp_path: Path) -> None:
    def answer(query: dict[str, str]) -> Answer:
        status, headers, body = pages(query)
        body["result"]["total"] = 30 if int(query["offset"]) else 25
        return status, headers, body

    with publisher(answer) as url, pytest.raises(PlatformError, match="the dataset changed meanwhile"):
        fetch_data(tmp_path / "hdb.csv", Api(url=url), heard)
    assert list(tmp_path.iterdir()) == []


def test_other_columns_are_refused(tmp_path: Path) -> None:
    def answer(query: dict[str, str]) -> Answer:
        status, headers, body = pages(query)
        for record in body["result"]["records"]:
            record["price"] = record.pop("resale_price")
        return status, headers, body

    with publisher(answer) as url, pytest.raises(InputError, match="column resale_price is missing"):
        fetch_data(tmp_path / "hdb.csv", Api(url=url), heard)
    assert not (tmp_path / "hdb.csv").exists()


def test_a_file_that_is_there_is_kept(tmp_path: Path) -> None:
    (tmp_path / "hdb.csv").write_text("mine")
    with pytest.raises(InputError, match="the file is there"):
        fetch_data(tmp_path / "hdb.csv", Api(url="http://127.0.0.1:1/"), heard)
    assert (tmp_path / "hdb.csv").read_text() == "mine"


def test_the_same_rows_have_the_same_digest_gzipped_or_not(tmp_path: Path) -> None:
    with publisher(pages) as url:
        digests = {fetch_data(tmp_path / name, Api(url=url), heard).digest for name in ("a.csv", "a.csv.gz")}
    assert len(digests) == 1
    assert gzip.decompress((tmp_path / "a.csv.gz").read_bytes()) == (tmp_path / "a.csv").read_bytes()
    assert (tmp_path / "a.csv").read_text().startswith(",".join(COLUMNS))
