"""Traffic: requests of files sent to a real server, at a pace, spoilt, and with their labels."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import polars as pl
import pytest

from tests.serving.running import SCHEMA, Running, running, settings_of
from watchkeeper.adapters.local.client import EndpointClient
from watchkeeper.app.replay.faults import Fault, spoilt
from watchkeeper.app.replay.replaying import Asked, Pace, TableColumns, replay, requests_of
from watchkeeper.core.errors import InputError, PlatformError
from watchkeeper.core.values import Progress
from watchkeeper.serving.ground_truth import LabelDelivery

LABELS: list[LabelDelivery] = []


def take(delivery: LabelDelivery) -> str:
    LABELS.append(delivery)
    return "taken"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    LABELS.clear()
    with running(settings_of(tmp_path / "served"), labels=take) as started:
        yield started


def asked(server: Running) -> Asked:
    return Asked(EndpointClient(str(server.client.base_url).rstrip("/"), server.client), "prices", SCHEMA)


def heard(_: Progress) -> None:
    """Nobody looks."""


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    file = tmp_path / "sales.csv"
    rows = [f"s{number},T{number % 3},{number},{number * 10}" for number in range(1, 41)]
    file.write_text("\n".join(["sale,town,area,price", *rows, ""]))
    return file


def test_a_table_is_a_request_a_row_and_its_labels_follow(server: Running, sales: Path) -> None:
    requests = requests_of(sales, SCHEMA, TableColumns("sale", "price"), keep_ids=True)
    done = replay(asked(server), requests, Pace(callers=3), heard)
    assert (done.requests, done.statuses, done.labels, done.failed) == (40, {"200": 40}, 40, False)
    assert done.p50 is not None
    assert done.p99 is not None
    assert 0 < done.p50 <= done.p99
    frame = server.captured().frame
    assert set(frame.select("_join_id", "area").rows()) == {(f"s{n}", str(n)) for n in range(1, 41)}
    ((truths,)) = [each.truths for each in LABELS]
    assert {(each.inference_id, each.labels) for each in truths} == {
        (f"s{n}", (10.0 * n,)) for n in range(1, 41)
    }


def test_a_capture_folder_is_asked_again_under_new_ids(server: Running, sales: Path) -> None:
    for body, kind in (
        ("A,1\nB,2", "text/csv"),
        ('{"instances":[{"town":"C","area":3}]}', "application/json"),
    ):
        server.ask(body, kind, X_Amzn_SageMaker_Inference_Id="before")
    before = server.captured()
    folder = sales.parent / "served" / "captures"
    requests = requests_of(folder, SCHEMA, TableColumns())
    done = replay(asked(server), requests, Pace(), heard)
    assert done.statuses == {"200": 2}
    after = server.captured().frame.filter(pl.col("_join_id") != "before")
    columns = ["town", "area", "predicted"]
    assert sorted(after.select(columns).rows()) == sorted(before.frame.select(columns).rows())
    assert after["_join_id"].str.starts_with("replay-").all()


def test_faults_are_done_to_a_share(server: Running, sales: Path) -> None:
    requests = requests_of(sales, SCHEMA, TableColumns())
    faults = (Fault.parse("scale:area:10"), Fault.parse("category:town:ATLANTIS"))
    done = replay(asked(server), requests, Pace(faults=faults, share=0.5), heard)
    assert 8 <= done.spoilt <= 32
    frame = server.captured().frame
    changed = frame.filter(pl.col("town") == "ATLANTIS")
    assert changed.height == done.spoilt
    assert (changed["area"].cast(pl.Float64) % 10 == 0).all()


def test_a_column_that_is_left_out_is_refused_and_said(server: Running, sales: Path) -> None:
    requests = requests_of(sales, SCHEMA, TableColumns())
    done = replay(asked(server), requests, Pace(faults=(Fault.parse("drop:area"),)), heard)
    assert (done.statuses, done.failed) == ({"400": 40}, False)
    assert "want 2 columns (town, area), got 1" in done.problems[0]


def test_a_rate_is_kept(server: Running, sales: Path) -> None:
    requests = requests_of(sales, SCHEMA, TableColumns())[:20]
    began = time.monotonic()
    replay(asked(server), requests, Pace(rate=100), heard)
    assert time.monotonic() - began >= 0.19


def test_a_server_that_is_gone_is_said(sales: Path) -> None:
    labelled = requests_of(sales, SCHEMA, TableColumns("sale", "price"))
    with httpx.Client(trust_env=False) as http:
        gone = Asked(EndpointClient("http://127.0.0.1:1", http), "prices", SCHEMA)
        with pytest.raises(PlatformError, match="bring labels to prices: ConnectError"):
            replay(gone, labelled, Pace(), heard)
        done = replay(gone, requests_of(sales, SCHEMA, TableColumns()), Pace(), heard)
    assert (done.statuses, done.failed, done.p50) == ({"no answer": 40}, True, None)


def test_faults_keep_the_form_of_a_body() -> None:
    columns: dict[str, list[str | None]] = {"town": ["A", "B"], "area": ["2", None]}
    faults = [Fault.parse("scale:area:2.5"), Fault.parse("empty:town")]
    assert spoilt(columns, SCHEMA, faults) == {"town": [None, None], "area": ["5.0", None]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("melt:area", 'read fault "melt:area": want one of drop:COLUMN'),
        ("scale:area", "want one of"),
        ("drop:area:3", "want one of"),
        ("scale:area:much", 'want a number, got "much"'),
    ],
)
def test_a_fault_that_is_none(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Fault.parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [("drop:aera", r'there is none \(did you mean "area"\?\)'), ("scale:town:2", "want a column of numbers")],
)
def test_a_fault_of_no_column(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        spoilt({"town": [], "area": []}, SCHEMA, [Fault.parse(text)])


def test_a_table_without_a_column_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("town\nA\n")
    with pytest.raises(InputError, match="want columns town, area; missing: area"):
        requests_of(tmp_path / "t.csv", SCHEMA, TableColumns())
