"""JSON documents and JSON Lines as parts: flat objects, the others bad with a reason."""

from __future__ import annotations

import gzip
from collections.abc import Sequence

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.readers.reading import read, small
from watchkeeper.core.errors import InputError
from watchkeeper.readers.parts import ColumnMatch, JsonLayout

LINES, DOCUMENT = JsonLayout(lines=True), JsonLayout(lines=False)

values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
)
objects = st.fixed_dictionaries({"a": values, "b": values})
oddities = st.sampled_from(
    [
        b"",
        b"  ",
        b"{",
        b"[1]",
        b'"x"',
        b'{"a":1}',
        b'{"b":1,"a":2}',
        b'{"a":1,"b":[2]}',
        b"\xff",
        b'{"a":1,"b":2,"c":3}',
        b"\r",
    ]
)


def text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


@given(
    st.lists(st.one_of(objects.map(orjson.dumps), oddities), max_size=12), st.integers(1, 200), st.booleans()
)
def test_the_good_lines_are_what_a_plain_loop_reads(lines: Sequence[bytes], chunk: int, zipped: bool) -> None:
    lines = [b'{"a":1,"b":2}', *lines]
    rows, bad = [], 0
    for number, line in enumerate(lines, start=1):
        try:
            item = orjson.loads(line)
        except orjson.JSONDecodeError:
            bad += bool(line.strip())
            continue
        if isinstance(item, dict) and item.keys() == {"a", "b"} and not isinstance(item["b"], list):
            rows.append((text(item["a"]), text(item["b"]), number))
        else:
            bad += 1
    data = b"\n".join(lines)
    found = read(gzip.compress(data) if zipped else data, LINES, small(chunk, rows=5))
    assert found.rows("a", "b", "_line") == rows
    assert found.bad_count == bad


@given(st.lists(objects, min_size=1, max_size=8))
def test_a_document_of_a_list_or_of_instances_gives_the_same_rows(rows: Sequence[dict[str, object]]) -> None:
    for data in (rows, {"instances": rows, "more": 1}):
        found = read(orjson.dumps(data, option=orjson.OPT_INDENT_2), DOCUMENT, small(10))
        assert found.rows("a", "b") == [(text(row["a"]), text(row["b"])) for row in rows]
        assert found.lines == list(range(1, len(rows) + 1))


def test_nested_and_ragged_objects_are_bad_with_the_reason() -> None:
    data = b'{"a":1,"b":2}\n{"a":{"x":1},"b":2}\n{"a":1}\n{"a":1,"b":2,"c":3}\n7\n{"b":true,"a":null}\n{"a":1'
    found = read(data, LINES)
    assert found.rows("a", "b") == [("1", "2"), (None, "true")]
    assert found.bad[:4] == [
        (2, 'member "a": want a text, a number, true, false or null, got an object'),
        (3, 'member "b" is missing'),
        (4, 'member "c" is not expected'),
        (5, "want a JSON object, got a number"),
    ]
    assert found.bad[4][1].startswith("want the line to be JSON: ")
    assert found.quarantine.split(b"\n")[4] == b'{"a":1'
    same = read(b'[{"a":1,"b":2},{"a":{"x":1},"b":2},7]', DOCUMENT)
    assert [number for number, _ in same.bad] == [2, 3]
    assert same.quarantine == b'{"a":{"x":1},"b":2}\n7\n'


def test_with_names_what_is_missing_is_null_and_what_is_further_a_column() -> None:
    data = b'{"a":1,"c":5}\n{"b":2,"a":3}\n{"a":4,"b":6,"c":7}'
    found = read(data, JsonLayout(lines=True, names=("a", "b")), small(1000))
    assert found.rows("a", "b", "c") == [("1", None, "5"), ("3", "2", None), ("4", "6", "7")]
    assert found.parts[0].columns == ColumnMatch(("b",), ("c",))
    assert found.bad == []


def test_numbers_keep_their_whole_or_broken_look() -> None:
    found = read(b'{"a":3.0,"b":3,"c":true,"d":"","e":18446744073709551615}', LINES)
    assert found.rows() == [("3.0", "3", "true", "", "18446744073709551615")]


@pytest.mark.parametrize("layout", [LINES, DOCUMENT])
def test_a_name_of_ours_and_an_empty_file_are_refused(layout: JsonLayout) -> None:
    with pytest.raises(InputError, match='the column name "_line" is one Watchkeeper uses itself'):
        read(b'{"_line":1}' if layout.lines else b'[{"_line":1}]', layout)
    with pytest.raises(InputError, match="want JSON objects, got an empty file"):
        read(b"", layout)


@pytest.mark.parametrize("data", [b"", b"7", b'{"a":1}', b"[1", b'{"instances":7}', b"\xff"])
def test_what_is_no_document_of_rows_is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="read file: want"):
        read(data, DOCUMENT)


def test_a_document_over_the_limit_is_refused_also_when_it_is_small_as_gzip() -> None:
    limits = small(100)
    limits = type(limits)(limits.chunk_bytes, limits.line_bytes, 1_000, limits.part_rows)
    data = b'[{"a":"' + b"x" * 5_000 + b'"}]'
    for each in (data, gzip.compress(data)):
        with pytest.raises(InputError, match="want a JSON document of at most 1,000 bytes"):
            read(each, DOCUMENT, limits)


def test_a_long_line_is_refused_and_the_next_ones_are_read() -> None:
    data = b'{"a":1}\n{"a":"' + b"x" * 9_000 + b'"}\n{"a":2}'
    for chunk in (50, 10**6):
        found = read(data, LINES, small(chunk, line=2_000))
        assert found.rows("a") == [("1",), ("2",)]
        assert found.bad == [(2, "a line longer than 2,000 bytes")]
