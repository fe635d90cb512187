"""Captures of models served elsewhere: brought in whole or not at all, once, and judged like our own."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from tests.app.loop import ANA, Loop, new_loop, said
from watchkeeper.app.captures.importing import CaptureImport, import_captures
from watchkeeper.app.captures.label_import import no_report
from watchkeeper.app.captures.sources import CaptureOrder, Columns
from watchkeeper.app.registry.external import register_external
from watchkeeper.app.registry.models import promote, statuses
from watchkeeper.app.registry.schemas import schema
from watchkeeper.app.setup.audit import log
from watchkeeper.core.errors import InputError, Refused
from watchkeeper.core.values import CaptureRecord, ColumnType
from watchkeeper.readers.records import read_capture_lines

ROWS = "month,town,area,price,prediction\n2020-01,A,50,500,510.5\n2020-01,B,60,600,590.0\n"
TABLE = "when,sale,place,area,month,estimate\n" + "\n".join(
    f"2020-01-{day:02d}T10:00:00Z,s{day},A,5{day % 10},2020-01,{day}.5" for day in range(1, 21)
)
NAMES = Columns(time="when", prediction="estimate", id="sale", names={"town": "place"})
ORDER = CaptureOrder("prod", ANA, 1, NAMES)


@pytest.fixture
def loop(tmp_path: Path) -> Loop:
    """Version 1 is served elsewhere."""
    made = new_loop(tmp_path / "ws")
    (tmp_path / "rows.csv").write_text(ROWS)
    register_external(made.target, tmp_path / "rows.csv", ANA)
    return made


@pytest.fixture
def table(tmp_path: Path) -> Path:
    (tmp_path / "answers.csv").write_text(TABLE)
    return tmp_path / "answers.csv"


def bring(loop: Loop, source: Path, order: CaptureOrder = ORDER) -> CaptureImport:
    return import_captures(loop.target, source, order, no_report)


def stored(loop: Loop) -> list[CaptureRecord]:
    found = []
    for key in loop.store.list("captures/"):
        assert key.startswith("captures/prod/schema-v1/demo-prod/AllTraffic/2020/01/")
        for _, item in read_capture_lines(key, loop.store.read(key)):
            assert isinstance(item, CaptureRecord)
            found.append(item)
    return found


def test_a_version_served_elsewhere_has_a_schema_and_is_not_promoted(loop: Loop) -> None:
    (status,) = statuses(loop.target.project, loop.store)
    assert (status.model.external, status.model.version, status.model.schema_version) == (True, 1, 1)
    types = {column.name: column.type for column in schema(loop.store, 1).columns}
    assert types["area"] is ColumnType.INTEGRAL
    with pytest.raises(Refused, match="it is served elsewhere, and there is no artefact of it here"):
        promote(loop.target, 1, "dev", ANA)
    assert loop.actions() == ["model.register"]


def test_rows_without_answers_make_no_version(loop: Loop, tmp_path: Path) -> None:
    (tmp_path / "bare.csv").write_text("month,town,area\n2020-01,A,50\n")
    with pytest.raises(
        InputError, match="want the columns month, town, area, prediction; missing: prediction"
    ):
        register_external(loop.target, tmp_path / "bare.csv", ANA)


def test_a_table_becomes_records_and_again_adds_nothing(loop: Loop, table: Path) -> None:
    done = bring(loop, table)
    assert (done.records, done.stored, done.already) == (20, 20, 0)
    records = stored(loop)
    assert {(each.inference_id, *said(each)) for each in records} == {
        (f"s{day}", f"2020-01,A,5{day % 10}", f"{day}.5") for day in range(1, 21)
    }
    assert {(each.model_version, each.schema_version) for each in records} == {(1, 1)}
    again = bring(loop, table)
    assert (again.stored, again.already) == (0, 20)
    assert loop.actions()[1:] == ["capture.import"]
    assert "answers.csv: 20 stored, 0 already on record" in log(loop.target.trail)[-1].event.why


def as_parquet(text: str, file: Path) -> None:
    pl.read_csv(text.encode()).write_parquet(file)


def as_lines(text: str, file: Path) -> None:
    pl.read_csv(text.encode()).write_ndjson(file)


def as_gzip(text: str, file: Path) -> None:
    file.write_bytes(gzip.compress(text.encode()))


@pytest.mark.parametrize("write", [as_parquet, as_lines, as_gzip])
def test_every_form_of_table_says_the_same(loop: Loop, table: Path, write: object) -> None:
    assert callable(write)
    bring(loop, table)
    wanted = {(each.time, each.inference_id, *said(each)) for each in stored(loop)}
    for key in loop.store.list("captures/"):
        del loop.store.objects[key]
    other = table.with_name("other")
    write(TABLE, other)
    bring(loop, other)
    assert {(each.time, each.inference_id, *said(each)) for each in stored(loop)} == wanted


def line(event: str, data: str = "2020-01,A,50", **metadata: object) -> bytes:
    """As SageMaker captures it."""
    sides = {
        name: {"observedContentType": "text/csv", "mode": mode, "data": held, "encoding": "CSV"}
        for name, mode, held in (("endpointInput", "INPUT", data), ("endpointOutput", "OUTPUT", "1.5"))
    }
    known = {"eventId": event, "inferenceTime": "2020-01-15T10:00:00Z", **metadata}
    return json.dumps({"captureData": sides, "eventMetadata": known, "eventVersion": "0"}).encode() + b"\n"


def files(folder: Path, *contents: Sequence[bytes]) -> Path:
    (folder / "captured").mkdir()
    for number, lines in enumerate(contents):
        (folder / "captured" / f"{number}.jsonl").write_bytes(b"".join(lines))
    return folder / "captured"


def test_capture_files_are_taken_as_they_are_and_once(loop: Loop, tmp_path: Path) -> None:
    source = files(tmp_path, [line("a", inferenceId="i")], [line("b"), line("c")])
    assert bring(loop, source / "1.jsonl").stored == 2
    done = bring(loop, source)
    assert (done.files, done.records, done.stored, done.already) == (2, 3, 1, 2)
    assert sorted((each.event_id, each.join_id, each.model_version) for each in stored(loop)) == [
        ("a", "i", 1), ("b", "b", 1), ("c", "c", 1),
    ]  # fmt: skip


def test_a_dry_run_stores_nothing(loop: Loop, table: Path) -> None:
    done = bring(loop, table, CaptureOrder("prod", ANA, 1, NAMES, dry_run=True))
    assert (done.stored, done.dry_run, stored(loop)) == (20, True, [])
    assert loop.actions() == ["model.register"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([line("a"), b"nonsense\n"], r"0\.jsonl, line 2: "),
        ([line("a", data="2020-01,A")], "want records that fit their schema, got 1 that do not"),
        ([line("a", modelVersion="7")], r"want a version on record \(1\), got model version 7"),
    ],
)
def test_one_bad_line_refuses_it_all(loop: Loop, tmp_path: Path, lines: list[bytes], message: str) -> None:
    source = files(tmp_path, lines)
    with pytest.raises(InputError, match=message):
        bring(loop, source)
    assert stored(loop) == []


@pytest.mark.parametrize(
    ("text", "order", "message"),
    [
        (TABLE, CaptureOrder("prod", ANA, None, NAMES), "want --model"),
        (TABLE, CaptureOrder("prod", ANA, 1), "missing: time, prediction, town"),
        (TABLE.replace("2020-01-02T10:00:00Z", "yesterday"), ORDER, 'row 2, column "when": want a time'),
        (TABLE.replace(",2.5", ","), ORDER, 'row 2: want an answer in column "estimate", got none'),
        ("when,sale,place,area,month,estimate\n", ORDER, "row"),
    ],
)
def test_a_table_that_does_not_do(
    loop: Loop, tmp_path: Path, text: str, order: CaptureOrder, message: str
) -> None:
    (tmp_path / "bad.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        bring(loop, tmp_path / "bad.csv", order)
    assert stored(loop) == []
