"""Batch scoring: rows in, answers out in the batch-transform form, watched like an endpoint's."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from tests.app.loop import ANA, Loop, bring_to_prod, copied, new_loop, said, train_in
from tests.training.history import sales
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.app.captures import batch
from watchkeeper.app.captures.batch import BatchJob, BatchOrder, score_files
from watchkeeper.app.captures.importing import import_captures
from watchkeeper.app.captures.label_import import no_report
from watchkeeper.app.captures.merging import MergeRequest, merge
from watchkeeper.app.captures.sources import CaptureOrder
from watchkeeper.app.files.inputs import Reading, data_set
from watchkeeper.app.registry.artefacts import version_in_store
from watchkeeper.app.registry.schemas import schema
from watchkeeper.app.setup.audit import log
from watchkeeper.core.errors import InputError
from watchkeeper.core.values import CaptureRecord
from watchkeeper.readers.blobs import BytesBlob
from watchkeeper.readers.parts import cut, load
from watchkeeper.readers.records import read_capture_lines

ORDER = BatchOrder("prod", ANA)
INPUTS = ["month", "town", "area"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Loop:
    loop = new_loop(tmp_path_factory.mktemp("batch"))
    train_in(loop)
    bring_to_prod(loop)
    return loop


@pytest.fixture
def loop(trained: Loop, tmp_path: Path) -> Loop:
    return copied(trained, tmp_path / "ws")


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """Sixty rows with their label, and an id each."""
    path = tmp_path / "rows.csv"
    table().write_csv(path)
    return path


def table() -> pl.DataFrame:
    frame = sales("2020-05", "2020-05")
    return frame.with_columns(pl.Series("sale", [f"s{place}" for place in range(frame.height)]))


def score(loop: Loop, *paths: Path, order: BatchOrder = ORDER) -> BatchJob:
    return score_files(loop.target, [str(path) for path in paths], order, no_report)


def written(loop: Loop, done: BatchJob) -> list[list[str]]:
    """The cells of every row of answers."""
    text = b"".join(loop.store.read(key) for key in done.outputs).decode()
    return list(csv.reader(io.StringIO(text)))


def as_csv(frame: pl.DataFrame, path: Path) -> None:
    frame.write_csv(path)


def as_bare_csv(frame: pl.DataFrame, path: Path) -> None:
    frame.select(INPUTS).write_csv(path, include_header=False)


def as_gzip(frame: pl.DataFrame, path: Path) -> None:
    path.write_bytes(gzip.compress(frame.write_csv().encode()))


def as_parquet(frame: pl.DataFrame, path: Path) -> None:
    frame.with_columns(pl.col("area").cast(pl.Int64)).write_parquet(path)


@pytest.mark.parametrize("write", [as_csv, as_bare_csv, as_gzip, as_parquet])
def test_every_row_gets_the_model_s_answer_an_id_and_the_job_s_start(
    loop: Loop, tmp_path: Path, write: object
) -> None:
    assert callable(write)
    frame, path = table(), tmp_path / "rows"
    write(frame, path)
    done = score(loop, path)
    model = version_in_store(loop.store, 1)
    wanted = model.predict({name: frame[name].to_list() for name in INPUTS}).values
    cells = written(loop, done)
    assert [row[:3] for row in cells] == [list(row) for row in frame.select(INPUTS).iter_rows()]
    assert [float(row[3]) for row in cells] == wanted.tolist()
    assert len({row[4] for row in cells}) == done.rows == 60
    assert {row[5] for row in cells} == {"2020-05-01T00:00:00Z"}


def test_manifests_are_those_of_the_contract_and_name_what_is_there(loop: Loop, rows: Path) -> None:
    done = score(loop, rows)
    found = re.fullmatch(
        r"batch/prod/schema-v1/demo-prod/output/2020/05/01/00/([0-9a-f-]{36})\.json", done.output_manifest
    )
    assert found is not None
    assert json.loads(loop.store.read(done.output_manifest)) == [
        {"prefix": f"transform/{found[1]}/"},
        "rows.csv.out",
    ]
    assert done.outputs == (f"batch/prod/schema-v1/demo-prod/transform/{found[1]}/rows.csv.out",)
    assert json.loads(loop.store.read(done.input_manifest)) == [{"prefix": rows.as_uri()}, ""]
    assert loop.actions()[-1] == "batch.score"
    assert (
        log(loop.target.trail)[-1].event.why
        == f"60 rows of 1 files by model version 1: {done.output_manifest}"
    )


def test_a_folder_s_files_keep_their_places(loop: Loop, tmp_path: Path) -> None:
    for place in ("in/a/rows.csv", "in/b/rows.csv"):
        (tmp_path / place).parent.mkdir(parents=True)
        as_csv(table(), tmp_path / place)
    done = score(loop, tmp_path / "in")
    assert [key.split("/", 6)[-1] for key in done.outputs] == ["a/rows.csv.out", "b/rows.csv.out"]
    assert json.loads(loop.store.read(done.input_manifest)) == [
        {"prefix": f"{(tmp_path / 'in').as_uri()}/"},
        "a/rows.csv",
        "b/rows.csv",
    ]
    assert (done.files, done.rows) == (2, 120)


def test_json_lines_give_json_lines(loop: Loop, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(
        '{"month":"2020-05","town":"NORTH","area":50}\n{"month":"2020-05","town":null,"area":7.5}\n'
    )
    done = score(loop, path)
    first, second = map(json.loads, loop.store.read(done.outputs[0]).splitlines())
    assert list(first) == [
        "SageMakerInferenceId",
        "SageMakerInferenceTime",
        "SageMakerOutput",
        "month",
        "town",
        "area",
    ]
    assert (first["area"], second["area"], second["town"]) == (50, 7.5, None)
    assert isinstance(first["SageMakerOutput"]["prediction"], float)


def test_many_answers_go_on_in_another_file(loop: Loop, rows: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pl.concat([table()] * 1_100).write_csv(rows)  # more than are read at once
    whole = score(loop, rows)
    monkeypatch.setattr(batch, "PIECE_BYTES", 1)
    done = score(loop, rows)
    assert [key.rpartition("/")[2] for key in whole.outputs] == ["rows.csv.out"]
    assert [key.rpartition("/")[2] for key in done.outputs] == ["rows.csv.out", "rows.csv.out.2"]
    manifest = json.loads(loop.store.read(done.output_manifest))
    assert manifest[1:] == ["rows.csv.out", "rows.csv.out.2"]
    assert [row[:4] for row in written(loop, done)] == [row[:4] for row in written(loop, whole)]


def test_masked_columns_are_scored_and_not_kept(trained: Loop, tmp_path: Path, rows: Path) -> None:
    loop = copied(trained, tmp_path / "ws", ("prod: {approval: required}", "prod: {capture: {mask: [town]}}"))
    masked, plain = (written(each, score(each, rows)) for each in (loop, copied(trained, tmp_path / "other")))
    assert {row[1] for row in masked} == {""}
    assert [row[3] for row in masked] == [row[3] for row in plain]


@pytest.mark.parametrize(
    ("text", "order", "message"),
    [
        ("month,town,area\n2020-05,NORTH\n", ORDER, "line 2: want 3 fields, got 2; nothing was stored"),
        ("month,town\n2020-05,NORTH\n", ORDER, "want columns month, town, area; missing: area"),
        ("month,town,areas\n2020-05,N,1\n", ORDER, r"missing: area \(is it areas\?\)"),
        (
            "month,town,area\n2020-05,NORTH,5O\n",
            ORDER,
            'from line 2: row 1, column "area": want a number, got "5O"',
        ),
        ("month,town,area\n", ORDER, "want rows, got none"),
        ("", ORDER, "want rows, got an empty file"),
        (
            "month,town,area,sale\n2020-05,NORTH,5,s\n2020-05,NORTH,5,\n",
            BatchOrder("prod", ANA, id_column="sale"),
            'line 3: want an id in column "sale"',
        ),
        ('{"captureData":{}}\n', ORDER, "want rows, got captures"),
        ("month,town,area\n2020-05,N,1\n", BatchOrder("prod", ANA, version=9), "find model version 9"),
    ],
)
def test_what_cannot_be_scored_is_said_and_nothing_is_stored(
    loop: Loop, tmp_path: Path, text: str, order: BatchOrder, message: str
) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(text)
    before = dict(loop.store.objects)
    with pytest.raises(InputError, match=message):
        score(loop, path, order=order)
    assert loop.store.objects == before


def test_an_environment_that_serves_nothing_scores_nothing(tmp_path: Path, rows: Path) -> None:
    with pytest.raises(InputError, match="prod serves no model; want --model, or promote one"):
        score(new_loop(tmp_path / "ws"), rows)


def on_disk(loop: Loop, folder: Path, done: BatchJob) -> Path:
    """The job's objects as files; where its manifest of answers is."""
    store = FolderStore(folder)
    for key in (*done.outputs, done.output_manifest, done.input_manifest):
        store.write(key, loop.store.read(key))
    return folder / done.output_manifest


