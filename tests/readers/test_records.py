"""Capture and ground-truth lines as values: the service's own, ours, and everything that is neither."""

import json
import re
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.shared import shared
from watchkeeper.core.values import CaptureRecord, GroundTruth, Payload
from watchkeeper.readers.records import (
    NOT_STATED,
    BadLine,
    Labelled,
    read_capture_lines,
    read_ground_truth_lines,
)
from watchkeeper.render.records import capture_line, ground_truth_line

TIME = datetime(2020, 1, 31, 23, 59, 59, tzinfo=UTC)
CAPTURES = "fixtures/model-monitor/capture"

texts = st.text(st.characters(codec="utf-8"), max_size=30)
ids = st.text(st.characters(codec="ascii"), min_size=1, max_size=10)
payloads = st.builds(Payload, texts, st.sampled_from(["CSV", "JSON", "BASE64"]), st.none() | texts)
versions = st.integers(1, 999)
records = st.builds(
    CaptureRecord,
    event_id=ids,
    inference_id=st.none() | ids,
    time=st.datetimes(timezones=st.just(UTC)).map(lambda t: t.replace(microsecond=0)),
    model_version=versions,
    schema_version=versions,
    input=payloads,
    output=payloads,
    custom_attributes=st.lists(texts, max_size=2).map(tuple),
)
labels = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(["A", "x,y", 'q"q', "two\nlines"])


def only_capture(line: bytes, key: str = "k") -> CaptureRecord | BadLine:
    ((_, item),) = read_capture_lines(key, line)
    return item


def only_labels(line: bytes) -> Labelled | BadLine:
    ((_, item),) = read_ground_truth_lines("k", line)
    return item


@given(records)
def test_a_written_record_reads_back(record: CaptureRecord) -> None:
    assert only_capture(capture_line(record)) == record


@given(ids, st.lists(labels, min_size=1, max_size=4))
def test_written_labels_read_back(inference_id: str, values: list[float | str]) -> None:
    truth = GroundTruth(inference_id, tuple(values))
    assert only_labels(ground_truth_line(truth, TIME)) == Labelled(truth, TIME)


@given(st.binary(max_size=60))
def test_no_bytes_end_the_reading(data: bytes) -> None:
    good = capture_line(
        CaptureRecord("a", None, TIME, 1, 1, Payload("1", "CSV", None), Payload("2", "CSV", None))
    )
    *before, (_, last) = read_capture_lines("k", data + b"\n" + good)
    assert isinstance(last, CaptureRecord)
    assert all(isinstance(item, BadLine) for _, item in before)


@pytest.mark.parametrize("name", ["endpoint-csv", "endpoint-json", "endpoint-jsonlines"])
def test_the_service_s_own_lines_read(name: str) -> None:
    data = shared(f"{CAPTURES}/{name}.jsonl").read_bytes()
    items = [item for _, item in read_capture_lines("k", data)]
    assert len(items) >= 2
    assert all(isinstance(item, CaptureRecord) and item.model_version == NOT_STATED for item in items)


def test_the_sdk_s_lines_read_in_their_key_order_once_their_times_are_filled_in() -> None:
    captures = shared("fixtures/model-monitor/sdk-monitor/capture.jsonl").read_bytes()
    actuals = shared("fixtures/model-monitor/sdk-monitor/actuals.jsonl").read_bytes()
    filled = captures.replace(b"{%s}", b"2020-01-01T00:00:00Z")
    assert all(isinstance(item, CaptureRecord) for _, item in read_capture_lines("k", filled))
    assert all(isinstance(item, BadLine) for _, item in read_capture_lines("k", captures))
    assert all(isinstance(item, Labelled) for _, item in read_ground_truth_lines("k", actuals))


def test_versions_come_from_the_line_then_from_the_folder() -> None:
    line = (
        b'{"eventVersion":"0","eventMetadata":{"inferenceTime":"2020-01-31T23:59:59Z","eventId":"a"%s},'
        b'"captureData":{"endpointOutput":{"data":"2","encoding":"CSV"},"endpointInput":{"data":"1","encoding":"CSV"}}}'
    )
    key = "captures/prod/schema-v4/prices/AllTraffic/2020/01/31/23/a.jsonl"
    stated = only_capture(line % b',"schemaVersion":2,"modelVersion":"9"', key)
    unstated = only_capture(line % b"", key)
    assert isinstance(stated, CaptureRecord)
    assert isinstance(unstated, CaptureRecord)
    assert (stated.schema_version, stated.model_version) == (2, 9)
    assert (unstated.schema_version, unstated.model_version) == (4, NOT_STATED)


def test_a_bad_line_says_where_it_is_why_and_how_it_starts() -> None:
    data = b"\n{}\n" + b"x" * 500
    first, second = [item for _, item in read_capture_lines("some/key", data)]
    assert first == BadLine("some/key", 2, "captureData: want an object, got nothing", "{}")
    assert isinstance(second, BadLine)
    assert second.line_number == 3
    assert "JSON" in second.reason
    assert second.text == "x" * 200


BAD_METADATA = [
    ({"eventId": "", "inferenceTime": "2020-01-01T00:00:00Z"}, "eventId: want an id"),
    ({"eventId": "a", "inferenceTime": "yesterday"}, 'inferenceTime: want a time .* got "yesterday"'),
    ({"eventId": "a", "inferenceTime": "2020-01-01T00:00:00"}, "inferenceTime: want a time"),
    (
        {"eventId": "a", "inferenceTime": "2020-01-01T00:00:00Z", "modelVersion": "two"},
        "modelVersion: want a whole",
    ),
    (
        {"eventId": "a", "inferenceTime": "2020-01-01T00:00:00Z", "modelVersion": 10**30},
        "modelVersion: want a whole",
    ),
]


@pytest.mark.parametrize(("metadata", "reason"), BAD_METADATA)
def test_bad_metadata_is_named(metadata: dict[str, object], reason: str) -> None:
    side = {"data": "1", "encoding": "CSV"}
    line = {"captureData": {"endpointInput": side, "endpointOutput": side}, "eventMetadata": metadata}
    item = only_capture(json.dumps(line).encode())
    assert isinstance(item, BadLine)
    assert re.search(reason, item.reason)


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("", "CSV"),
        ("1,2", "CSV"),
        ("1e999", "CSV"),
        (" ", "CSV"),
        ("{}", "JSON"),
        ('{"label":null}', "JSON"),
        ('{"label":true}', "JSON"),
        ('{"instances":[]}', "JSON"),
        ("nonsense", "JSON"),
        ("1", "BASE64"),
    ],
)
def test_labels_that_are_none_are_bad_lines(data: str, encoding: str) -> None:
    line = {"groundTruthData": {"data": data, "encoding": encoding}, "eventMetadata": {"eventId": "a"}}
    assert isinstance(only_labels(orjson.dumps(line)), BadLine)


def test_each_form_of_labels_reads() -> None:
    forms = {"1": "CSV", '{"label": 1}': "JSON", "1.0": "JSON", '{"instances": [{"label": 1}]}': "JSON"}
    for data, encoding in forms.items():
        line = {"groundTruthData": {"data": data, "encoding": encoding}, "eventMetadata": {"eventId": "a"}}
        assert only_labels(orjson.dumps(line)) == Labelled(GroundTruth("a", (1.0,)), None)
