"""Monitors on captured windows: each status, each file, and what a second look makes of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from tests.app.loop import ANA, KIM, LIVE, Loop, bring_to_prod, copied, model_of, new_loop, train_in
from tests.training.history import sales
from watchkeeper.app.baselines.making import BaselineFor
from watchkeeper.app.baselines.suggesting import suggest_baseline
from watchkeeper.app.baselines.windows import WindowChoice
from watchkeeper.app.captures.labels import record_labels
from watchkeeper.app.monitoring.run import run_monitor
from watchkeeper.app.monitoring.schedule import MonitorRun
from watchkeeper.app.pages.evidence import distributions
from watchkeeper.app.pages.reporting import write_execution_page
from watchkeeper.app.registry.approval import Word, approve_baseline, reject_baseline
from watchkeeper.app.registry.baselines import baseline_record
from watchkeeper.app.registry.executions import executions, folder_of
from watchkeeper.app.registry.models import approve
from watchkeeper.app.replay.traffic import PlannedRequest
from watchkeeper.cli.execution_text import execution_text
from watchkeeper.core.errors import ExistsError, InputError, IntegrityError
from watchkeeper.core.values import Actor, Execution, GroundTruth, Status
from watchkeeper.core.windows import Window, month_start
from watchkeeper.readers.contract import data_quality_constraints, data_quality_statistics

SCHEDULER = Actor("scheduler", "service")
DATA = MonitorRun("data-quality", "prod", month_start("2020-06"))
QUALITY = MonitorRun("model-quality", "prod", month_start("2020-07"))
DATA_FOLDER = "executions/demo-prod-data-quality/2020/06/01/00/"
QUALITY_FOLDER = "executions/demo-prod-model-quality/2020/07/01/00/"
LABELLED_AT = month_start("2020-06")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Loop:
    """One model for every test here; each works on a copy of its workspace."""
    loop = new_loop(tmp_path_factory.mktemp("trained"))
    train_in(loop)
    approve(loop.target, 1, "prod", KIM, "good figures")
    return loop


@pytest.fixture
def loop(trained: Loop, tmp_path: Path) -> Loop:
    return copied(trained, tmp_path)


@pytest.fixture
def sent(loop: Loop, trained: Loop) -> tuple[PlannedRequest, ...]:
    """A month's requests, all of them captured."""
    requests = loop.plan()
    loop.send(requests, model_of(trained))
    return requests


def judge(loop: Loop, run: MonitorRun) -> Execution:
    return run_monitor(loop.target, run, SCHEDULER)


def label(loop: Loop, requests: Sequence[PlannedRequest], at: datetime = LABELLED_AT) -> None:
    record_labels(loop.target, "prod", [request.truth for request in requests], at)


def files_of(loop: Loop, folder: str) -> list[str]:
    return [key.removeprefix(folder) for key in loop.store.list(folder)]


def test_a_month_like_those_before_is_completed(loop: Loop, sent: tuple[PlannedRequest, ...]) -> None:
    label(loop, sent)
    loop.clock.move_to(QUALITY.scheduled_at)
    data, quality = judge(loop, DATA), judge(loop, QUALITY)
    assert (data.status, data.reason, data.rows) == (Status.COMPLETED, "no violations in 60 rows", 60)
    assert (quality.status, quality.notes) == (Status.COMPLETED, ())
    assert str(quality.window) == "2020-05-01T00:00:00Z to 2020-06-01T00:00:00Z"
    assert quality.judgements[0].baseline == baseline_record(loop.store, "model-quality", 1).ref
    assert {d.key.split("/")[0] for d in quality.inputs} == {"captures", "ground-truth"}
    series = {sample.metric: sample for sample in quality.samples}
    assert 0.5 < series["watchkeeper_model_quality_rmse_baseline_ratio"].value < 1.5
    assert series["watchkeeper_labels_coverage_ratio"].value == 1.0
    assert dict(series["watchkeeper_monitor_rows"].labels) == {
        "project": "demo",
        "environment": "prod",
        "endpoint": "demo-prod",
        "schedule": "demo-prod-model-quality",
    }


