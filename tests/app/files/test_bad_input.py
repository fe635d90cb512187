"""Bad files through `judge_files`: what is read of them, which lines are refused, and what is said."""

from __future__ import annotations

import gzip
import json
import os
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.app.files.analyses import NOW, SCHEMA, capture, judged, options, rows, table
from watchkeeper.app.files.engines import open_engine
from watchkeeper.app.files.inputs import Reading
from watchkeeper.app.files.judging import judge_files
from watchkeeper.core.encoding import encode
from watchkeeper.core.errors import InputError
from watchkeeper.core.values import Status
from watchkeeper.readers.parts import Limits

HEADER = b"town,age,area\n"
GOOD = "".join(f"{row}\n" for row in rows(20)).encode()  # lines 2 to 21 below the header
LIMITED = Reading(limits=Limits(chunk_bytes=4_096, line_bytes=10_000, document_bytes=20_000))
HEADED, BARE, CAPTURED = Reading(header=True), Reading(header=False), Reading(schema=SCHEMA)
LONG = b"x" * 50_000
NO_BASE64 = capture(3, "BEDOK", "BASE64").replace('"data": "Q', '"data": "*')
RAGGED = (
    '{"town":"BEDOK","age":1,"area":2.5}',
    '{"town":{"x":1},"age":[1],"area":2}',
    '{"town":"BEDOK"}',
    '{"town":"BEDOK","age":1,"area":1.5,"more":1}',
    "[1]",
    "null",
    '{"town":' * 2_000,
)


@dataclass(frozen=True, slots=True)
class Case:
    """A file, and what comes of it: rows read, lines refused, and (column, check) of each violation."""

    data: bytes
    rows: int
    bad: Sequence[int] = ()
    violations: Collection[tuple[str, str]] = ()
    name: str = "now.csv"
    reading: Reading = Reading()  # noqa: RUF009  frozen


def lines(*texts: str) -> bytes:
    return "".join(f"{text}\n" for text in texts).encode()


INCOMPLETE = [(name, "completeness_check") for name in ("town", "age", "area")]
MISTYPED = [("age", "data_type_check"), ("area", "data_type_check")]
NEW_TOWN = [("town", "categorical_values_check")]
TWICE = [("age", "baseline_drift_check"), ("_rows", "duplicate_rows_check")]

