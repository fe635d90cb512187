"""What a table file can have wrong with it, and what each error says."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.shared import shared
from watchkeeper.core.encoding import digest
from watchkeeper.core.errors import InputError
from watchkeeper.readers.table import Expected, parse_table, read_table

GOOD = b"month,block,price\n2020-01,010,100\n2020-02,,200.50\n"
EXPECTED = Expected(("month", "block", "price"))


@pytest.mark.parametrize(
    "data", [GOOD, gzip.compress(GOOD), b"\xef\xbb\xbf" + GOOD, GOOD.replace(b"\n", b"\r\n")]
)
def test_every_value_is_text_and_an_empty_one_is_null(data: bytes) -> None:
    frame = parse_table(data, "x", EXPECTED)
    assert frame.columns == ["month", "block", "price"]
    assert frame.rows() == [("2020-01", "010", "100"), ("2020-02", None, "200.50")]


def test_columns_come_in_the_expected_order_and_an_optional_one_may_be_absent() -> None:
    expected = Expected(("price", "lease", "month", "block"), optional=frozenset({"lease"}))
    frame = parse_table(GOOD, "x", expected)
    assert frame.row(0) == ("100", None, "2020-01", "010")
    assert frame.columns == ["price", "lease", "month", "block"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "x: want a header line and rows, got an empty file"),
        (gzip.compress(b""), "got an empty file"),
        (b"month,block,price\n", "want rows, got the header line only"),
        (gzip.compress(GOOD * 50)[:-12], "the gzip file is cut off"),
        (gzip.compress(GOOD)[:10] + b"\xff" * 30, "the gzip file is damaged"),
        (GOOD + b"2020-03,1\n", "line 4: want 3 fields, got 2"),
        (GOOD + b"\n2020-03,1,2,3\n", "line 5: want 3 fields, got 4"),
        (GOOD + b'2020-03,"1,2\n', "line 4: unexpected end of data"),
        (GOOD + b"2020-03,\xe9,2\n", "line 4: want UTF-8, got byte 0xe9"),
        (b"month,block,block\n1,2,3\n", "want each column once, got block twice"),
        (b"month,block\n1,2\n", "column price is missing; want month, block, price"),
        (b"month,block,price,note\n1,2,3,4\n", "column note is not expected"),
        (
            b"month,blok,price\n1,2,3\n",
            r"column block is missing \(is it blok\?\); column blok is not expected",
        ),
    ],
)
def test_each_fault_is_told_apart(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_table(data, "x", EXPECTED)


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(InputError, match="there is no such file"):
            read_table(path, EXPECTED)


def test_a_file_is_known_by_its_bytes_not_its_name(tmp_path: Path) -> None:
    (tmp_path / "plain.csv.gz").write_bytes(GOOD)
    (tmp_path / "zipped.csv").write_bytes(gzip.compress(GOOD))
    assert read_table(tmp_path / "plain.csv.gz").equals(read_table(tmp_path / "zipped.csv"))


texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00\ufeff"), max_size=8)


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=10))
def test_what_is_written_is_read(rows: list[tuple[str, str]]) -> None:
    lines = ["a,b", *(",".join('"' + text.replace('"', '""') + '"' for text in row) for row in rows)]
    frame = parse_table("\n".join(lines).encode(), "x")
    assert frame.rows() == [(a or None, b or None) for a, b in rows]


def test_the_published_file_is_read_to_the_byte() -> None:
    frame = read_table(shared("data/hdb-resale-2017-2022.csv.gz"))
    assert frame.shape == (143_396, 11)
    assert (
        digest(frame.write_csv().encode())
        == "6f6ce6f3e84a7c433096771d73a4f115ad6ebca28a59c8595c760d03a9af9eb2"
    )