def test_the_files_lie_as_the_contract_says(loop: Loop, sent: tuple[PlannedRequest, ...]) -> None:
    label(loop, sent)
    judge(loop, DATA)
    judge(loop, QUALITY)
    expected = ["constraints.json", "execution.json", "statistics.json"]
    assert files_of(loop, DATA_FOLDER) == expected
    assert files_of(loop, QUALITY_FOLDER) == expected
    statistics = data_quality_statistics(loop.store.read(f"{DATA_FOLDER}statistics.json"), "s")
    assert (statistics.item_count, [f.name for f in statistics.features]) == (
        60,
        ["month", "town", "area", "prediction"],
    )
    asked = data_quality_constraints(loop.store.read(f"{DATA_FOLDER}constraints.json"), "c")
    assert next(f for f in asked.features if f.name == "town").domains == ("EAST", "NORTH", "WEST")


def test_without_a_request_there_is_no_traffic(loop: Loop) -> None:
    for run in (DATA, QUALITY):
        execution = judge(loop, run)
        assert (execution.status, execution.judgements) == (Status.NO_TRAFFIC, ())
        assert not [s for s in execution.samples if s.metric.startswith("watchkeeper_model_quality")]
        held = {s.value for s in execution.samples if ("status", "NoTraffic") in s.labels}
        assert held == {1.0}, "that there is no verdict is a series too"


def test_few_rows_are_no_verdict(loop: Loop, trained: Loop) -> None:
    requests = tuple(request for request in loop.plan() if request.rows == 1)[:2]
    loop.send(requests, model_of(trained))
    label(loop, requests)
    for run in (DATA, QUALITY):
        execution = judge(loop, run)
        assert execution.status is Status.INSUFFICIENT_DATA
        assert execution.reason == "2 rows of model v1, want at least 20"
        write_execution_page(loop.target, execution)
        assert files_of(loop, folder_of(loop.store, execution)) == ["execution.json", "report.html"]


def test_one_labelled_row_has_a_page_and_no_figures(loop: Loop, trained: Loop) -> None:
    one = next(request for request in loop.plan() if request.rows == 1)
    loop.send((one,), model_of(trained))
    label(loop, [one])
    write_execution_page(loop.target, judge(loop, QUALITY))
    assert b"InsufficientData" in loop.store.read(f"{QUALITY_FOLDER}report.html")


def test_awaited_labels_are_counted_and_nothing_is_judged(
    loop: Loop, sent: tuple[PlannedRequest, ...]
) -> None:
    large = max(sent, key=lambda request: request.rows)
    label(loop, [large])
    loop.clock.move_to(QUALITY.scheduled_at)
    execution = judge(loop, QUALITY)
    assert execution.status is Status.AWAITING_LABELS
    assert execution.reason == f"{large.rows} of 60 rows have a label, want 95%"
    assert execution.notes == (f"{60 - large.rows} rows without a label",)
    assert (execution.judgements, files_of(loop, QUALITY_FOLDER)) == ((), ["execution.json"])
    series = {sample.metric: sample.value for sample in execution.samples}
    assert series["watchkeeper_labels_coverage_ratio"] == large.rows / 60
    assert "watchkeeper_model_quality_rmse" not in series


def test_labels_that_come_after_the_schedule_do_not_count_yet(
    loop: Loop, sent: tuple[PlannedRequest, ...]
) -> None:
    label(loop, sent, at=month_start("2020-07"))
    assert judge(loop, QUALITY).reason == "0 of 60 rows have a label, want 95%"


def test_a_market_that_moved_is_a_violation_of_model_quality_alone(
    loop: Loop, sent: tuple[PlannedRequest, ...]
) -> None:
    truths = [
        GroundTruth(each.inference_id, tuple(1.4 * float(price) for price in each.truth.labels))
        for each in sent
    ]
    record_labels(loop.target, "prod", truths, LABELLED_AT)
    assert judge(loop, DATA).violations == ()
    execution = judge(loop, QUALITY)
    assert execution.status is Status.VIOLATIONS
    assert {violation.subject for violation in execution.violations} == {"mae", "mse", "rmse", "r2"}
    listed = json.loads(loop.store.read(f"{QUALITY_FOLDER}constraint_violations.json"))["violations"]
    assert [each["metric_name"] for each in listed] == [v.subject for v in execution.violations]


