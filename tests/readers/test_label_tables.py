"""Files of labels as people keep them: every form gives the same table, and what is wrong is named."""

from __future__ import annotations

import gzip
import io
from datetime import UTC, datetime

import polars as pl
import pytest

from watchkeeper.core.errors import InputError
from watchkeeper.core.values import GroundTruth
from watchkeeper.readers.label_tables import LabelColumns, LabelTable, read_label_table, truths_table
from watchkeeper.render.records import ground_truth_line

AT = datetime(2020, 2, 1, tzinfo=UTC)
BY = LabelColumns("sale", "price")
NUMBERED = LabelColumns("sale", "price", "row")
WANTED = [("a", 0, 10.0), ("b", 0, 1.5), ("b", 1, -2.0), ("c", 0, 3e5)]


def parquet(frame: pl.DataFrame) -> bytes:
    file = io.BytesIO()
    frame.write_parquet(file)
    return file.getvalue()


def rows(table: LabelTable) -> list[tuple[object, ...]]:
    return table.frame.rows()


CSV = b"price,sale,town\r\n10,a,X\r\n1.5,b,Y\r\n\r\n -2.0 ,b,Y\r\n3e5,c,Z\r\n"
OBJECTS = (
    b'{"sale":"a","price":10}\n{"sale":"b","price":"1.5"}\n\n{"sale":"b","price":-2,"x":[]}\n'
    b'{"price":300000.0,"sale":"c"}'
)
PARQUET = parquet(pl.DataFrame({"sale": ["a", "b", "b", "c"], "price": [10.0, 1.5, -2.0, 3e5]}))
RECORDS = b"".join(
    ground_truth_line(truth, AT)
    for truth in (GroundTruth("a", (10.0,)), GroundTruth("b", (1.5, -2.0)), GroundTruth("c", (3e5,)))
)


@pytest.mark.parametrize("squeeze", [bytes, gzip.compress], ids=["plain", "gzipped"])
@pytest.mark.parametrize(
    ("data", "columns"),
    [(CSV, BY), (b"\xef\xbb\xbf" + CSV, BY), (OBJECTS, BY), (PARQUET, BY), (RECORDS, LabelColumns())],
    ids=["csv", "csv-with-mark", "objects", "parquet", "records"],
)
def test_every_form_gives_the_same_table(data: bytes, columns: LabelColumns, squeeze: type[bytes]) -> None:
    table = read_label_table(squeeze(data), "f", columns)
    assert rows(table) == WANTED
    assert (table.lines, table.conflicts.height) == (4, 0)


def test_rows_of_a_request_need_not_stand_together() -> None:
    table = read_label_table(b"sale,price\nb,1\na,2\nb,3\n", "f", BY)
    assert rows(table) == [("b", 0, 1.0), ("b", 1, 3.0), ("a", 0, 2.0)]


def test_a_row_column_gives_the_order() -> None:
    data = b"sale,price,row\nb,3,1\na,2,0\nb,1,0\n"
    assert rows(read_label_table(data, "f", NUMBERED)) == [("b", 0, 1.0), ("b", 1, 3.0), ("a", 0, 2.0)]
    frame = pl.DataFrame({"sale": [7, 7], "price": [3, 1], "row": [1, 0]})
    assert rows(read_label_table(parquet(frame), "f", NUMBERED)) == [("7", 0, 1.0), ("7", 1, 3.0)]


def test_of_two_labels_of_one_row_the_later_counts_and_the_change_is_kept() -> None:
    data = b"sale,price,row\na,1,0\na,2,0\nb,5,0\nb,5,0\n"
    table = read_label_table(data, "f", NUMBERED)
    assert rows(table) == [("a", 0, 2.0), ("b", 0, 5.0)]
    assert table.conflicts.rows() == [("a", [1.0], [2.0])]
    assert table.lines == 4


def test_of_two_records_of_one_id_the_later_counts_as_a_whole() -> None:
    truths = (GroundTruth("a", (1.0, 2.0)), GroundTruth("b", (1.0,)), GroundTruth("a", (3.0,)))
    data = b"".join(ground_truth_line(truth, AT) for truth in truths)
    for table in (read_label_table(data, "f", LabelColumns()), truths_table(truths)):
        assert rows(table) == [("b", 0, 1.0), ("a", 0, 3.0)]
        assert table.conflicts.rows() == [("a", [1.0, 2.0], [3.0])]


def test_a_quoted_line_break_does_not_shift_the_line_that_is_named() -> None:
    with pytest.raises(InputError, match=r'f, line 4: .*got "x"'):
        read_label_table(b'sale,price\n"a\nb",1\nc,x\n', "f", BY)