def as_json(frame: pl.DataFrame, path: Path) -> None:
    frame.with_columns(pl.col("area").cast(pl.Int64)).write_ndjson(path)


@pytest.mark.parametrize("write", [as_csv, as_json])
@pytest.mark.parametrize("known", [True, False])
def test_an_analysis_reads_a_job_without_what_the_job_added(
    loop: Loop, tmp_path: Path, write: object, known: bool
) -> None:
    assert callable(write)
    write(table(), tmp_path / "rows")
    manifest = on_disk(loop, tmp_path / "store", score(loop, tmp_path / "rows"))
    reading = Reading(schema=schema(loop.store, 1)) if known else Reading()
    found = data_set([str(manifest)], reading)
    frame = pl.concat(
        part.frame for blob in found.blobs for chunk in cut(blob, found.layout) for part in load(chunk)
    )
    data = [name for name in frame.columns if not name.startswith("_") or name.startswith("_c")]
    assert len(data) == 4
    if known:
        assert set(data) == {*INPUTS, "prediction"}
        assert frame.select(INPUTS).rows() == table().select(INPUTS).rows()
    assert frame["_join_id"].n_unique() == 60


@pytest.mark.parametrize("write", [as_csv, as_json])
def test_a_job_s_rows_become_records_with_their_ids(loop: Loop, tmp_path: Path, write: object) -> None:
    assert callable(write)
    write(table(), tmp_path / "rows")
    done = score(loop, tmp_path / "rows", order=BatchOrder("prod", ANA, id_column="sale"))
    manifest = on_disk(loop, tmp_path / "store", done)
    order = CaptureOrder("prod", ANA, done.model_version)
    assert import_captures(loop.target, manifest, order, no_report).stored == 60
    assert import_captures(loop.target, manifest, order, no_report).stored == 0
    records = [
        item
        for key in loop.store.list("captures/prod/")
        for _, item in read_capture_lines(key, loop.store.read(key))
        if isinstance(item, CaptureRecord)
    ]
    frame = table()
    answers = version_in_store(loop.store, 1).predict({name: frame[name].to_list() for name in INPUTS}).values
    assert {(each.inference_id, *said(each)) for each in records} == {
        (row[3], ",".join(row[:3]), repr(answer))
        for row, answer in zip(frame.select(*INPUTS, "sale").iter_rows(), answers.tolist(), strict=True)
    }