def test_a_fault_in_one_segment_is_named_first(loop: Loop, trained: Loop) -> None:
    """The prices of one town have doubled; inputs are as ever, so that only labels tell."""
    price = pl.col("price").cast(pl.Float64)
    dearer = pl.when(pl.col("town") == "EAST").then(price * 2).otherwise(price).cast(pl.String)
    requests = loop.plan(rows=sales(a_month=300).with_columns(price=dearer))
    loop.send(requests, model_of(trained))
    label(loop, requests)
    assert judge(loop, DATA).violations == ()
    execution = judge(loop, QUALITY)
    (judgement,) = execution.judgements
    worst, *others = judgement.segments
    assert (worst.column, worst.value) == ("town", "EAST")
    assert worst.metrics.mape > 2 * max(each.metrics.mape for each in others)
    assert f"; worst town EAST: mean error {worst.metrics.mape:.1%} of the label" in execution.reason
    assert "worst segments of model v1, mean error: town EAST" in execution_text(execution)


def test_a_new_category_is_a_violation_that_names_it(loop: Loop, trained: Loop) -> None:
    moved = sales().with_columns(town=pl.col("town").replace("WEST", "SOUTH"))
    loop.send(loop.plan(rows=moved), model_of(trained))
    found = {(v.subject, v.check): v.description for v in judge(loop, DATA).violations}
    assert '"SOUTH"' in found["town", "categorical_values_check"]
    listed = json.loads(loop.store.read(f"{DATA_FOLDER}constraint_violations.json"))["violations"]
    assert {each["feature_name"] for each in listed} == {subject for subject, _ in found}


def test_run_twice_it_is_one_execution(loop: Loop, sent: tuple[PlannedRequest, ...]) -> None:
    label(loop, sent)
    first = judge(loop, QUALITY)
    loop.clock.move_to(month_start("2020-08"))
    assert judge(loop, QUALITY) == first
    assert (executions(loop.store), loop.actions().count("monitor.execution")) == ((first,), 1)


def test_changed_labels_are_a_revision_and_the_first_one_stays(
    loop: Loop, sent: tuple[PlannedRequest, ...]
) -> None:
    label(loop, sent)
    first = judge(loop, QUALITY)
    kept = loop.store.read(f"{QUALITY_FOLDER}execution.json")
    dearer = GroundTruth(sent[0].inference_id, tuple(9e6 for _ in sent[0].truth.labels))
    record_labels(loop.target, "prod", [dearer], month_start("2020-06").replace(day=2))
    second = judge(loop, QUALITY)
    for execution in (first, second):
        write_execution_page(loop.target, execution)
    assert (second.key, second.status) == (first.key, Status.VIOLATIONS)
    assert folder_of(loop.store, second) == f"{QUALITY_FOLDER}revision-2/"
    assert loop.store.read(f"{QUALITY_FOLDER}execution.json") == kept
    pages = [loop.store.read(f"{QUALITY_FOLDER}{folder}report.html") for folder in ("", "revision-2/")]
    assert [b"GreaterThanThreshold" in page for page in pages] == [False, True], "each beside its own files"
    assert judge(loop, QUALITY) == second
    assert len(executions(loop.store)) == 2


def test_captures_that_come_late_are_a_revision_shown_by_its_own_figures(loop: Loop, trained: Loop) -> None:
    requests = loop.plan()
    large = tuple(request for request in requests if request.rows > 1)
    loop.send(large, model_of(trained))
    first = judge(loop, DATA)
    loop.send(tuple(request for request in requests if request.rows == 1), model_of(trained))
    second = judge(loop, DATA)
    assert (first.rows, second.rows) == (sum(request.rows for request in large), 60)
    shown = [{each.column: each.window for each in distributions(loop.store, e)} for e in (first, second)]
    assert shown[0].keys() == shown[1].keys() >= {"town", "area"}
    assert shown[0] != shown[1]


