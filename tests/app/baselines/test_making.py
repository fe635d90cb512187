"""Baselines: who may approve which, what a new one is made of, and what is left out."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from tests.app.loop import ANA, KIM, Loop, bring_to_prod, copied, model_of, new_loop, train_in
from tests.training.history import sales
from watchkeeper.app.baselines.making import BaselineFor, files_of
from watchkeeper.app.baselines.suggesting import suggest_baseline
from watchkeeper.app.baselines.windows import WindowChoice
from watchkeeper.app.captures.labels import record_labels
from watchkeeper.app.files.suggestion import Suggestion
from watchkeeper.app.monitoring.run import run_monitor
from watchkeeper.app.monitoring.schedule import MonitorRun
from watchkeeper.app.registry.approval import Word, approve_baseline, reject_baseline
from watchkeeper.app.registry.baselines import (
    BaselineRecord,
    OriginKind,
    baseline_record,
    baselines,
    detail,
    standings,
)
from watchkeeper.app.registry.models import approve, promote
from watchkeeper.app.setup.audit import log
from watchkeeper.core.errors import InputError, IntegrityError, Refused
from watchkeeper.core.values import ApprovalStatus, Status
from watchkeeper.core.windows import Window, month_start
from watchkeeper.readers.contract import data_quality_statistics

DATA, QUALITY = BaselineFor("data-quality", 1), BaselineFor("model-quality", 1)
PENDING, APPROVED = ApprovalStatus.PENDING, ApprovalStatus.APPROVED
MONTHS = ("2020-05", "2020-06")
RANGE = Window(month_start("2020-05"), month_start("2020-07"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Loop:
    loop = new_loop(tmp_path_factory.mktemp("trained"))
    train_in(loop)
    return loop


@pytest.fixture
def loop(trained: Loop, tmp_path: Path) -> Loop:
    shutil.copytree(trained.target.folder / "training", tmp_path / "training")
    return copied(trained, tmp_path)


@pytest.fixture
def served(loop: Loop, trained: Loop) -> Loop:
    """Two months in production, the second one with a town that is new, both judged in July."""
    approve(loop.target, 1, "prod", KIM, "")
    moved = sales().with_columns(
        town=pl.when(pl.col("month") == MONTHS[1])
        .then(pl.col("town").replace("WEST", "SOUTH"))
        .otherwise(pl.col("town"))
    )
    for month in MONTHS:
        requests = loop.plan(month, moved)
        loop.send(requests, model_of(trained))
        record_labels(loop.target, "prod", [each.truth for each in requests], month_start("2020-06"))
    loop.clock.move_to(month_start("2020-07"))
    for at in ("2020-06", "2020-07"):
        run_monitor(loop.target, MonitorRun("data-quality", "prod", month_start(at)), ANA)
    return loop


def rows_file(folder: Path, name: str = "rows.csv", **changes: pl.Expr) -> Path:
    frame = sales().tail(60).with_columns(prediction=pl.col("price")).with_columns(**changes)
    path = folder / name
    if path.suffix == ".parquet":
        frame.write_parquet(path)
    else:
        frame.write_csv(path)
    return path


def of(loop: Loop, wanted: BaselineFor, version: int = 1) -> BaselineRecord:
    return baseline_record(loop.store, wanted.monitor, version)


def status(loop: Loop, record: BaselineRecord, environment: str) -> ApprovalStatus:
    return baselines(loop.store, record.monitor).status(record, environment)


def last_events(loop: Loop, count: int) -> list[tuple[str, str, str]]:
    events = [entry.event for entry in log(loop.target.trail)][-count:]
    return [(event.action, event.subject, event.why) for event in events]


def in_use(loop: Loop) -> tuple[BaselineRecord, Suggestion] | None:
    """The baseline that prod judges version 1 by, and its files."""
    record = baselines(loop.store, "data-quality").in_use(1, "prod")
    return (record, files_of(loop.store, record)) if record else None


def test_a_baseline_judges_nothing_before_it_is_approved(loop: Loop) -> None:
    assert in_use(loop) is None
    assert status(loop, of(loop, DATA), "prod") is PENDING


def test_the_approval_of_a_model_covers_what_its_training_run_brought_and_says_so(loop: Loop) -> None:
    approve(loop.target, 1, "prod", KIM, "good figures")
    covers = "good figures; covers data-quality baseline v1; covers model-quality baseline v1"
    by = "covered by the approval of model v1"
    assert last_events(loop, 3) == [
        ("model.approve", "model v1 for prod", covers),
        ("baseline.approve", "data-quality baseline v1 for prod", by),
        ("baseline.approve", "model-quality baseline v1 for prod", by),
    ]
    assert [status(loop, of(loop, each), "prod") for each in (DATA, QUALITY)] == [APPROVED] * 2
    assert status(loop, of(loop, DATA), "uat") is PENDING, "another environment was not asked"
    found = in_use(loop)
    assert found is not None
    assert found[0] == of(loop, DATA)
    approve(loop.target, 1, "prod", KIM, "again")
    assert last_events(loop, 1) == [("model.approve", "model v1 for prod", "again")], (
        "nothing is left to cover"
    )


def test_an_environment_that_asks_for_no_approval_gets_them_with_the_promotion(loop: Loop) -> None:
    promote(loop.target, 1, "dev", ANA)
    why = "covered by the promotion of model v1: dev asks for no approval"
    assert ("baseline.approve", "data-quality baseline v1 for dev", why) in last_events(loop, 4)
    assert status(loop, of(loop, DATA), "dev") is APPROVED
    assert status(loop, of(loop, DATA), "prod") is PENDING


def test_a_rejected_baseline_is_not_covered(loop: Loop) -> None:
    reject_baseline(loop.target, of(loop, DATA), Word("prod", KIM, "too short"))
    bring_to_prod(loop)
    assert status(loop, of(loop, DATA), "prod") is ApprovalStatus.REJECTED
    assert status(loop, of(loop, QUALITY), "prod") is APPROVED


def test_one_from_a_file_needs_a_word_of_its_own(loop: Loop, tmp_path: Path) -> None:
    record = suggest_baseline(loop.target, DATA, rows_file(tmp_path), ANA)
    assert (record.version, record.rows, record.schema_version) == (2, 60, 1)
    assert (record.origin.kind, record.source) == (OriginKind.FILE, "file rows.csv")
    bring_to_prod(loop)
    assert [status(loop, record, name) for name in ("dev", "uat", "prod")] == [PENDING] * 3
    with pytest.raises(Refused, match=r"want another person than ana \(os-user\), who suggested it"):
        approve_baseline(loop.target, record, Word("prod", ANA, ""))
    assert approve_baseline(loop.target, record, Word("dev", ANA, "")).status is APPROVED, "dev asks for none"
    approve_baseline(loop.target, record, Word("prod", KIM, "looked at"))
    found = in_use(loop)
    assert found is not None
    assert found[0] == record, "the newest approved one judges"
    reject_baseline(loop.target, record, Word("prod", KIM, "no"))
    found = in_use(loop)
    assert found is not None
    assert found[0].version == 1, "and the one before it when that is taken back"


def test_self_approval_is_what_the_project_says_it_is(tmp_path: Path) -> None:
    loop = new_loop(
        tmp_path, ("prod: {approval: required}", "prod: {approval: required, self_approval: true}")
    )
    train_in(loop)
    assert approve_baseline(loop.target, of(loop, DATA), Word("prod", ANA, "alone")).status is APPROVED


def test_whoever_suggests_again_from_the_training_run_does_not_cover_it_too(loop: Loop) -> None:
    record = suggest_baseline(loop.target, DATA, None, KIM)
    assert (record.version, record.digest) == (2, of(loop, DATA).digest), "the same rows give the same files"
    approve(loop.target, 1, "prod", KIM, "")
    assert [status(loop, of(loop, DATA, version), "prod") for version in (1, 2)] == [APPROVED, PENDING]


def test_a_word_on_other_files_does_not_count(loop: Loop) -> None:
    approve(loop.target, 1, "prod", KIM, "")
    record = of(loop, DATA)
    known = baselines(loop.store, "data-quality")
    changed = replace(record, digest="0" * 64)
    assert known.status(changed, "prod") is PENDING


def test_what_is_on_record_tells_where_a_baseline_stands(loop: Loop, tmp_path: Path) -> None:
    approve(loop.target, 1, "prod", KIM, "fine")
    suggest_baseline(loop.target, DATA, rows_file(tmp_path), ANA)
    found = standings(loop.target.project, loop.store)
    assert [(each.baseline.name, each.used_in) for each in found] == [
        ("data-quality baseline v1", ("prod",)),
        ("data-quality baseline v2", ()),
        ("model-quality baseline v1", ("prod",)),
    ]
    (word,) = detail(loop.target.project, loop.store, "data-quality", 1).words
    assert (word.actor, word.environment, word.digest) == (KIM, "prod", of(loop, DATA).digest)
    with pytest.raises(InputError, match=r"find data-quality baseline 7: want one on record \(1, 2\)"):
        detail(loop.target.project, loop.store, "data-quality", 7)
    with pytest.raises(InputError, match='unknown monitor "data-qualty"; did you mean "data-quality"'):
        detail(loop.target.project, loop.store, "data-qualty", 1)


@pytest.mark.parametrize("name", ["rows.csv", "rows.parquet"])
def test_a_file_is_read_by_the_names_of_its_columns(loop: Loop, tmp_path: Path, name: str) -> None:
    path = rows_file(tmp_path, name, agent=pl.lit("x"))
    record = suggest_baseline(loop.target, DATA, path, ANA)
    assert record.source == f"file {name}; columns left out: agent"
    statistics = data_quality_statistics(loop.store.read(f"{record.folder}statistics.json"), "s")
    assert [feature.name for feature in statistics.features] == ["month", "town", "area", "prediction"]
    assert statistics.item_count == 60


def test_a_file_for_model_quality_brings_labels(loop: Loop, tmp_path: Path) -> None:
    path = rows_file(tmp_path, prediction=pl.lit("100"))
    record = suggest_baseline(loop.target, QUALITY, path, ANA)
    assert json.loads(loop.store.read(f"{record.folder}statistics.json"))["dataset"]["item_count"] == 60
    bad = rows_file(tmp_path, "bad.csv", price=pl.lit("dear"))
    with pytest.raises(InputError, match=r"from file bad.csv: column label: want numbers, got 60 cells"):
        suggest_baseline(loop.target, QUALITY, bad, ANA)


def test_a_file_that_does_not_fit_leaves_nothing(loop: Loop, tmp_path: Path) -> None:
    sales().rename({"area": "areas"}).write_csv(tmp_path / "other.csv")
    with pytest.raises(InputError, match=r"missing: area \(is it areas\?\), prediction"):
        suggest_baseline(loop.target, DATA, tmp_path / "other.csv", ANA)
    with pytest.raises(InputError, match="there is no such file"):
        suggest_baseline(loop.target, DATA, tmp_path / "none.csv", ANA)
    (tmp_path / "cut.parquet").write_bytes(rows_file(tmp_path, "whole.parquet").read_bytes()[:500])
    with pytest.raises(InputError, match="the Parquet file cannot be read"):
        suggest_baseline(loop.target, DATA, tmp_path / "cut.parquet", ANA)
    with pytest.raises(InputError, match="find model version 9"):
        suggest_baseline(loop.target, BaselineFor("data-quality", 9), rows_file(tmp_path), ANA)
    assert len(baselines(loop.store, "data-quality").records) == 1


def test_too_few_rows_are_refused(loop: Loop, tmp_path: Path) -> None:
    sales().head(19).with_columns(prediction=pl.col("price")).write_csv(tmp_path / "few.csv")
    with pytest.raises(Refused, match=r"want at least 20 rows, got 19 from file few.csv"):
        suggest_baseline(loop.target, DATA, tmp_path / "few.csv", ANA)


def test_training_rows_that_are_gone_or_changed_are_told_apart(loop: Loop) -> None:
    (file,) = loop.target.folder.glob("training/*/register/baseline.parquet")
    pl.read_parquet(file).head(50).write_parquet(file)
    with pytest.raises(IntegrityError, match=r"read training rows .*: want a file with digest"):
        suggest_baseline(loop.target, DATA, None, ANA)
    file.unlink()
    with pytest.raises(InputError, match="there is no such file"):
        suggest_baseline(loop.target, DATA, None, ANA)


def test_windows_with_violations_are_left_out_and_named(served: Loop) -> None:
    record = suggest_baseline(served.target, DATA, WindowChoice("prod", RANGE), ANA)
    first, second = record.origin.windows
    assert (first.used, first.rows, first.note) == (True, 60, "no violations in 60 rows")
    assert (second.used, second.rows) == (False, 0)
    assert second.note.endswith("in 60 rows")
    assert record.rows == 60
    assert record.source.startswith("rows of model v1 in 1 of 2 windows of prod, 2020-05-01T00:00:00Z")
    assert (record.origin.kind, status(served, record, "prod")) == (OriginKind.WINDOWS, PENDING)


def test_windows_with_violations_count_when_they_are_wanted(served: Loop) -> None:
    june = Window(month_start("2020-06"), month_start("2020-07"))
    choice = WindowChoice("prod", june, leave_out_violations=False)
    record = suggest_baseline(served.target, DATA, choice, ANA)
    assert [(each.used, each.rows) for each in record.origin.windows] == [(True, 60)]
    assert "violation" in record.origin.windows[0].note
    asked = json.loads(served.store.read(f"{record.folder}constraints.json"))
    town = next(each for each in asked["features"] if each["name"] == "town")
    assert "SOUTH" in town["string_constraints"]["domains"]
    approve_baseline(served.target, record, Word("prod", KIM, "SOUTH is new"))
    again = run_monitor(served.target, MonitorRun("data-quality", "prod", month_start("2020-07")), ANA)
    assert (again.status, again.judgements[0].baseline) == (Status.COMPLETED, record.ref)
    other = suggest_baseline(served.target, DATA, WindowChoice("prod", RANGE), ANA)
    assert [each.used for each in other.origin.windows] == [True, True], "the newest verdict counts"


def test_too_few_rows_after_leaving_out_are_refused_with_the_reasons(served: Loop) -> None:
    choice = WindowChoice("prod", Window(month_start("2020-06"), month_start("2020-07")))
    with pytest.raises(Refused, match=r"got 0 from .* in 0 of 1 windows .*; left out 2020-06-01.*violation"):
        suggest_baseline(served.target, DATA, choice, ANA)


def test_only_whole_windows_whose_time_has_come_are_looked_at(served: Loop) -> None:
    year = WindowChoice("prod", Window(month_start("2020-01"), month_start("2021-01")))
    record = suggest_baseline(served.target, DATA, year, ANA)
    looked_at = [f"{each.window.start:%Y-%m}" for each in record.origin.windows]
    assert looked_at == ["2020-01", "2020-02", "2020-03", "2020-04", "2020-05", "2020-06"]
    assert record.origin.windows[0].note == "no row of model v1"
    part = WindowChoice("prod", Window(month_start("2020-05").replace(day=2), month_start("2020-06")))
    with pytest.raises(InputError, match="want a range with a window of the schedule"):
        suggest_baseline(served.target, DATA, part, ANA)


def test_labelled_windows_wait_for_their_labels(served: Loop) -> None:
    label_free = served.plan("2020-06")[0].inference_id
    assert label_free
    choice = WindowChoice("prod", Window(month_start("2020-05"), month_start("2020-06")))
    record = suggest_baseline(served.target, QUALITY, choice, ANA)
    assert [(each.used, each.note) for each in record.origin.windows] == [(True, "not judged")]
    for key in served.store.list("ground-truth/"):
        del served.store.objects[key]
    with pytest.raises(Refused, match="0 of 60 rows have a label, want 95%"):
        suggest_baseline(served.target, QUALITY, choice, ANA)


def test_records_made_before_origins_were_kept_can_be_read(loop: Loop) -> None:
    key = "baselines/data-quality/v1/baseline.json"
    old = json.loads(loop.store.read(key))
    del old["origin"], old["schema_version"]
    loop.store.write(key, json.dumps(old).encode())
    record = of(loop, DATA)
    assert (record.origin.kind, record.origin.name) == (OriginKind.TRAINING, "")
    approve(loop.target, 1, "prod", KIM, "")
    assert status(loop, record, "prod") is APPROVED