def test_a_job_s_rows_need_a_version_that_answered(loop: Loop, tmp_path: Path, rows: Path) -> None:
    manifest = on_disk(loop, tmp_path / "store", score(loop, rows))
    with pytest.raises(InputError, match="rows do not say which model version answered: want --model"):
        import_captures(loop.target, manifest, CaptureOrder("prod", ANA), no_report)


def test_a_line_without_its_id_is_a_bad_one(loop: Loop, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv.out"
    path.write_text("2020-05,N,5,1.5,a,2020-05-01T00:00:00Z\n2020-05,N,5,1.5,,2020-05-01T00:00:00Z\n")
    with pytest.raises(InputError, match='line 2: want an inference id and a time at the end, got ""'):
        import_captures(loop.target, path, CaptureOrder("prod", ANA, 1), no_report)


def test_an_input_manifest_of_this_machine_is_not_followed(loop: Loop, tmp_path: Path, rows: Path) -> None:
    done = score(loop, rows)
    on_disk(loop, tmp_path / "store", done)
    with pytest.raises(InputError, match="read that file itself"):
        data_set([str(tmp_path / "store" / done.input_manifest)])


def merged_lines(captures: Sequence[bytes], truth: bytes) -> list[dict[str, object]]:
    found: dict[str, bytes] = {}
    blobs = [BytesBlob(f"c/2020/05/01/00/{n}.out", data) for n, data in enumerate(captures)]
    request = MergeRequest(blobs, [BytesBlob("g/2020/05/02/00/a.jsonl", truth)], "c")
    merge(request, found.__setitem__)
    return [json.loads(line) for data in found.values() for line in data.splitlines()]


def test_json_rows_are_merged_with_labels_as_the_contract_has_it() -> None:
    row = {"SageMakerInferenceId": "i", "SageMakerInferenceTime": "2020-05-01T00:00:00Z"}
    body = {"SageMakerOutput": {"prediction": 1.5}, "area": 5}
    truth = {"data": "2", "encoding": "CSV"}
    label = {"groundTruthData": truth, "eventMetadata": {"eventId": "i"}, "eventVersion": "0"}
    assert merged_lines([json.dumps(row | body).encode()], json.dumps(label).encode()) == [
        {
            "eventMetadata": {"eventId": "i"},
            "eventVersion": "0",
            "groundTruthData": truth,
            "captureData": {
                "batchTransformOutput": {"data": json.dumps(body, separators=(",", ":")), "encoding": "JSON"}
            },
        }
    ]