def test_each_version_is_judged_by_its_own_baseline(tmp_path: Path) -> None:
    loop = new_loop(tmp_path)
    train_in(loop)
    first = model_of(loop)
    loop.clock.move_to(month_start("2020-06"))
    train_in(loop)
    for version in (1, 2):
        approve(loop.target, version, "prod", KIM, "good figures")
    requests = loop.plan("2020-06")
    loop.send(requests[::2], first, version=1)
    loop.send(requests[1::2], model_of(loop), version=2)
    execution = judge(loop, replace(DATA, scheduled_at=month_start("2020-07")))
    judged = execution.judgements
    assert [each.model_version for each in judged] == [1, 2]
    assert sum(each.rows for each in judged) == 60
    assert [each.baseline for each in judged] == [
        baseline_record(loop.store, "data-quality", v).ref for v in (1, 2)
    ]
    assert judged[0].baseline != judged[1].baseline
    folder = folder_of(loop.store, execution)
    rows = {each.model_version: each.rows for each in judged if each.status is not Status.INSUFFICIENT_DATA}
    assert rows, "at least one had enough rows"
    for version, count in rows.items():
        own = f"{folder}model-v{version}/" if len(rows) == 2 else folder
        statistics = data_quality_statistics(loop.store.read(f"{own}statistics.json"), "s")
        assert statistics.item_count == count


@pytest.mark.usefixtures("sent")
def test_without_an_approved_baseline_there_is_no_verdict_until_there_is_one(
    loop: Loop, trained: Loop
) -> None:
    shutil.copytree(trained.target.folder / "training", loop.target.folder / "training")
    record = baseline_record(loop.store, "data-quality", 1)
    reject_baseline(loop.target, record, Word("prod", KIM, "too few towns"))
    again = suggest_baseline(loop.target, BaselineFor("data-quality", 1), None, ANA)
    refused = judge(loop, DATA)
    assert (refused.status, refused.rows, refused.violations) == (Status.NO_BASELINE, 60, ())
    assert refused.judgements[0].baseline is None
    assert refused.reason == (
        "no baseline of model v1 is approved for prod: "
        "`watchkeeper baseline approve data-quality 2 --for prod`"
    )
    assert not any(sample.metric.startswith("watchkeeper_data_quality") for sample in refused.samples)
    write_execution_page(loop.target, refused)
    assert b"watchkeeper baseline approve" in loop.store.read(f"{DATA_FOLDER}report.html")
    approve_baseline(loop.target, again, Word("prod", KIM, ""))
    judged = judge(loop, DATA)
    assert (judged.status, judged.judgements[0].baseline) == (Status.COMPLETED, again.ref)
    assert folder_of(loop.store, judged) == f"{DATA_FOLDER}revision-2/"
    assert judge(loop, DATA) == judged, "the same baseline and inputs are the same execution"


def test_a_version_nobody_suggested_a_baseline_for_is_told_how_to_get_one(loop: Loop, trained: Loop) -> None:
    loop.send(loop.plan(), model_of(trained), version=9)
    execution = judge(loop, DATA)
    assert execution.status is Status.NO_BASELINE
    assert "`watchkeeper baseline suggest data-quality --for-model 9 …`" in execution.reason


@pytest.mark.usefixtures("sent")
def test_a_page_shows_the_baseline_that_judged_and_not_a_newer_one(loop: Loop) -> None:
    execution = judge(loop, DATA)
    before = distributions(loop.store, execution)
    rows = WindowChoice("prod", Window(month_start("2020-05"), month_start("2020-06")))
    loop.clock.move_to(month_start("2020-07"))
    newer = suggest_baseline(loop.target, BaselineFor("data-quality", 1), rows, ANA)
    approve_baseline(loop.target, newer, Word("prod", KIM, ""))
    assert distributions(loop.store, execution) == before
    assert judge(loop, DATA).judgements[0].baseline == newer.ref


