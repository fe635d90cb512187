"""Bodies to columns and back, against the reader that will meet them again in the captures."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.serving.running import ALWAYS, SCHEMA
from watchkeeper.core.values import CaptureRecord, Payload
from watchkeeper.readers.captures import read_captures
from watchkeeper.render.records import capture_line
from watchkeeper.serving.codec import (
    CSV,
    JSON,
    JSON_LINES,
    Format,
    Wire,
    decode_body,
    encode_predictions,
    masked_body,
    request_format,
)
from watchkeeper.serving.refusals import RequestRefused
from watchkeeper.serving.settings import CaptureMode, CapturePolicy

TIME, WIRE = datetime(2020, 1, 1, tzinfo=UTC), Wire.of(SCHEMA)
side = CapturePolicy().payload
forms = st.sampled_from([CSV, JSON, JSON_LINES])
csv_like = st.text(st.sampled_from('A1.,"\n\r é')).map(str.encode)
json_like = st.text(st.sampled_from('A1.,"{}[]:\n')).map(
    lambda text: f'{{"instances":[["A",1],{text}["B",2]]}}'.encode()
)


@given(st.binary(max_size=40) | csv_like | json_like, forms)
def test_a_body_is_read_or_refused_and_its_capture_reads_the_same(body: bytes, form: Format) -> None:
    try:
        columns = decode_body(body, form, WIRE)
    except RequestRefused:
        return
    rows = len(columns["town"])
    answer = encode_predictions([1.5] * rows, form, WIRE)
    asked = side(CaptureMode.INPUT, body.decode(), form.content_type)
    record = CaptureRecord("e", None, TIME, 1, 1, asked, side(CaptureMode.OUTPUT, answer, form.content_type))
    captured = read_captures([("k", capture_line(record))], SCHEMA, ALWAYS)
    assert captured.bad == ()
    assert captured.frame.select("town", "area").to_dict(as_series=False) == columns
    assert captured.frame["predicted"].to_list() == ["1.5"] * rows


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5), forms)
def test_predictions_come_out_of_the_captures_to_the_last_bit(values: list[float], form: Format) -> None:
    asked = Payload("\n".join("A,1" for _ in values), "CSV", "text/csv")
    answered = side(CaptureMode.OUTPUT, encode_predictions(values, form, WIRE), form.content_type)
    line = capture_line(CaptureRecord("e", None, TIME, 1, 1, asked, answered))
    frame = read_captures([("k", line)], SCHEMA, ALWAYS).frame
    assert [float(text) for text in frame["predicted"]] == values


@given(body=st.sampled_from([b"A,1\nB,2.5", b'"A, B",3\n,']))
def test_a_masked_csv_body_has_the_rest_as_it_was(body: bytes) -> None:
    wire = Wire.of(SCHEMA)
    columns = decode_body(body, CSV, wire)
    masked = decode_body(masked_body(columns, CSV, wire, {"town"}).encode(), CSV, wire)
    assert masked == {"town": [None] * len(columns["town"]), "area": columns["area"]}


@pytest.mark.parametrize(
    ("form", "body", "wanted"),
    [
        (
            JSON,
            b'{"instances":[{"town":"A","area":2},["B",2.50],["C",null]]}',
            '{"instances":[{"town":null,"area":2},{"town":null,"area":2.5},{"town":null,"area":null}]}',
        ),
        (JSON_LINES, b'{"town":"A","area":1e3}', '{"town":null,"area":1000.0}\n'),
    ],
)
def test_a_masked_json_body_goes_by_name(form: Format, body: bytes, wanted: str) -> None:
    wire = Wire.of(SCHEMA)
    assert masked_body(decode_body(body, form, wire), form, wire, {"town"}) == wanted


def test_the_schema_s_order_is_the_csv_s_order() -> None:
    turned = replace(SCHEMA, columns=SCHEMA.columns[::-1])
    assert decode_body(b"1,A", CSV, Wire.of(turned)) == {"area": ["1"], "town": ["A"]}


@pytest.mark.parametrize("header", [None, "", "csv", "text/plain", "application/json; charset=utf-16"])
def test_other_content_types_are_refused(header: str | None) -> None:
    with pytest.raises(RequestRefused) as caught:
        request_format(header)
    assert caught.value.status == 415


@pytest.mark.parametrize("header", ["text/csv", "Text/CSV; Charset=UTF-8", 'text/csv;charset="utf-8"'])
def test_a_header_s_case_and_parameters_do_not_matter(header: str) -> None:
    assert request_format(header) is CSV
