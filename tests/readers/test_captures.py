"""Capture files as one table, whatever the payloads look like, and labels beside its rows."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.shared import shared
from watchkeeper.core.values import CaptureRecord, Column, ColumnType, Payload, Role, Schema
from watchkeeper.core.windows import Window
from watchkeeper.readers.capture_rows import rows_of, shape_of_schema
from watchkeeper.readers.captures import Captured, read_captures
from watchkeeper.readers.records import read_sides
from watchkeeper.render.records import capture_line

TIME = datetime(2020, 1, 15, 12, tzinfo=UTC)
JANUARY = Window(datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 2, 1, tzinfo=UTC))
SCHEMA = Schema(
    1,
    (
        Column("town", ColumnType.STRING, Role.FEATURE),
        Column("area", ColumnType.FRACTIONAL, Role.FEATURE),
        Column("price", ColumnType.FRACTIONAL, Role.LABEL),
        Column("predicted", ColumnType.FRACTIONAL, Role.PREDICTION),
    ),
)


def csv(data: str) -> Payload:
    return Payload(data, "CSV", "text/csv")


def json(data: str) -> Payload:
    return Payload(data, "JSON", "application/json")


def lines(data: str) -> Payload:
    return Payload(data, "JSON", "application/jsonlines")


def b64(data: str, content_type: str) -> Payload:
    return Payload(base64.b64encode(data.encode()).decode(), "BASE64", content_type)


def record(asked: Payload, answered: Payload, event_id: str = "e", **changes: object) -> CaptureRecord:
    fields = {"inference_id": None, "time": TIME, "model_version": 1, "schema_version": 1, **changes}
    return CaptureRecord(event_id=event_id, input=asked, output=answered, **fields)  # type: ignore[arg-type]


def read(*records: CaptureRecord, schema: Schema = SCHEMA) -> Captured:
    return read_captures([("k", b"".join(map(capture_line, records)))], schema, JANUARY)


def rows(captured: Captured) -> list[tuple[str | None, ...]]:
    return captured.frame.select("town", "area", "predicted").rows()


TWO = [("BEDOK", "44.5", "1.5"), (None, "60", "2.0")]


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        (csv("BEDOK,44.5\n,60"), csv("1.5\n2.0")),
        (csv("BEDOK,44.5\n,60\n"), csv("1.5\n2.0\n")),
        (csv("BEDOK,44.5\r\n,60\r\n"), csv("1.5\r\n2.0")),
        (csv('"BEDOK","44.5"\n"",60'), csv('"1.5"\n2.0')),
        (
            json('{"instances":[{"area":44.5,"town":"BEDOK"},{"town":null,"area":60}]}'),
            json('{"predictions":[1.5,2.0]}'),
        ),
        (json('{"instances":[["BEDOK",44.5],["",60]]}'), json('{"predictions":[[1.5],[2.0]]}')),
        (
            json('{"instances":[{"features":["BEDOK",44.5]},{"features":[null,60]}]}'),
            json('{"predictions":[{"predicted":1.5,"other":0},{"score":2.0}]}'),
        ),
        (
            lines('{"town":"BEDOK","area":44.5}\n{"town":null,"area":60}'),
            lines('{"predicted":1.5}\n{"predicted":2.0}\n'),
        ),
        (
            b64("BEDOK,44.5\n,60", "text/csv; charset=utf-8"),
            b64('{"predictions":[1.5,2.0]}', "application/json"),
        ),
    ],
)
def test_every_form_of_payload_gives_the_same_rows(asked: Payload, answered: Payload) -> None:
    captured = read(record(asked, answered))
    assert captured.bad == ()
    assert rows(captured) == TWO
    assert captured.requests == 1
    assert captured.frame["_row"].to_list() == [0, 1]


def test_quoted_fields_keep_their_commas_quotes_and_line_ends() -> None:
    captured = read(record(csv('"A, ""B""\nC",1'), csv("2")))
    assert rows(captured) == [('A, "B"\nC', "1", "2")]


def test_rows_carry_what_is_known_of_their_request() -> None:
    first = record(csv("A,1\nB,2"), csv("1\n2"), "e1", inference_id="i1", model_version=3)
    second = record(json('{"instances":[["C",3]]}'), json('{"predictions":[3]}'), "e2")
    third = record(csv("D,4"), csv("4"), "e3", model_version=0)
    frame = read(first, second, third).frame
    assert frame["town"].to_list() == ["A", "B", "C", "D"]
    assert frame.select("_join_id", "_event_id", "_row", "_time", "_model_version").rows() == [
        ("i1", "e1", 0, TIME, 3),
        ("i1", "e1", 1, TIME, 3),
        ("e2", "e2", 0, TIME, 1),
        ("e3", "e3", 0, TIME, None),
    ]


def test_records_outside_the_window_are_counted_and_left_out() -> None:
    times = [
        JANUARY.start - timedelta(seconds=1),
        JANUARY.start,
        JANUARY.end - timedelta(seconds=1),
        JANUARY.end,
    ]
    captured = read(*(record(csv("A,1"), csv("1"), f"e{i}", time=time) for i, time in enumerate(times)))
    assert captured.frame["_event_id"].to_list() == ["e1", "e2"]
    assert (captured.requests, captured.outside) == (2, 2)


@pytest.mark.parametrize(
    ("asked", "answered", "reason"),
    [
        (csv("A,1,2"), csv("1"), "input: row 1: want 2 columns (town, area), got 3"),
        (csv("A"), csv("1"), "input: row 1: want 2 columns (town, area), got 1"),
        (csv("A,1,2\nB"), csv("1\n2"), "input: row 1: want 2 columns (town, area), got 3"),
        (csv("A,1\n\nB,2"), csv("1\n\n2"), "input: row 2: want 2 columns (town, area), got 0"),
        (csv(""), csv(""), "input: want at least one row, got an empty body"),
        (csv("A,1\nB,2"), csv("1"), "want an answer for each of the 2 rows, got 1 answers"),
        (csv("A,1"), csv("1\n2"), "want an answer for each of the 1 rows, got 2 answers"),
        (csv("A,1"), csv("1,2"), "output: row 1: want 1 columns (predicted), got 2"),
        (csv('"A,1'), csv("1"), "input: CSV cannot be read: unexpected end of data"),
        (
            json('{"instances":[{"town":"A","aera":1}]}'),
            json('{"predictions":[1]}'),
            'input: row 1: there is no column "aera" (did you mean "area"?)',
        ),
        (
            json('{"instances":[{"town":"A"}]}'),
            json("1"),
            'input: row 1: want column "area", which is missing',
        ),
        (json('{"instances":[]}'), json("1"), "input: want at least one row, got none"),
        (
            json('{"instances":[["A",[1]]]}'),
            json("1"),
            'input: row 1, column "area": want a text, a number or null, got a list',
        ),
        (json("[]"), json("1"), 'input: want a JSON object with a list under "instances"'),
        (
            csv("A,1"),
            json('{"predictions":[{"a":1,"b":2}]}'),
            'output: answer 1: want a member "predicted", got a, b',
        ),
        (
            b64("x", "image/png"),
            csv("1"),
            'input: want base64 of CSV or JSON by its content type, got "image/png"',
        ),
        (
            Payload("!", "BASE64", "text/csv"),
            csv("1"),
            "input: base64 cannot be read: Only base64 data is allowed",
        ),
    ],
)
def test_a_record_that_does_not_fit_is_a_bad_line_and_costs_no_other(
    asked: Payload, answered: Payload, reason: str
) -> None:
    captured = read(
        record(csv("A,1"), csv("1")), record(asked, answered, "bad"), record(csv("B,2"), csv("2"))
    )
    assert [(bad.key, bad.line_number, bad.reason) for bad in captured.bad] == [("k", 2, reason)]
    assert rows(captured) == [("A", "1", "1"), ("B", "2", "2")]
    assert captured.requests == 2


def test_a_record_of_another_schema_version_is_a_bad_line() -> None:
    captured = read(record(csv("A,1"), csv("1"), schema_version=2))
    assert [bad.reason for bad in captured.bad] == ["want schema version 1, got version 2"]
    assert captured.frame.height == 0


def test_nothing_read_is_an_empty_table_with_all_columns() -> None:
    captured = read()
    assert (captured.requests, captured.frame.height) == (0, 0)
    assert captured.frame.columns == read(record(csv("A,1"), csv("1"))).frame.columns


words = st.text(st.sampled_from('AZ ,"\n\r#1é\ufeff'), max_size=4)


@given(st.lists(st.tuples(words, words), max_size=6))
def test_records_read_together_or_singly_give_the_same(bodies: Sequence[tuple[str, str]]) -> None:
    records = [record(csv(asked), csv(answered), f"e{i}") for i, (asked, answered) in enumerate(bodies)]
    together, singly = read(*records), [read(each) for each in records]
    assert together.requests == sum(each.requests for each in singly)
    assert rows(together) == [row for each in singly for row in rows(each)]


@given(words, words)
def test_the_joint_reader_agrees_with_the_careful_one(asked: str, answered: str) -> None:
    item = record(csv(asked), csv(answered))
    try:
        careful = rows_of(read_sides(capture_line(item), 0), shape_of_schema(SCHEMA, exact=True)).columns
    except ValueError:
        assert read(item).requests == 0
    else:
        assert read(item).frame.select(list(careful)).to_dict(as_series=False) == careful


def test_batches_keep_the_order() -> None:
    count = 20_010
    bodies = (csv(f'"A",{n}' if n % 3 else f"A,{n}") for n in range(count))
    captured = read(*(record(body, csv("1"), f"e{n}") for n, body in enumerate(bodies)))
    assert captured.frame["area"].to_list() == [str(n) for n in range(count)]
    assert captured.requests == count


def whole(path: Path, schema: Schema) -> Captured:
    always = Window(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
    return read_captures([(path.name, path.read_bytes())], schema, always)


@pytest.mark.parametrize(
    ("name", "width", "prediction", "requests", "height"),
    [
        ("capture/endpoint-csv.jsonl", 69, "churn", 3, 3),
        ("capture/endpoint-json.jsonl", 14, "score", 2, 3),
        ("capture/endpoint-jsonlines.jsonl", 14, "score", 2, 3),
        ("sdk-monitor/captured-data.jsonl", 1, "y", 2, 6),
    ],
)
def test_the_service_s_own_files_become_tables(
    name: str, width: int, prediction: str, requests: int, height: int
) -> None:
    path = shared(f"fixtures/model-monitor/{name}")
    inputs = tuple(Column(f"f{i}", ColumnType.FRACTIONAL, Role.FEATURE) for i in range(width))
    schema = Schema(1, (*inputs, Column(prediction, ColumnType.FRACTIONAL, Role.PREDICTION)))
    captured = whole(path, schema)
    assert captured.bad == ()
    assert (captured.requests, captured.frame.height) == (requests, height)
    assert captured.frame.select(f"f{width - 1}", prediction).null_count().row(0) == (0, 0)