def without_version(loop: Loop, sent: tuple[PlannedRequest, ...], variant: str) -> int:
    """Take the model version out of one captured line of the variant; how many rows it has."""
    key = loop.store.list("captures/")[0]
    line, *others = loop.store.objects.pop(key).splitlines(keepends=True)
    record = json.loads(line)
    del record["eventMetadata"]["modelVersion"]
    bare = json.dumps(record).encode() + b"\n"
    held = {key: b"".join(others)}
    other = key.replace("AllTraffic", variant)
    held[other] = bare + held.get(other, b"")
    loop.store.objects.update({name: data for name, data in held.items() if data})
    identity = record["eventMetadata"]["inferenceId"]
    return next(each.rows for each in sent if each.inference_id == identity)


def test_rows_without_a_version_are_of_the_one_that_served_then(
    loop: Loop, sent: tuple[PlannedRequest, ...]
) -> None:
    bring_to_prod(loop)
    rows = without_version(loop, sent, "AllTraffic")
    execution = judge(loop, DATA)
    assert execution.notes == (
        f"{rows} rows that name no model version, taken to be of the one that served then",
    )
    assert execution.judgements[0].rows == 60


def test_rows_from_before_anything_served_are_of_nobody(loop: Loop, sent: tuple[PlannedRequest, ...]) -> None:
    loop.clock.move_to(month_start("2020-06"))
    bring_to_prod(loop)
    rows = without_version(loop, sent, "AllTraffic")
    assert judge(loop, DATA).notes == (f"{rows} rows that name no model version, not judged",)


def test_rows_of_a_candidate_without_a_version_are_counted_and_not_judged(
    loop: Loop, sent: tuple[PlannedRequest, ...]
) -> None:
    bring_to_prod(loop)
    rows = without_version(loop, sent, "Canary")
    execution = judge(loop, DATA)
    assert execution.notes == (f"{rows} rows that name no model version, not judged",)
    assert execution.judgements[0].rows == 60 - rows


def test_an_execution_that_breaks_is_on_record_as_failed_and_tried_again(loop: Loop, trained: Loop) -> None:
    loop.send(loop.plan(), model_of(trained))
    del loop.store.objects["models/v1/model.json"]
    broken = judge(loop, DATA)
    assert broken.status is Status.FAILED
    assert "find model version 1: want a registered one (none yet)" in broken.reason
    assert broken.samples
    assert not any(sample.metric == "watchkeeper_data_quality_violations" for sample in broken.samples)
    write_execution_page(loop.target, broken)
    judge(loop, DATA)
    assert [each.status for each in executions(loop.store)] == [Status.FAILED, Status.FAILED]
    assert "monitor.execution" in loop.actions()


@pytest.mark.parametrize("tampered", [b" ", b"\xff"])
@pytest.mark.parametrize("name", ["statistics.json", "constraints.json"])
@pytest.mark.usefixtures("sent")
def test_a_tampered_baseline_judges_nothing(loop: Loop, name: str, tampered: bytes) -> None:
    key = f"baselines/data-quality/v1/{name}"
    loop.store.write(key, loop.store.read(key) + tampered)
    with pytest.raises(
        IntegrityError, match=r"read baseline baselines/data-quality/v1/: want files with digest"
    ):
        judge(loop, DATA)
    assert executions(loop.store) == ()


def test_a_monitor_the_project_does_not_have_is_refused(loop: Loop) -> None:
    with pytest.raises(InputError, match="run monitor bias in prod: want one of data-quality, model-quality"):
        judge(loop, replace(DATA, monitor="bias"))


def test_without_a_schema_there_is_nothing_to_read_by(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="want a schema on record, got none; train first"):
        judge(new_loop(tmp_path), DATA)


@pytest.mark.usefixtures("sent")
def test_a_capture_line_that_cannot_be_read_costs_no_other(loop: Loop) -> None:
    key = loop.store.list("captures/")[0]
    loop.store.write(key, b"{}\n" + loop.store.read(key))
    execution = judge(loop, DATA)
    assert (execution.status, execution.rows) == (Status.COMPLETED, 60)
    assert execution.notes[0].startswith(f"1 capture lines that cannot be used, the first {key}:1 (")


