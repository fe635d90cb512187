"""Which source is taken, against a publisher's API that is a real HTTP server on loopback."""

import gzip
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.sources.publisher import ROW, ROWS, Answer, Handler, pages, publisher
from watchkeeper.adapters.sources import SourceRequest, load_dataset
from watchkeeper.adapters.sources.datagov import Api
from watchkeeper.adapters.sources.lookalike import COLUMNS
from watchkeeper.core.encoding import digest
from watchkeeper.core.errors import InputError


@pytest.fixture(autouse=True)
def _direct(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def first_page_twice(query: dict[str, str]) -> Answer:
    """Twenty rows are announced, and twenty come, but half of them for the second time."""
    status, headers, body = pages({**query, "offset": "0"})
    body["result"]["total"] = 20
    return status, headers, body


def ask(answer: Handler, sleeps: list[float] | None = None, **settings: Any) -> Any:
    slept = [] if sleeps is None else sleeps
    with publisher(answer) as url:
        return load_dataset(
            "hdb", SourceRequest(online=True, api=Api(url=url, sleep=slept.append, **settings))
        )


def csv(rows: list[tuple[str, ...]] = ROWS, columns: tuple[str, ...] = COLUMNS) -> bytes:
    return "".join(",".join(row) + "\n" for row in [columns, *rows]).encode()


def test_all_pages_are_read_and_put_in_the_order_of_months() -> None:
    asked: list[dict[str, str]] = []

    def answer(query: dict[str, str]) -> Answer:
        asked.append(query)
        return pages(query)

    loaded = ask(answer)
    assert loaded.source == "api"
    assert loaded.frame.rows() == [*ROWS[1:], ROWS[0]]
    assert [query["offset"] for query in asked] == ["0", "10", "20"]
    assert "Singapore Open Data Licence" in loaded.description
    assert loaded.digest == digest(csv([*ROWS[1:], ROWS[0]]))


@pytest.mark.parametrize(
    ("slow_down", "pause"),
    [
        ((429, {"Retry-After": "7"}, {"code": 24}), 7.0),
        ((429, {}, b"slow down"), 15.0),
        ((200, {}, {"code": 24, "errMsg": "rate limit"}), 15.0),
    ],
)
def test_a_pause_that_is_asked_for_is_kept(slow_down: Answer, pause: float) -> None:
    answers = iter([slow_down, slow_down])
    sleeps: list[float] = []
    loaded = ask(lambda query: next(answers, None) or pages(query), sleeps)
    assert loaded.source == "api"
    assert sleeps == [pause, pause]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda _: (429, {}, b""), "asked to slow down at row 0, 3 times in all"),
        (lambda _: (503, {}, b"down"), "want status 200, got 503"),
        (lambda _: (200, {}, b"<html>"), 'want a JSON object, got "<html>"'),
        (lambda _: (200, {}, {"success": False}), "want success"),
        (lambda _: (200, {}, [1]), "want success"),
        (first_page_twice, "the dataset changed meanwhile"),
        (lambda query: pages({**query, "limit": "0"}), "want 25 rows, each once, got 0"),
    ],
)
def test_a_publisher_who_fails_gives_the_look_alike_and_the_reason(answer: Handler, reason: str) -> None:
    loaded = ask(answer, pauses=3)
    assert loaded.source == "look-alike"
    assert "GENERATED" in loaded.description
    assert reason in loaded.description


def test_no_network_gives_the_look_alike() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    api = Api(url=f"http://127.0.0.1:{port}/")
    loaded = load_dataset("hdb", SourceRequest(online=True, api=api))
    assert loaded.source == "look-alike"
    assert "ConnectError" in loaded.description


def test_an_api_with_other_columns_is_an_error() -> None:
    def answer(query: dict[str, str]) -> Answer:
        status, headers, body = pages(query)
        for record in body["result"]["records"]:
            record["price"] = record.pop("resale_price")
        return status, headers, body

    with pytest.raises(InputError, match="column resale_price is missing"):
        ask(answer)


def test_a_file_comes_first_and_the_environment_second(tmp_path: Path) -> None:
    named, environment = tmp_path / "named.csv", tmp_path / "environment.csv.gz"
    named.write_bytes(csv(ROWS[:2]))
    environment.write_bytes(gzip.compress(csv(ROWS[:3])))
    both = SourceRequest(
        path=named, environment_path=environment, online=True, api=Api(url="http://127.0.0.1:1/")
    )
    assert load_dataset("hdb", both).frame.height == 2
    second = load_dataset("hdb", SourceRequest(environment_path=environment))
    assert (second.source, second.frame.height) == ("file", 3)
    assert "Singapore Open Data Licence" in second.description


def test_a_file_and_its_gzip_have_one_digest(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(csv())
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(csv()))
    digests = {
        load_dataset("hdb", SourceRequest(path=tmp_path / name)).digest for name in ("a.csv", "a.csv.gz")
    }
    assert len(digests) == 1


def test_a_file_from_before_2015_has_no_remaining_lease(tmp_path: Path) -> None:
    (tmp_path / "old.csv").write_bytes(csv([(*ROW[:9], ROW[10])], (*COLUMNS[:9], COLUMNS[10])))
    assert load_dataset("hdb", SourceRequest(path=tmp_path / "old.csv")).frame[
        "remaining_lease"
    ].to_list() == [None]


def test_a_file_that_is_named_and_absent_is_an_error_and_no_look_alike(tmp_path: Path) -> None:
    for request in (
        SourceRequest(path=tmp_path / "no.csv"),
        SourceRequest(environment_path=tmp_path / "no.csv"),
    ):
        with pytest.raises(InputError, match="there is no such file"):
            load_dataset("hdb", request)


def test_nothing_named_and_nobody_asked_gives_the_look_alike() -> None:
    loaded = load_dataset("hdb", SourceRequest())
    assert loaded.source == "look-alike"
    assert "WATCHKEEPER_HDB_CSV" in loaded.description


def test_an_unknown_source_is_an_error() -> None:
    with pytest.raises(InputError, match='want a source of files, hdb, look-alike, got "hbd"'):
        load_dataset("hbd", SourceRequest())
