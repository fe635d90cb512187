"""CSV as parts: what Python's csv module reads of the good lines is what is read, however it is cut."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.readers.reading import read, small
from watchkeeper.core.errors import InputError
from watchkeeper.readers.parts import CsvLayout

HEADED, BARE = CsvLayout(header=True), CsvLayout(header=False)


def reference(text: str, width: int) -> tuple[list[tuple[int, tuple[str, ...]]], list[int]]:
    """Good rows with their lines, and the lines of bad records, one fresh csv reader for each record."""
    lines = list(io.StringIO(text, newline=""))
    good, bad, at = [], [], 0
    while at < len(lines):
        reader = csv.reader(lines[at:], strict=True)
        try:
            row = next(reader)
        except csv.Error as error:
            bad.append(at + 1)
            at += 1 if "unexpected end" in str(error) else reader.line_num
            continue
        if len(row) == width:
            good.append((at + 1, tuple(row)))
        elif row:
            bad.append(at + 1)
        at += reader.line_num
    return good, bad


dirty = st.lists(
    st.sampled_from(
        [
            "a",
            "b",
            "é",
            " ",
            ",",
            ",",
            '"',
            '"',
            '""',
            "\n",
            "\n",
            "\r\n",
            "\r",
            "\x00",
            "1",
            "\ufeff",
            "\x01",
        ]
    ),
    max_size=40,
).map("".join)


@given(dirty, st.sampled_from([1, 2, 3, 5, 8, 13, 1000]), st.integers(1, 3))
@example('a,"b\nc",d\n', 3, 3)
@example('"a\nb,c\n', 1, 2)
@example("a,b\r", 1, 2)
def test_what_the_csv_module_reads_of_the_good_lines_is_what_is_read(
    text: str, chunk: int, width: int
) -> None:
    names = tuple(f"_c{place}" for place in range(width))
    head = ",".join(["x"] * width) + "\n"  # so that neither a mark nor nothing stands at the start
    found = read(head + text, CsvLayout(header=False, names=names), small(chunk))
    good, bad = reference(head + text, width)
    assert list(zip(found.lines, found.rows(), strict=True)) == good
    assert [line for line, _ in found.bad] == bad[: len(found.bad)]
    assert found.bad_count == len(bad)


cells = st.text(st.sampled_from('ab ,"\n\ré'), max_size=5)


@given(
    st.lists(st.lists(cells, min_size=3, max_size=3), min_size=1, max_size=12),
    st.integers(1, 60),
    st.booleans(),
)
def test_a_table_written_by_the_csv_module_comes_back_whole(
    rows: Sequence[Sequence[str]], chunk: int, zipped: bool
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["x", "y", "z"], *rows])
    data = text.getvalue().encode()
    found = read(gzip.compress(data) if zipped else data, HEADED, small(chunk, rows=4))
    assert found.rows("x", "y", "z") == [tuple(row) for row in rows]
    assert found.bad == []


@given(st.binary(max_size=60), st.integers(1, 80))
def test_any_bytes_give_the_same_rows_however_they_are_cut(data: bytes, chunk: int) -> None:
    layout = CsvLayout(header=False, names=("a", "b"))
    try:
        whole = read(b"x,y\n" + data, layout)
    except InputError:
        return
    pieces = read(b"x,y\n" + data, layout, small(chunk))
    assert (pieces.lines, pieces.rows(), pieces.bad_count) == (whole.lines, whole.rows(), whole.bad_count)


@given(dirty, st.integers(1, 30), st.integers(1, 30), st.integers(1, 30))
def test_a_limit_on_lines_refuses_the_same_ones_however_the_file_is_cut(
    text: str, limit: int, chunk: int, other: int
) -> None:
    layout = CsvLayout(header=False, names=("a", "b"))
    one, two = (read("x\n" + text, layout, small(each, line=limit)) for each in (chunk, other))
    assert (one.lines, one.rows(), one.bad_count) == (two.lines, two.rows(), two.bad_count)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("last", ["", "end"])
def test_line_ends_marks_and_a_last_line_without_an_end_change_nothing(
    end: str, mark: str, last: str
) -> None:
    text = mark + end.join(["a,b", "1,x", "", '2,"y, z"', "3,"]) + (end if last else "")
    found = read(text, HEADED)
    assert found.rows("a", "b") == [("1", "x"), ("2", "y, z"), ("3", "")]
    assert found.lines == [2, 4, 5]


def test_ragged_lines_are_bad_with_their_line_number_and_cost_no_other_line_anything() -> None:
    found = read('a,b\n1,2\n3\n4,5,6\n"7,8\n9,10\n', HEADED)
    assert found.rows("a", "b") == [("1", "2"), ("9", "10")]
    assert found.bad == [
        (3, "want 2 fields, got 1"),
        (4, "want 2 fields, got 3"),
        (5, "CSV cannot be read: a quote that does not close"),
    ]
    assert found.quarantine == b'3\n4,5,6\n"7,8\n'


def test_a_faulty_record_over_several_lines_says_how_many_it_took_up() -> None:
    found = read('a,b\n"1\n2" x,3\n4,5\n', HEADED)
    assert found.rows("a", "b") == [("4", "5")]
    assert found.bad == [(2, "CSV cannot be read: ',' expected after '\"', over 2 lines")]


def test_a_line_that_is_no_utf_8_is_bad_and_the_file_is_not() -> None:
    found = read(b'a,b\n1,\xe9\n2,"\xff"\n3,4\n', HEADED)
    assert found.rows("a", "b") == [("3", "4")]
    assert found.bad == [(2, "want UTF-8, got other bytes"), (3, "want UTF-8, got other bytes")]
    assert found.quarantine == b'1,\xe9\n2,"\xff"\n'


def test_columns_without_a_header_are_named_by_their_place() -> None:
    assert read("1,2\n3,4\n", BARE).frame.columns == ["_c0", "_c1", "_line"]


def test_a_header_without_a_name_for_a_column_names_it_by_its_place() -> None:
    assert read(",b\n3,4\n", HEADED).frame.columns == ["_c0", "b", "_line"]


@pytest.mark.parametrize("data", [b"a,b", b"a,b\n", b"a,b\n\n\n"])
def test_a_header_alone_gives_the_columns_and_no_rows(data: bytes) -> None:
    found = read(data, HEADED)
    assert (found.frame.columns, found.frame.height) == (["a", "b", "_line"], 0)


@pytest.mark.parametrize(
    ("data", "layout", "message"),
    [
        (b"", HEADED, "read file: want a header line and rows, got an empty file"),
        (b"\n\r\n", BARE, "read file: want rows, got blank lines only"),
        (gzip.compress(b""), HEADED, "read file: want a header line and rows, got an empty file"),
        (
            b"a,b,a,b,c\n1,2,3,4,5\n",
            HEADED,
            'read file: want each column\'s name once, got "a", "b" more than once',
        ),
        (
            b"_line,b\n1,2\n",
            HEADED,
            'read file: the column name "_line" is one Watchkeeper uses itself; want another',
        ),
        (b'"a,b\n1,2\n', HEADED, "read file, line 2: the first record: unexpected end of data"),
        (
            b"\xff\xfea\x00",
            HEADED,
            "read file: want UTF-8, got UTF-16 (by its byte order mark); convert it first",
        ),
        (b"a,\xe9\n", HEADED, "read file: want a header in UTF-8, got other bytes in column '\\udce9'"),
        (gzip.compress(b"a\n1\n")[:-6], HEADED, "read file: the gzip file is cut off; copy it again"),
        (b"\x1f\x8b\x08damaged", HEADED, "read file: the gzip file is damaged: "),
    ],
)
def test_a_file_that_cannot_be_read_at_all_says_why(data: bytes, layout: CsvLayout, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read(data, layout)
    assert str(caught.value).startswith(message)


def test_five_thousand_columns_and_long_texts_are_read() -> None:
    names = [f"column{place}" for place in range(5_000)]
    row = ["x" * 10_000, *["1"] * 4_999]
    quoted = ['"' + "y, " * 3_000 + '"', *["2"] * 4_999]
    found = read("\n".join(",".join(each) for each in (names, row, quoted)), HEADED, small(20_000))
    assert found.frame.shape == (2, 5_001)
    assert found.rows("column0", "column4999") == [("x" * 10_000, "1"), ("y, " * 3_000, "2")]


@pytest.mark.parametrize("chunk", [10, 1000, 1_000_000])
@pytest.mark.parametrize("zipped", [False, True])
def test_a_line_over_the_limit_is_refused_and_the_next_ones_are_read(chunk: int, zipped: bool) -> None:
    data = b"a,b\n1,2\n" + b"x" * 50_000 + b',3\n4,5\n"' + b"y" * 30_000 + b'",6\n7,8'
    found = read(gzip.compress(data) if zipped else data, HEADED, small(chunk, line=10_000))
    assert found.rows("a", "b") == [("1", "2"), ("4", "5"), ("7", "8")]
    assert found.bad == [(3, "a line longer than 10,000 bytes"), (5, "a line longer than 10,000 bytes")]
    assert found.lines == [2, 4, 6]


def test_a_gzip_file_of_several_members_is_read_through() -> None:
    found = read(gzip.compress(b"a,b\n1,") + gzip.compress(b"2\n") + b"\0" * 20, HEADED)
    assert found.rows("a", "b") == [("1", "2")]


def test_parts_hold_no_more_rows_than_they_may() -> None:
    found = read("a\n" + "1\n" * 10, HEADED, small(1000, rows=4))
    assert [part.frame.height for part in found.parts] == [4, 4, 2]


@pytest.mark.parametrize("start", ["x^", "xڀ", "(", "\x1f", "\x01", "\ufeff"])
def test_a_row_that_begins_as_a_packed_file_does_is_text_all_the_same(start: str) -> None:
    found = read(f"a,b\n{start},1\n", HEADED)
    assert found.rows("a", "b") == [(start, "1")]


@pytest.mark.parametrize("name", ["*", "^a$", "^.*$"])
def test_a_name_that_polars_takes_for_a_pattern_is_a_name(name: str) -> None:
    """Found by fuzzing."""
    assert read(f'{name}\n\n""', HEADED).frame.to_dict(as_series=False) == {name: [""], "_line": [3]}
    found = read(f'{name},b\n"x",1\ny,2\n', HEADED)
    assert found.frame.to_dict(as_series=False) == {name: ["x", "y"], "b": ["1", "2"], "_line": [2, 3]}