def test_labels_that_do_not_vary_have_no_r2_and_are_no_end(
    loop: Loop, sent: tuple[PlannedRequest, ...]
) -> None:
    truths = [GroundTruth(each.inference_id, tuple(0.0 for _ in each.truth.labels)) for each in sent]
    record_labels(loop.target, "prod", truths, LABELLED_AT)
    execution = judge(loop, QUALITY)
    assert execution.status is Status.VIOLATIONS
    assert any("figures not known: mape: want labels other than 0" in note for note in execution.notes)
    write_execution_page(loop.target, execution)


def test_labels_for_unknown_ids_are_counted(loop: Loop, sent: tuple[PlannedRequest, ...]) -> None:
    label(loop, sent)
    record_labels(
        loop.target, "prod", [GroundTruth("nobody", (1.0,)), GroundTruth("no-one", (2.0,))], LABELLED_AT
    )
    execution = judge(loop, QUALITY)
    assert execution.notes == ("2 ids with labels that no request of this window carries",)
    assert (execution.status, execution.rows) == (Status.COMPLETED, 60)


def test_the_same_labels_twice_in_one_file_and_in_two_count_once(
    loop: Loop, sent: tuple[PlannedRequest, ...]
) -> None:
    label(loop, [*sent, sent[0]])
    label(loop, [sent[1]], at=LABELLED_AT.replace(hour=1))
    execution = judge(loop, QUALITY)
    assert execution.notes == ("2 labels that a later one replaced",)
    assert (execution.status, execution.rows) == (Status.COMPLETED, 60)


def test_the_same_labels_of_one_hour_are_stored_once(loop: Loop, sent: tuple[PlannedRequest, ...]) -> None:
    label(loop, sent)
    with pytest.raises(ExistsError):
        label(loop, sent)
    (key,) = loop.store.list("ground-truth/")
    assert len(loop.store.read(key).split(b"\n")) == len(sent) + 1, "one line each, none of them blank"
    assert record_labels(loop.target, "prod", [], LABELLED_AT) is None


@pytest.mark.parametrize("last_is_right", [True, False])
def test_of_labels_that_do_not_agree_the_last_wins(
    loop: Loop, sent: tuple[PlannedRequest, ...], last_is_right: bool
) -> None:
    wrong = [GroundTruth(sent[0].inference_id, tuple(9e6 for _ in sent[0].truth.labels))]
    right = [request.truth for request in sent]
    order = (wrong, right) if last_is_right else (right, wrong)
    for hour, truths in enumerate(order):
        record_labels(loop.target, "prod", truths, LABELLED_AT.replace(hour=hour))
    execution = judge(loop, QUALITY)
    assert execution.notes == (
        "1 labels that a later one replaced",
        "1 ids whose labels do not agree; the last one counts",
    )
    assert (execution.status is Status.COMPLETED) is last_is_right


def test_a_label_that_is_no_number_is_as_good_as_none(loop: Loop, sent: tuple[PlannedRequest, ...]) -> None:
    one = next(request for request in sent if request.rows == 1)
    label(loop, [request for request in sent if request is not one])
    record_labels(loop.target, "prod", [GroundTruth(one.inference_id, ("withdrawn",))], LABELLED_AT)
    execution = judge(loop, QUALITY)
    assert execution.notes == ("1 rows whose label is no number",)
    assert (execution.rows, execution.status) == (59, Status.COMPLETED)


def test_requests_with_another_number_of_labels_are_not_joined(
    loop: Loop, sent: tuple[PlannedRequest, ...]
) -> None:
    large = max(sent, key=lambda request: request.rows)
    label(loop, [request for request in sent if request is not large])
    record_labels(loop.target, "prod", [GroundTruth(large.inference_id, (1.0,))], LABELLED_AT)
    notes = judge(loop, QUALITY).notes
    assert "1 requests with another number of labels than rows" in notes


@pytest.mark.usefixtures("sent")
def test_an_execution_is_in_the_log(loop: Loop) -> None:
    execution = run_monitor(loop.target, DATA, ANA)
    entry = loop.target.trail.entries()[-1].decode()
    assert execution.key in entry
    assert f"{LIVE}-01T00:00:00Z" in entry
