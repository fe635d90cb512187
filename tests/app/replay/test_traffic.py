"""Rehearsed traffic: every row once, the same each time, and out of the captures as it went in."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.serving.running import ALWAYS
from tests.serving.running import SCHEMA as SERVED
from watchkeeper.adapters.memory.store import MemoryStore
from watchkeeper.app.replay.traffic import MOST_ROWS, PlannedRequest, TrafficPlan, by_day, plan_month
from watchkeeper.core.errors import InputError
from watchkeeper.core.values import CaptureRecord, Column, ColumnType, Payload, Role
from watchkeeper.core.windows import Duration, Window, month_start
from watchkeeper.readers.captures import read_captures
from watchkeeper.render.records import CaptureFolder
from watchkeeper.serving.capture import CaptureWriter
from watchkeeper.serving.codec import Wire, decode_body, request_format
from watchkeeper.serving.settings import CaptureMode, CapturePolicy

PLAN = TrafficPlan(SERVED, Duration(months=1), seed=0)
MONTH = Window(month_start("2020-01"), month_start("2020-02"))


def rows(count: int) -> pl.DataFrame:
    """Each row has a label of its own, so that it can be told from every other."""
    numbers = [str(number) for number in range(1, count + 1)]
    return pl.DataFrame({"town": ["A"] * count, "area": numbers, "price": numbers})


def planned(count: int, seed: int = 0, delay: Duration = PLAN.label_delay) -> tuple[PlannedRequest, ...]:
    return plan_month(rows(count), "2020-01", TrafficPlan(SERVED, delay, seed))


@given(st.integers(0, 400), st.integers(0, 2**32))
def test_every_row_is_in_exactly_one_request_of_one_to_fifty(count: int, seed: int) -> None:
    requests = planned(count, seed)
    assert sorted(label for each in requests for label in each.truth.labels) == list(range(1, count + 1))
    for each in requests:
        columns = decode_body(each.body, request_format(each.content_type), Wire.of(SERVED))
        assert [float(area or 0) for area in columns["area"]] == list(each.truth.labels)
        assert 1 <= each.rows == len(each.truth.labels) <= MOST_ROWS
        assert each.inference_id == each.truth.inference_id
        assert each.time in MONTH
    assert len({each.inference_id for each in requests}) == len(requests)
    assert list(requests) == sorted(requests, key=lambda each: (each.time, each.inference_id))


def test_the_seed_decides_everything() -> None:
    assert planned(300) == planned(300)
    assert planned(300) != planned(300, seed=1)
    assert plan_month(rows(300), "2020-02", PLAN)[0].inference_id != planned(300)[0].inference_id


@pytest.mark.parametrize("delay", ["1 month", "1 day", "12 hours", "90 minutes", "3 months"])
def test_labels_are_collected_within_their_delay(delay: str) -> None:
    length = Duration.parse(delay)
    within = Window(MONTH.end, length.after(MONTH.end))
    assert all(each.labelled_at in within for each in planned(500, delay=length))


def test_without_a_delay_labels_come_with_the_request() -> None:
    assert all(each.labelled_at == each.time for each in planned(100, delay=Duration()))


def test_labels_of_a_month_come_day_by_day() -> None:
    requests = planned(500)
    days = by_day(requests)
    assert list(days) == sorted(days)
    assert {day.hour for day in days} == {20}
    assert sum(map(len, days.values())) == len(requests)


def test_texts_that_csv_must_quote_come_out_of_the_captures_as_they_were(tmp_path: Path) -> None:
    towns = ['say "A"', "a,b", " blank ", "two\nlines", "", 'He said, "no"']
    frame = rows(len(towns) * 20).with_columns(town=pl.Series(towns * 20))
    requests = plan_month(frame.with_columns(pl.col("town").replace("", None)), "2020-01", PLAN)
    store = MemoryStore()
    writer = CaptureWriter(store, tmp_path)
    for each in requests:
        asked = CapturePolicy().payload(CaptureMode.INPUT, each.body.decode(), each.content_type)
        answered = Payload("\n".join(["1.0"] * each.rows), "CSV", "text/csv")
        record = CaptureRecord(each.inference_id, each.inference_id, each.time, 1, 1, asked, answered)
        writer.append(CaptureFolder("prod", 1, "prices", "AllTraffic"), record)
    writer.flush()
    captured = read_captures([(key, store.read(key)) for key in store.list("captures/")], SERVED, ALWAYS)
    assert (captured.bad, captured.requests) == ((), len(requests))
    assert {each.content_type for each in requests} == {"text/csv", "application/json"}
    seen = captured.frame.select("town", pl.col("area").cast(pl.Float64)).sort("area")["town"].to_list()
    assert seen == [town or None for town in towns * 20]


def test_numbers_json_would_not_take_are_said_as_it_does() -> None:
    frame = rows(200).with_columns(area=pl.lit("044"))
    bodies = [
        json.loads(each.body) for each in plan_month(frame, "2020-01", PLAN) if "json" in each.content_type
    ]
    assert {instance["area"] for body in bodies for instance in body["instances"]} == {44}


@pytest.mark.parametrize(
    ("column", "text", "says"),
    [
        ("area", "big", 'column area: want numbers, got "big"'),
        ("area", "nan", 'column area: want numbers, got "nan"'),
        ("price", "n/a", 'column price: want numbers, got "n/a"'),
        ("price", None, 'column price: want numbers, got ""'),
    ],
)
def test_a_text_that_is_no_number_is_told_before_anything_is_sent(
    column: str, text: str | None, says: str
) -> None:
    frame = rows(9).with_columns(
        pl.when(pl.int_range(pl.len()) == 4).then(pl.lit(text)).otherwise(pl.col(column)).alias(column)
    )
    with pytest.raises(InputError, match=f"plan requests of 2020-01, {says}"):
        plan_month(frame, "2020-01", PLAN)


def test_an_integral_column_is_a_number_too() -> None:
    columns = (
        Column("town", ColumnType.STRING, Role.FEATURE),
        Column("area", ColumnType.INTEGRAL, Role.FEATURE),
    )
    schema = replace(SERVED, columns=(*columns, *SERVED.columns[2:]))
    plan = replace(PLAN, schema=schema)
    assert plan_month(rows(60), "2020-01", plan) == planned(60)
