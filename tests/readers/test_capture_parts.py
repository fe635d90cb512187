"""Captures as parts: equal to a slow reader of one record at a time, however the file is cut."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any

import orjson
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.readers.reading import Whole, read, small
from tests.shared import shared
from watchkeeper.core.errors import InputError
from watchkeeper.core.values import CaptureRecord, Column, ColumnType, Payload, Role, Schema
from watchkeeper.core.windows import Window
from watchkeeper.readers.blobs import BytesBlob
from watchkeeper.readers.parts import (
    CaptureLayout,
    ColumnMatch,
    CsvLayout,
    batches,
    cut,
    layout_of,
    load,
    load_batch,
)
from watchkeeper.readers.payloads import csv_columns, json_document, predictions, scalar_text
from watchkeeper.readers.records import BadLine, read_capture_lines
from watchkeeper.render.records import capture_line

TIME = datetime(2020, 1, 15, 12, tzinfo=UTC)
JANUARY = Window(datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 2, 1, tzinfo=UTC))
SCHEMA = Schema(
    1,
    (
        Column("predicted", ColumnType.FRACTIONAL, Role.PREDICTION),
        Column("town", ColumnType.STRING, Role.FEATURE),
        Column("area", ColumnType.FRACTIONAL, Role.FEATURE),
        Column("price", ColumnType.FRACTIONAL, Role.LABEL),
    ),
)
KNOWN = CaptureLayout(SCHEMA, JANUARY)
META = ("_event_id", "_join_id", "_time", "_model_version", "_row", "_line")


def line(asked: Payload, answered: Payload, **changes: Any) -> bytes:
    fields = {"event_id": "e", "inference_id": None, "time": TIME, "model_version": 1, "schema_version": 1}
    return capture_line(CaptureRecord(input=asked, output=answered, **{**fields, **changes}))


def csv(data: str) -> Payload:
    return Payload(data, "CSV", "text/csv")


def body(value: object) -> Payload:
    return Payload(json.dumps(value), "JSON", "application/json")


def b64(data: str) -> Payload:
    return Payload(base64.b64encode(data.encode()).decode(), "BASE64", "text/csv")


def plain(count: int) -> list[bytes]:
    """Enough records alike to be read together."""
    return [
        line(csv(f"TOWN {n % 7},{n}.5"), csv(str(n)), event_id=f"p{n}", time=TIME + timedelta(seconds=n))
        for n in range(count)
    ]


def slow(data: bytes) -> tuple[list[tuple[object, ...]], list[int], int]:
    """Rows, bad lines and records outside, one record at a time."""
    rows: list[tuple[object, ...]] = []
    bad, outside = [], 0
    for number, item in read_capture_lines("file", data):
        if isinstance(item, BadLine):
            bad.append(number)
            continue
        if item.time not in JANUARY:
            outside += 1
            continue
        try:
            cells = list(zip(*_sides(item), strict=True))
        except ValueError:
            bad.append(number)
            continue
        for place, values in enumerate(cells):
            known = (item.event_id, item.join_id, item.time, item.model_version or None, place, number)
            rows.append((*(value or None for value in values), *known))
    return rows, bad, outside


def _sides(item: CaptureRecord) -> list[list[str | None]]:
    if item.schema_version not in (0, 1):
        raise ValueError
    asked, answered = item.input, item.output
    if asked is None or answered is None:
        raise ValueError
    data = base64.b64decode(asked.data, validate=True).decode() if asked.encoding == "BASE64" else asked.data
    if asked.encoding == "JSON":
        found = list(json_document(data, "instances"))
        if not found or not all(isinstance(each, dict) for each in found):
            raise ValueError
        town, area = ([scalar_text(each.get(name), "") for each in found] for name in ("town", "area"))  # type: ignore[attr-defined]
    else:
        columns = csv_columns(data, ["town", "area"])
        town, area = columns["town"], columns["area"]
    if answered.encoding == "JSON":
        return [predictions(json_document(answered.data, "predictions"), "predicted"), town, area]
    return [csv_columns(answered.data, ["predicted"])["predicted"], town, area]


texts = st.text(st.sampled_from('ab ,"\n\r\\é\ufeff\t'), max_size=6)
asks = st.one_of(
    st.sampled_from([csv("A,1"), csv("A,1\nB,2"), csv('"A, B",1'), csv("A,1\nB,2\n"), csv(",")]),
    texts.map(csv),
    st.lists(st.dictionaries(st.sampled_from(["town", "area"]), texts, max_size=2), max_size=2).map(
        lambda rows: body({"instances": rows})
    ),
    texts.map(b64),
    texts.map(lambda text: Payload(text, "BASE64", "text/csv")),
)
answers = st.one_of(
    st.sampled_from(
        [csv("1"), csv("1\n2"), csv('"1"'), body({"predictions": [1]}), body({"predictions": [1, 2.5]})]
    ),
    texts.map(csv),
)
odd = st.builds(
    line,
    asks,
    answers,
    event_id=st.sampled_from(["e", "é", 'q"', "b\\"]),
    inference_id=st.sampled_from([None, "i", "x"]),
    time=st.sampled_from([TIME, JANUARY.end]),
    model_version=st.sampled_from([0, 1, 2]),
    schema_version=st.sampled_from([1, 1, 1, 2]),
)
broken = st.sampled_from(
    [b"{}\n", b"\xff\n", b"\n", b"[1]\n", b"nonsense\n", b" \r\n", b'{"captureData":{}}\n']
)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 150), st.one_of(odd, broken)), max_size=8),
    st.sampled_from([700, 40_000, 10**6]),
    st.booleans(),
)
def test_a_file_gives_what_the_slow_reader_gives(
    odd_ones: Sequence[tuple[int, bytes]], chunk: int, windows: bool
) -> None:
    lines = plain(150)
    for place, each in odd_ones:
        lines.insert(place, each)
    data = b"".join(lines)
    rows, bad, outside = slow(data)
    found = read(data.replace(b"\n", b"\r\n") if windows else data, KNOWN, small(chunk))
    frame = found.frame.select("predicted", "town", "area", *META)
    assert [tuple(cell if cell != "" else None for cell in row) for row in frame.rows()] == rows
    assert found.bad_count == len(bad)
    assert [number for number, _ in found.bad] == bad
    assert sum(count for part in found.parts for count, _ in part.left_out) == outside
    assert sum(part.requests for part in found.parts) == len({(row[3], row[8]) for row in rows})


@settings(deadline=None)
@given(st.binary(max_size=30), st.integers(0, 20_000))
def test_a_byte_changed_anywhere_is_read_as_the_slow_reader_reads_it(noise: bytes, place: int) -> None:
    whole = b"".join(plain(110))
    data = whole[: place % len(whole)] + noise + whole[place % len(whole) + len(noise) :]
    for side in (b'"endpointInput":', b'"endpointOutput":'):  # `slow` reads no record of one side
        assume(data.count(side) == whole.count(side))
    rows, bad, _ = slow(data)
    found = read(data, KNOWN)
    frame = found.frame.select("predicted", "town", "area", *META)
    assert [tuple(cell if cell != "" else None for cell in row) for row in frame.rows()] == rows
    assert found.bad_count == len(bad)


def two(found: Whole) -> list[tuple[object, ...]]:
    return found.rows("town", "area", "predicted")


def test_json_members_are_matched_by_name_and_missing_and_extra_ones_kept_apart() -> None:
    data = b"".join(
        [
            *plain(120),
            line(body({"instances": [{"area": 1, "town": "A"}]}), csv("1")),
            line(body({"instances": [{"aera": 2, "town": "B"}, {"town": "C", "area": 3}]}), csv("1\n2")),
            line(body({"instances": [["D", 4]]}), body({"predictions": [{"predicted": 4, "other": 9}]})),
        ]
    )
    found = read(data, KNOWN)
    assert found.rows("town", "area", "aera")[120:] == [
        ("A", "1", None),
        ("B", None, "2"),
        ("C", "3", None),
        ("D", "4", None),
    ]
    assert found.parts[0].columns == ColumnMatch(("area",), ("aera",), (("area", "aera"),))
    assert found.bad == []


def test_a_side_that_was_not_captured_is_missing_and_the_rows_are_there() -> None:
    record = orjson.loads(line(csv("A,1\nB,2"), csv("1\n2")))
    del record["captureData"]["endpointOutput"]
    found = read(orjson.dumps(record), KNOWN)
    assert two(found) == [("A", "1", None), ("B", "2", None)]
    assert found.parts[0].columns.missing == ("predicted",)


def test_without_a_schema_outputs_come_first_and_columns_are_named_by_place_or_member() -> None:
    found = read(b"".join([line(csv("A,1"), csv("5,6")), line(csv("B,2,3"), csv("7,8"))]), CaptureLayout())
    assert found.frame.columns[:4] == ["_c0", "_c1", "_c2", "_c3"]
    assert found.rows("_c0", "_c1", "_c2", "_c3") == [("5", "6", "A", "1")]
    assert found.bad == [(2, "input: row 1: want 2 columns (_c2, _c3), got 3")]
    named = read(
        line(body({"instances": [{"b": 1, "a": 2}]}), body({"predictions": [{"score": 3, "label": 1}]})),
        CaptureLayout(),
    )
    assert named.rows("score", "label", "b", "a") == [("3", "1", "1", "2")]


def test_a_merged_record_brings_its_labels() -> None:
    record = orjson.loads(line(csv("A,1\nB,2"), csv("1\n2")))
    record["groundTruthData"] = {"data": '{"instances":[{"label":4},{"label":5.5}]}', "encoding": "JSON"}
    unequal = {**record, "groundTruthData": {"data": "4", "encoding": "CSV"}}
    found = read(orjson.dumps(record) + b"\n" + orjson.dumps(unequal), KNOWN)
    assert found.rows("town", "predicted", "price") == [("A", "1", "4.0"), ("B", "2", "5.5")]
    assert found.bad == [(2, "want a label for each of the 2 rows, got 1 labels")]


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ('{"SageMakerOutput":{"predicted":3,"other":1},"features":["A",1]}', "JSON"),
        ('{"SageMakerOutput":3,"area":1,"town":"A"}', "JSON"),
        ("A,1,3", "CSV"),
    ],
)
def test_a_batch_transform_s_merged_rows_are_read(data: str, encoding: str) -> None:
    record = {
        "eventMetadata": {"eventId": "e"},
        "eventVersion": "0",
        "groundTruthData": {"data": '{"label": 1}', "encoding": "JSON"},
        "captureData": {"batchTransformOutput": {"data": data, "encoding": encoding}},
    }
    found = read(orjson.dumps(record), KNOWN)
    assert found.rows("town", "area", "predicted", "price", "_time") == [("A", "1", "3", "1.0", None)]


def test_a_gzip_file_is_read_in_pieces_and_a_line_over_the_limit_refused() -> None:
    long = line(csv("A," + "9" * 9_000), csv("1"))
    data = b"".join([*plain(50), long, *plain(50)])
    for each in (data, gzip.compress(data)):
        found = read(each, KNOWN, small(3_000, line=5_000))
        assert found.bad == [(51, "a line longer than 5,000 bytes")]
        assert found.frame.height == 100
        assert found.lines == [*range(1, 51), *range(52, 102)]
        assert len(found.parts) > 3


def test_an_empty_capture_file_says_so() -> None:
    with pytest.raises(InputError, match="want capture records, got an empty file"):
        read(b"", KNOWN)


@pytest.mark.parametrize(
    ("name", "rows", "columns"),
    [
        ("capture/endpoint-csv.jsonl", 3, 70),
        ("capture/endpoint-json.jsonl", 3, 16),
        ("capture/endpoint-jsonlines.jsonl", 3, 16),
        ("sdk-monitor/captured-data.jsonl", 6, 2),
        ("clarify-bias-endpoint-json/merged-record.json", 334, None),
    ],
)
def test_the_service_s_own_files_are_read_without_a_schema(
    name: str, rows: int | None, columns: int | None
) -> None:
    path = shared(f"fixtures/model-monitor/{name}")
    data = path.read_bytes()
    if name.endswith(".json"):
        data = orjson.dumps(orjson.loads(data))
    assert layout_of(BytesBlob(name, data)) == CaptureLayout()
    found = read(data, CaptureLayout())
    assert found.bad == []
    assert rows is None or found.frame.height == rows
    assert columns is None or found.frame.width == columns + len(META)


def test_a_template_of_a_capture_file_is_bad_lines_alone() -> None:
    found = read(shared("fixtures/model-monitor/sdk-monitor/capture.jsonl").read_bytes(), CaptureLayout())
    assert (found.frame.height, found.bad_count) == (0, found.quarantine.count(b"\n"))
    assert {reason for _, reason in found.bad} == {
        'inferenceTime: want a time such as 2020-01-31T23:59:59Z, got "{%s}"'
    }


MANY = {
    "a/plain": b"\n".join(plain(150)),
    "b/quoted": b"\n".join([line(csv('"A, B",1'), csv("2")), *plain(120)]),
    "c/bad": b"\n".join([b"{", *plain(130), b"\xff", line(csv("A"), csv("1"))]),
    "d/late": line(csv("A,1"), csv("2"), time=JANUARY.end) + b"\n" + plain(1)[0],
    "e/packed.gz": gzip.compress(b"\n".join(plain(110))),
    "f/further": line(body({"instances": [{"town": "A", "area": 1, "more": 2}]}), csv("3")),
    "g/plain": b"\n".join(plain(7)),
}


def test_files_read_together_are_what_they_are_one_by_one() -> None:
    chunks = [chunk for name, data in MANY.items() for chunk in cut(BytesBlob(name, data), KNOWN)]
    alone = Whole(tuple(part for chunk in chunks for part in load(chunk)))
    found = list(batches(chunks))
    together = Whole(tuple(part for batch in found for part in load_batch(batch)))

    assert [[chunk.blob.name[0] for chunk in batch] for batch in found] == [
        ["a", "b", "c", "d"],
        ["e"],
        ["f", "g"],
    ]
    assert together.frame.equals(alone.frame.select(together.frame.columns))
    assert [part.number for part in together.parts] == [0, 0, 0]
    assert together.bad == alone.bad
    assert [bad.key for part in together.parts for bad in part.bad] == ["c/bad"] * 3
    assert (together.bad_count, together.quarantine) == (alone.bad_count, alone.quarantine)
    for told in ("requests", "left_out", "columns"):
        assert _told(together, told) == _told(alone, told)


def _told(whole: Whole, name: str) -> object:
    found = [getattr(part, name) for part in whole.parts]
    if name == "columns":
        return reduce(ColumnMatch.merge, found)
    return sum(found) if name == "requests" else [pair for each in found for pair in each]


def test_a_batch_ends_before_it_is_large_and_other_layouts_have_none() -> None:
    one = next(iter(cut(BytesBlob("a", b"x" * 5_000_000), KNOWN)))
    assert [len(batch) for batch in batches([one] * 7)] == [3, 3, 1]
    table = next(iter(cut(BytesBlob("a", b"a\n1\n"), CsvLayout())))
    assert [len(batch) for batch in batches([table, table])] == [1, 1]
