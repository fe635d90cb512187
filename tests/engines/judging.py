"""Whole verdicts for every engine: sets of files with all their dirt, judged as the command does it."""

import base64
import gzip
import hashlib
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from watchkeeper.app.files.judging import FileJudgement, judge_files
from watchkeeper.app.files.profiling import Engine
from watchkeeper.core.values import VERDICTS

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FILES, ROWS = 6, 700
HEAD = "town,age,area,note,nothing,one"
# One in each file, after its rows: a cell that is dirt, or a line that cannot be read.
DIRTY_LINES = (
    b'BEDOK,NaN,inf,"said ""no"", and\nwent",,1',
    b"YISHUN,-1e400,12.5," + b"x" * 10_000 + b",,1",
    b"BEDOK,7\r\nYISHUN,8,9.5,b,,1\rBEDOK,9,9.5,c,,1",
    b"TENGAH,x,- 5,\xff\xfe,,1",
    b"\xd9\xa3,\xef\xbb\xbf1,true,1e-300,,1,one more,and more",
    b'BEDOK,1,2.5,"cut off',
)


def csv_files(folder: Path, late: bool) -> None:
    """Six files of rows, each with a line of dirt in it."""
    for number, dirt in enumerate(DIRTY_LINES):
        rows = [
            f"{('BEDOK', 'YISHUN', 'TENGAH' if late else 'BEDOK')[row % 3]},{row * 31 % 97},"
            f"{row * 7919 % 1_009 / (4 if late else 8)},note {row * 7 % 901},,1"
            for row in range(number * ROWS, (number + 1) * ROWS)
        ]
        data = "\n".join([HEAD, *rows]).encode() + b"\n" + dirt + (b"\n" if late else b"")
        (folder / f"{number}.csv").write_bytes(data)


def json_files(folder: Path, late: bool) -> None:
    """JSON lines: nested, ragged, of mixed types, with lines that are no objects."""
    for number in range(FILES):
        lines = [
            {
                "town": ["A", "B", "C"][row % (2 + late)],
                "age": row % 53,
                "n": row,
            }
            | ({"deep": {"list": [row]}} if row % 50 == 0 else {})
            | ({"more": "x"} if row % 11 == 0 else {})
            | ({"n": f"{row} years"} if late and row % 5 == 0 else {})
            for row in range(ROWS)
        ]
        text = "\n".join(map(json.dumps, lines))
        (folder / f"{number}.jsonl").write_text(text + '\n[1, 2]\n{"town": \n\n"a text"\n' + "1e999\n")


def capture_files(folder: Path, late: bool) -> None:
    """Captures: CSV, JSON and BASE64, one and many rows a record, and such as cannot be read."""
    for number in range(FILES):
        path = folder / f"2022/03/01/{number:02d}/data.jsonl"
        path.parent.mkdir(parents=True)
        lines = [capture(number, row, late) for row in range(ROWS)]
        broken = '{"captureData":{"endpointInput":{"observedContentType":"text/csv","mode":"INPUT","data"'
        data = "\n".join([*lines, broken]).encode()
        path.write_bytes(gzip.compress(data, mtime=0) if number == 3 else data)


def capture(number: int, row: int, late: bool) -> str:
    """One record; every ninth has two rows, every thirteenth is BASE64, every hundredth of them is not."""
    values = f"{'AB'[row % 2]},{row % 61 + (9 if late else 0)}"
    text, encoding = (f"{values}\nC,5\n" if row % 9 == 0 else values), "CSV"
    if row % 13 == 0:
        text, encoding = base64.b64encode(text.encode()).decode(), "BASE64"
    if row % 650 == 0:
        text = "?" + text
    answer = "1.5\n2.5\n" if row % 9 == 0 else f"{row / 8}"
    sides = {
        "endpointInput": {
            "observedContentType": "text/csv",
            "mode": "INPUT",
            "data": text,
            "encoding": encoding,
        },
        "endpointOutput": {
            "observedContentType": "text/csv",
            "mode": "OUTPUT",
            "data": answer,
            "encoding": "CSV",
        },
    }
    known = {"eventId": f"{number}-{row}", "inferenceTime": f"2022-03-01T{number:02d}:{row % 60:02d}:00Z"}
    return json.dumps(
        {"captureData": sides, "eventMetadata": known, "eventVersion": "0"}, separators=(",", ":")
    )


SETS: dict[str, Callable[[Path, bool], None]] = {
    "csv": csv_files,
    "json": json_files,
    "captures": capture_files,
}


def write_sets(folder: Path) -> None:
    """Every set with its baseline, `NAME/before` and `NAME/now`."""
    for name, write in SETS.items():
        for side in ("before", "now"):
            inside = folder / name / side
            inside.mkdir(parents=True)
            write(inside, side == "now")


def write_months(source: Path, folder: Path) -> None:
    """HDB resales of 2017 to 2019 and of 2020 to 2022, a file for each month."""
    rows = pl.read_csv(source, infer_schema=False)
    for (month,), found in rows.group_by("month", maintain_order=True):
        inside = folder / "hdb" / ("before" if str(month) < "2020" else "now")
        inside.mkdir(parents=True, exist_ok=True)
        found.write_csv(inside / f"{month}.csv")


def verdict(folder: Path, out: Path, engine: Engine) -> dict[str, str]:
    """The sha256 of each file that judging `now` by `before` leaves, but the page: it has seconds."""
    order = FileJudgement((str(folder / "now"),), str(folder / "before"), out)
    found, _ = judge_files(order, engine, lambda _: None, NOW)
    assert found.status in VERDICTS, found.reason
    return dict(_digests(out))


def _digests(out: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(out.rglob("*")):
        if path.is_file() and path.suffix != ".html":
            yield path.relative_to(out).as_posix(), hashlib.sha256(_content(path)).hexdigest()


def _content(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.GzipFile(fileobj=io.BytesIO(data)).read() if path.suffix == ".gz" else data