READ = {
    "header only": Case(HEADER, 0),
    "header only, without a line end": Case(HEADER.strip(), 0),
    "all values missing": Case(
        HEADER + b",,\n" * 20, 20, (), [*INCOMPLETE, ("_rows", "duplicate_rows_check")]
    ),
    "one value": Case(HEADER + b"BEDOK,1,1.5\n", 1),
    "not a number and infinities as text": Case(
        HEADER + GOOD + lines("BEDOK,NaN,inf", "BEDOK,-Infinity,nan", "BEDOK,1e999,-inf"), 23, (), MISTYPED
    ),
    "mixed types": Case(
        HEADER + GOOD + lines("1,one,true", "2.5,1.5,2020-01-01"), 22, (), [*NEW_TOWN, *MISTYPED]
    ),
    "texts of 10,000 characters": Case(
        HEADER + GOOD + b"x" * 10_000 + b",1,1.5\n" + b'"' + b"y," * 5_000 + b'",1,1.5\n', 22, (), NEW_TOWN
    ),
    "bytes that are no UTF-8": Case(HEADER + GOOD + b'\xff\xfe,1,1.5\n"\xe9",1,1.5\n', 20, (22, 23)),
    "lines that end with CR": Case((HEADER + GOOD).replace(b"\n", b"\r"), 20),
    "lines that end with CRLF": Case((HEADER + GOOD).replace(b"\n", b"\r\n"), 20),
    "line ends in quotes": Case(HEADER + GOOD + b'"BED\nOK",1,1.5\r\n"a\r\nb",2,2.5\n', 22, (), NEW_TOWN),
    "a last line cut off": Case(HEADER + GOOD + b"BEDOK,1", 20, (22,)),
    "a last line cut off in quotes": Case(HEADER + GOOD + b'"BEDOK,1', 20, (22,)),
    "a line over the limit": Case(
        HEADER + GOOD + LONG + b",1,1.5\n" + GOOD, 40, (22,), TWICE, reading=LIMITED
    ),
    "a line over the limit, small as gzip": Case(
        gzip.compress(HEADER + GOOD + LONG + b",1,1.5\n" + GOOD), 40, (22,), TWICE, "now.csv.gz", LIMITED
    ),
    "a JSON line over the limit": Case(
        lines(RAGGED[0], f'{{"town":"{LONG.decode()}","age":1,"area":1.5}}', RAGGED[0].replace("1", "2")),
        2,
        (2,),
        (),
        "now.jsonl",
        LIMITED,
    ),
    "nested and ragged JSON lines": Case(lines(*RAGGED), 1, (2, 3, 4, 5, 6, 7), (), "now.jsonl"),
    "nested and ragged JSON in a list": Case(
        f"[{','.join(RAGGED[:6])}]".encode(), 1, (2, 3, 4, 5, 6), (), "now.json"
    ),
    "base64 that is none": Case(
        lines(capture(0, "BEDOK"), NO_BASE64, capture(5, "BEDOK", "BASE64")),
        2,
        (2,),
        (),
        "now.jsonl",
        CAPTURED,
    ),
    "rows thrice, without a header": Case(
        GOOD * 3, 60, (), [("_c1", "baseline_drift_check"), ("_rows", "duplicate_rows_check")], reading=BARE
    ),
    "base64 that is none, alone": Case(lines(NO_BASE64, NO_BASE64), 0, (1, 2), (), "now.jsonl", CAPTURED),
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return table(tmp_path_factory.mktemp("base") / "base.csv", rows(400))


@pytest.mark.parametrize("name", READ)
def test_what_is_bad_is_refused_and_the_rest_is_judged(name: str, tmp_path: Path, base: Path) -> None:
    case = READ[name]
    now = tmp_path / case.name
    now.write_bytes(case.data)
    if case.reading is CAPTURED:
        base = table_of_captures(tmp_path / "base.jsonl")
    if case.reading is BARE:
        base = tmp_path / "base.csv"
        base.write_text("\n".join(rows(400)))
    found = judged(tmp_path / "out", now, base, options(reading=case.reading), workers=1)
    assert (found.rows, found.bad_lines) == (case.rows, len(case.bad))
    assert [line.line_number for line in found.bad] == list(case.bad)
    assert sorted((each.subject, each.check) for each in found.violations) == sorted(case.violations)
    verdict = Status.VIOLATIONS if case.violations else Status.COMPLETED
    assert found.status is (verdict if case.rows else Status.INSUFFICIENT_DATA)
    assert_whole(tmp_path / "out")


def table_of_captures(path: Path) -> Path:
    path.write_text("".join(f"{capture(number, 'BEDOK')}\n" for number in range(400)))
    return path


def assert_whole(out: Path) -> None:
    """The files are JSON by the letter, without NaN and infinities, and the page has its end."""
    for file in out.glob("*.json"):
        json.loads(file.read_bytes(), parse_constant=refuse)
    assert (out / "report.html").read_text(encoding="utf-8").rstrip().endswith("</html>")


def refuse(constant: str) -> None:
    raise AssertionError(constant)


def test_rows_after_line_ends_in_quotes_are_shown_with_their_line(tmp_path: Path, base: Path) -> None:
    now = tmp_path / "now.csv"
    now.write_bytes(READ["line ends in quotes"].data)
    (evidence,) = judged(tmp_path / "out", now, base).evidence
    assert [(row.line, row.value) for row in evidence.rows] == [(22, "BED\nOK"), (24, "a\r\nb")]


def test_infinities_and_no_numbers_are_counted_as_values_of_another_type(tmp_path: Path, base: Path) -> None:
    now = tmp_path / "now.csv"
    now.write_bytes(READ["not a number and infinities as text"].data)
    found = judged(tmp_path / "out", now, base)
    shown = {each.subject: [row.value for row in each.rows] for each in found.evidence}
    assert shown == {"age": ["NaN", "-Infinity"], "area": ["inf", "nan", "-inf"]}


REFUSED = {
    "empty": (b"", "now.csv", Reading(), "want rows, got an empty file"),
    "blank lines": (b"\n\r\n\n", "now.csv", Reading(), "want a header line and rows, got blank lines only"),
    "a column name twice": (
        b"town,town,area\n" + GOOD,
        "now.csv",
        HEADED,
        """want each column's name once, got "town" more than once""",
    ),
    "one line over the limit": (
        LONG,
        "now.csv",
        LIMITED,
        "want a first line within the limit, got 50,000 bytes",
    ),
    "one line over the limit, small as gzip": (
        gzip.compress(LONG),
        "now.csv.gz",
        LIMITED,
        "want a first line within the limit, got 50,000 bytes",
    ),
    "a JSON document over the limit": (
        b'{"town":"' + LONG,
        "now.json",
        LIMITED,
        "want a JSON document of at most 20,000 bytes",
    ),
    "JSON of great depth": (b"[" * 5_000, "now.json", Reading(), "want a JSON document: "),
    "UTF-16": ("town\nBEDOK\n".encode("utf-16"), "now.csv", Reading(), "want UTF-8, got UTF-16"),
    "a gzip file cut off": (
        gzip.compress(HEADER + GOOD)[:-6],
        "now.csv.gz",
        Reading(),
        "the gzip file is cut off; copy it again",
    ),
    "Parquet that is none": (b"PAR1 and PAR1", "now.parquet", Reading(), "the Parquet file cannot be read"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_cannot_be_read_is_named_with_the_reason_and_leaves_nothing(
    name: str, tmp_path: Path, base: Path
) -> None:
    data, file, reading, says = REFUSED[name]
    now = tmp_path / file
    now.write_bytes(data)
    refused(now, base, tmp_path / "out", says, reading)


def refused(now: Path | str, base: Path, out: Path, says: str, reading: Reading | None = None) -> None:
    """Judged or judged by, it is refused in the same words, and nothing is written."""
    for path, by in ((now, base), (base, now)):
        with pytest.raises(InputError) as caught:
            judged(out, Path(path), Path(by), options(reading=reading or Reading()), workers=1)
        assert str(now) in str(caught.value)
        assert says in str(caught.value)
        assert not out.exists()


@pytest.mark.parametrize("path", ["none.csv", "none/now.csv", "base.csv/now.csv"])
def test_a_path_that_is_not_there_is_named(path: str, tmp_path: Path, base: Path) -> None:
    table(tmp_path / "base.csv", rows(3))
    refused(tmp_path / path, base, tmp_path / "out", "there is no such file or folder")


@contextmanager
def forbidden() -> Iterator[Path]:
    """A folder with a file and a folder that this user may not read; root, who may, is nobody."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "closed").mkdir(0o000)
        table(folder / "now.csv", rows(3)).chmod(0o000)
        root = os.geteuid() == 0
        if root:
            os.seteuid(65_534)
        try:
            yield folder
        finally:
            if root:
                os.seteuid(0)
            (folder / "closed").chmod(0o700)


@pytest.mark.parametrize("name", ["now.csv", "closed", "closed/now.csv"])
def test_a_path_without_permission_is_named(name: str) -> None:
    with forbidden() as folder:
        refused(folder / name, folder / name, folder / "out", "no permission")


@pytest.mark.parametrize("address", ["s3://bucket//captures/", "s3://bucket/captures//20/", "captures//20"])
def test_a_prefix_with_a_double_slash_is_refused(address: str, tmp_path: Path) -> None:
    order = options(inputs=(address,), out=tmp_path / "out")
    with pytest.raises(InputError, match=r"read .*//.*: there is an empty folder name in it"):
        judge_files(order, open_engine("local", 1), lambda _: None, NOW)
    assert not (tmp_path / "out").exists()


def test_hours_ahead_of_the_clock_are_noted_and_those_before_it_are_not(tmp_path: Path) -> None:
    for hour in ("11", "12", "13"):
        folder = tmp_path / "captures" / "2026" / "01" / "01" / hour
        folder.mkdir(parents=True)
        table(folder / "now.csv", rows(10))
    found = judged(tmp_path / "out", tmp_path / "captures")
    assert [note.split(" lies in the hour ")[1] for note in found.notes if "clock" in note] == [
        "2026/01/01/13, which is ahead of the clock (2026/01/01/12)"
    ]


def test_five_thousand_columns_are_described(tmp_path: Path) -> None:
    now = tmp_path / "now.csv"
    names = [f"column{place}" for place in range(5_000)]
    now.write_text(
        "\n".join([",".join(names), ",".join(["1"] * 5_000), ",".join(["x", *[""] * 4_999])]) + "\n"
    )
    found = judged(tmp_path / "out", now)
    assert (found.rows, found.bad_lines) == (2, 0)
    described = json.loads((tmp_path / "out" / "statistics.json").read_bytes())["features"]
    assert [each["name"] for each in described] == names


PATTERNS = {
    "*": [f"{number % 7}" for number in range(60)],
    "^a$": ["x", "y"] * 30,
    "^.*$": [f"{number}.5" for number in range(60)],
    "plain": ["1"] * 60,
}


@pytest.mark.parametrize("form", ["csv", "quoted csv", "parquet", "jsonl", "captures"])
def test_a_column_name_that_polars_takes_for_a_pattern_is_a_name(form: str, tmp_path: Path) -> None:
    before, after = pl.DataFrame(PATTERNS), pl.DataFrame(PATTERNS)
    after = after.with_columns(
        pl.Series("*", ["one", *PATTERNS["*"][1:]]), pl.Series("^a$", ["z", *PATTERNS["^a$"][1:]])
    )
    found = judged(
        tmp_path / "out", written(after, tmp_path / "now", form), written(before, tmp_path / "base", form)
    )
    shown = {(each.subject, each.check): [row.value for row in each.rows] for each in found.evidence}
    assert shown["*", "data_type_check"] == ["one"]
    assert shown["^a$", "categorical_values_check"] == ["z"]
    assert (found.rows, found.bad_lines) == (60, 0)
    assert {subject for subject, _ in shown} <= {"*", "^a$"}


def written(frame: pl.DataFrame, path: Path, form: str) -> Path:
    match form:
        case "csv":
            frame.write_csv(path)
        case "quoted csv":
            frame.write_csv(path, quote_style="always")
        case "parquet":
            frame.write_parquet(path)
        case "jsonl":
            frame.write_ndjson(path)
        case _:
            path.write_text("".join(f"{by_name(row)}\n" for row in frame.iter_rows(named=True)))
    return path


def by_name(row: dict[str, str]) -> str:
    """A captured request of one row, in JSON by name."""
    record = json.loads(capture(1, "BEDOK"))
    data = json.dumps({"instances": [row]})
    record["captureData"]["endpointInput"] |= {"data": data, "encoding": "JSON"}
    record["captureData"]["endpointInput"]["observedContentType"] = "application/json"
    return json.dumps(record)


GOOD_CSV = ("BEDOK,1,1.5", "YISHUN,2,", ",,", '"a, b",3,2.5', '"two\nlines",4,NaN', "é,inf,1e5", "*,-1,x")
BAD_CSV = ("BEDOK", "a,b,c,d", '"x"y,1,2', "\udcff,1,2", f"{'z' * 300},1,2")
GOOD_JSON = ('{"a":1,"b":"x"}', '{"b":null,"a":2.5}', ' {"a":"","b":true} ', '{"a":1e300,"b":"\\u00e9"}')
BAD_JSON = ('{"a":1}', '{"a":1,"b":[1]}', "{", "7", "\udcff", f'{{"a":"{"z" * 300}","b":1}}')
GOOD_CAPTURES = tuple(capture(n, "BEDOK", form) for n, form in enumerate(("CSV", "BASE64", "CSV")))
BAD_CAPTURES = ("{", NO_BASE64, capture(1, "BEDOK,1"), "[]", capture(1, "z" * 3_000))
FORMS = {
    "now.csv": ("town,age,area", GOOD_CSV, BAD_CSV, Reading(header=True), 100),
    "now.jsonl": ('{"a":0,"b":""}', GOOD_JSON, BAD_JSON, Reading(), 100),
    "captures.jsonl": (GOOD_CAPTURES[0], GOOD_CAPTURES, BAD_CAPTURES, CAPTURED, 2_000),
}


@pytest.mark.parametrize("name", FORMS)
@settings(max_examples=10)
@given(data=st.data(), end=st.sampled_from(["\n", "\r\n"]))
def test_rows_and_bad_lines_are_the_records_that_were_written_however_the_file_is_cut(
    name: str, data: st.DataObject, end: str
) -> None:
    head, good, bad, reading, longest = FORMS[name]
    records = data.draw(st.lists(st.sampled_from((*good, *bad, "")), max_size=40))
    text = end.join([head, *records]) + data.draw(st.sampled_from(["", end]))
    with tempfile.TemporaryDirectory() as folder:
        now = Path(folder) / name
        now.write_bytes(text.encode(errors="surrogateescape"))
        answers = []
        for chunk in (1, 50, 1_000, 1_000_000):
            out = Path(folder) / str(chunk)
            limits = Limits(chunk_bytes=chunk, line_bytes=longest)
            found = judged(out, now, None, options(reading=replace(reading, limits=limits)), workers=1)
            answers.append((encode(found), *left_in(out)))
    wrong = sum(record in bad for record in records)
    headed = not head.startswith("{")
    assert (found.rows, found.bad_lines) == (sum(record in good for record in records) + (not headed), wrong)
    assert all(answer == answers[0] for answer in answers)


def left_in(out: Path) -> tuple[object, bytes, list[bytes]]:
    """The statistics but for the last digits, which hang on where parts are put together; the constraints;
    the starts of the bad lines, as a long one may be kept in part.
    """
    text = (out / "statistics.json").read_bytes()
    kept = out / "quarantine" / "bad-lines.txt"
    bad = kept.read_bytes().splitlines() if kept.exists() else []
    statistics = json.loads(text, parse_float=lambda digits: f"{float(digits):.12g}")
    asked = out / "constraints.json"  # none without a row
    return statistics, asked.read_bytes() if asked.exists() else b"", [line[:50] for line in bad]


@settings(max_examples=60)
@given(
    data=st.one_of(
        st.binary(max_size=120),
        st.text(st.sampled_from('ab1.,"{}[]:\\ \n\r\x00é*^$'), max_size=120).map(str.encode),
    ),
    name=st.sampled_from(["now.csv", "now.jsonl", "now.json", "now.parquet", "now", "now.manifest"]),
)
def test_any_bytes_are_judged_or_refused(data: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        now, out = Path(folder) / name, Path(folder) / "out"
        now.write_bytes(data)
        try:
            judged(out, now, None, workers=1)
        except InputError:
            assert not out.exists()
        else:
            assert_whole(out)
