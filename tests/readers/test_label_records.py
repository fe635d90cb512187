"""The whole history read at once says what reading it line by line says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import orjson
from hypothesis import given
from hypothesis import strategies as st

from tests.readers.label_files import (
    TIME,
    contents,
    objects_of,
    times,
)
from watchkeeper.core.values import CaptureRecord, Payload
from watchkeeper.core.windows import Window, hour_folder
from watchkeeper.readers.captured_requests import read_captured_requests
from watchkeeper.readers.label_records import read_label_records
from watchkeeper.readers.labels import Labels, read_labels
from watchkeeper.render.records import capture_line


def said(labels: Labels) -> list[tuple[object, ...]]:
    def value(text: str) -> float | str:
        try:
            return float(text)
        except ValueError:
            return text

    found = [(id_, row, value(text), at) for id_, row, text, at in labels.frame.rows()]
    return sorted(found, key=lambda each: each[:2])


@given(parts=contents, known=st.one_of(st.none(), times))
def test_all_at_once_is_line_by_line(parts: list[bytes], known: datetime | None) -> None:
    objects = objects_of(parts)
    far = datetime(2100, 1, 1, tzinfo=UTC)
    records = read_label_records(objects)
    one, all_ = read_labels(objects, known or far), records.as_of(known or far)
    assert said(all_) == said(one)
    assert (all_.requests, all_.duplicates, all_.later) == (one.requests, one.duplicates, one.later)
    assert all_.conflicting == one.conflicting
    assert sorted((bad.key, bad.line_number, bad.reason) for bad in all_.bad) == sorted(
        (bad.key, bad.line_number, bad.reason) for bad in one.bad
    )


@given(parts=contents, start=times, hours=st.integers(1, 4))
def test_a_window_reads_its_own_hours_alone(parts: list[bytes], start: datetime, hours: int) -> None:
    window = Window(start, start + timedelta(hours=hours))
    folders = {hour_folder(hour) for hour in window.hours()}
    objects = objects_of(parts)
    within = [(key, data) for key, data in objects if "/".join(key.split("/")[-5:-1]) in folders]
    assert said(read_label_records(objects).as_of(window)) == said(read_labels(within, window.end))


@given(parts=contents)
def test_asked_for_some_ids_it_gives_those(parts: list[bytes]) -> None:
    every = read_label_records(objects_of(parts)).frame
    asked = every["_join_id"].unique().sort().head(2)
    some = read_label_records(objects_of(parts), asked).frame
    assert some.equals(every.filter(every["_join_id"].is_in(asked.implode())))


def capture(event: str, inference: str | None, answer: Payload, town: str = "A") -> bytes:
    asked = Payload(f'{town},"quoted \\ text"\n', "CSV", "text/csv")
    return capture_line(CaptureRecord(event, inference, TIME, 1, 1, asked, answer, ("x", 'a "b"')))


ANSWERS = [
    (Payload("1.5", "CSV", "text/csv"), 1),
    (Payload("1.5\n2\n", "CSV", "text/csv"), 2),
    (Payload('"1"\n"2"\n3', "CSV", "text/csv"), 3),
    (Payload('{"predictions":[1.0,2.0]}', "JSON", "application/json"), 2),
    (Payload('{"predictions":[{"score":1},{"score":2},{"score":3}]}', "JSON", "application/json"), 3),
    (Payload('{"p":1}\n{"p":2}\n', "JSON", "application/jsonlines"), 2),
    (Payload("MS41CjIK", "BASE64", "text/csv"), 2),
    (Payload("not json", "JSON", "application/json"), None),
    (Payload("???", "BASE64", "text/csv"), None),
    (Payload("", "CSV", "text/csv"), None),
]


def test_rows_of_captured_requests_are_counted() -> None:
    data = b"".join(
        capture(f"e{n}", None if n % 2 else f"i{n}", answer) for n, (answer, _) in enumerate(ANSWERS)
    )
    service = orjson.loads(capture("service", None, ANSWERS[1][0]))
    del service["eventMetadata"]["modelVersion"]
    data += orjson.dumps(service) + b"\njunk\n"
    found = dict(read_captured_requests([("k", data), ("bytes", b"\xff\n" + data[:0])]).rows())
    wanted = {f"{'e' if n % 2 else 'i'}{n}": rows for n, (_, rows) in enumerate(ANSWERS)}
    assert found == {**wanted, "service": 2}


def test_an_id_inside_a_payload_is_nobody_s() -> None:
    hidden = '"},"eventMetadata":{"eventId":"hidden"'
    data = capture("real", None, Payload("1", "CSV", "text/csv"), town=hidden)
    assert read_captured_requests([("k", data)])["_join_id"].to_list() == ["real"]