HEAD = b"sale,price\n"
BAD = {
    "an empty file": (b"", BY, "want a header line and labels, got an empty file"),
    "a header alone": (HEAD, BY, "got no line with one"),
    "no id column named": (HEAD, LabelColumns(label="price"), "want --id and --label"),
    "a column that is not there": (HEAD + b"a,1\n", LabelColumns("sale", "prise"), 'did you mean "price"'),
    "a column that is there twice": (b"sale,price,price\na,1,1\n", BY, "got it twice"),
    "a row column that is not there": (HEAD + b"a,1\n", NUMBERED, 'want a column "row"'),
    "an empty id": (HEAD + b"a,1\n  ,2\n", BY, "line 3: want an id"),
    "an empty label": (HEAD + b"a,1\nb,\nc,\n", BY, "line 3: .*got an empty one \\(and 1 more line like it"),
    "nan": (HEAD + b"a,NaN\n", BY, 'line 2: want a finite number as label, got "NaN"'),
    "infinity": (HEAD + b"a,inf\n", BY, 'line 2: .*got "inf"'),
    "a number too large": (HEAD + b"a,1\nb,1e999\n", BY, 'line 3: .*got "1e999"'),
    "a text": (HEAD + b"a,dear\n", BY, 'line 2: .*got "dear"'),
    "a digit separator": (HEAD + b"a,1_000\n", BY, 'line 2: .*got "1_000"'),
    "too few fields": (HEAD + b"a\n", BY, "line 2: want 2 fields, got 1"),
    "an open quote": (HEAD + b'"a,1\n', BY, "line 2: unexpected end of data"),
    "other bytes": (HEAD + b"a,1\n\xff,1\n", BY, "line 3: want UTF-8"),
    "a cut gzip": (gzip.compress(CSV)[:-9], BY, "cut off"),
    "a damaged gzip": (gzip.compress(CSV)[:-8] + b"12345678", BY, "damaged"),
    "a row that is no number": (b"sale,price,row\na,1,first\n", NUMBERED, 'line 2: .*got "first"'),
    "a negative row": (b"sale,price,row\na,1,-1\n", NUMBERED, "line 2: want a row number such as 0"),
    "an empty row": (b"sale,price,row\na,1,\n", NUMBERED, "line 2: want a row number"),
    "a gap": (b"sale,price,row\na,1,0\na,1,2\nb,1,1\n", NUMBERED, "request a: .*from 0 to 2, got 2 .*1 more"),
    "damaged parquet": (b"PAR1 and no more", BY, "the Parquet file cannot be read"),
    "parquet without rows": (parquet(pl.DataFrame({"sale": [], "price": []})), BY, "got no line with one"),
    "parquet with nan": (
        parquet(pl.DataFrame({"sale": ["a", "b"], "price": [1.0, float("nan")]})), BY, 'row 2: .*got "NaN"'
    ),
    "parquet with null": (parquet(pl.DataFrame({"sale": ["a"], "price": [None]})), BY, "row 1: .*empty"),
    "parquet with dates": (
        parquet(pl.DataFrame({"sale": ["a"], "price": [AT]})), BY, 'column "price": want text or numbers'
    ),
    "parquet without the column": (parquet(pl.DataFrame({"sale": ["a"]})), BY, 'want a column "price"'),
    "an object without the label": (b'{"sale":"a","price":1}\n{"sale":"b"}', BY, 'line 2: .*"price"'),
    "a label that is null": (b'{"sale":"a","price":null}', BY, "line 1: .*got an empty one"),
    "a label that is true": (b'{"sale":"a","price":true}', BY, 'line 1: want a text or a number in "price"'),
    "a line that is no JSON": (b'{"sale":"a","price":1}\n{', BY, "line 2: want JSON"),
    "a line that is no object": (b'{"sale":"a","price":1}\n[]', BY, "line 2: want a JSON object"),
    "records with columns": (RECORDS, BY, "leave out --id"),
    "a bad record": (RECORDS + b"{}\n[]\n", LabelColumns(), "line 4: groundTruthData: .*1 more line"),
    "a record with a text": (
        RECORDS + ground_truth_line(GroundTruth("d", ("dear",)), AT), LabelColumns(), 'line 4: .*got "dear"'
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_used_is_named(case: str) -> None:
    data, columns, message = BAD[case]
    with pytest.raises(InputError, match=message) as raised:
        read_label_table(data, "sales.csv", columns)
    assert "sales.csv" in str(raised.value)
