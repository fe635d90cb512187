"""Windows whose labels are awaited: what is estimated of them, and what is said when nothing is."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest
import xgboost as xgb

from tests.app.loop import ANA, KIM, LIVE, Loop, copied, model_of, new_loop, train_in
from tests.training.history import sales
from watchkeeper.app.captures.labels import record_labels
from watchkeeper.app.judging.estimating import mixed_within_times
from watchkeeper.app.monitoring.run import run_monitor
from watchkeeper.app.monitoring.schedule import MonitorRun
from watchkeeper.app.pages.reporting import write_execution_page
from watchkeeper.app.registry.executions import executions, exposed, newest_revisions
from watchkeeper.app.registry.models import approve
from watchkeeper.app.replay.reports import execution_report
from watchkeeper.app.replay.traffic import PlannedRequest
from watchkeeper.core.errors import IntegrityError
from watchkeeper.core.values import Status
from watchkeeper.core.windows import month_start

QUALITY = MonitorRun("model-quality", "prod", month_start("2020-07"))
FOLDER = "executions/demo-prod-model-quality/2020/07/01/00/"
ESTIMATOR = "baselines/model-quality/v1/estimator/"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Loop:
    loop = new_loop(tmp_path_factory.mktemp("estimating"))
    train_in(loop)
    approve(loop.target, 1, "prod", KIM, "good figures")
    return loop


@pytest.fixture
def loop(trained: Loop, tmp_path: Path) -> Loop:
    found = copied(trained, tmp_path)
    found.clock.move_to(month_start("2020-06"))
    return found


@pytest.fixture
def sent(loop: Loop, trained: Loop) -> tuple[PlannedRequest, ...]:
    requests = loop.plan()
    loop.send(requests, model_of(trained))
    return requests


def test_both_the_estimate_and_what_came_are_kept(loop: Loop, sent: tuple[PlannedRequest, ...]) -> None:
    first = run_monitor(loop.target, QUALITY, ANA)
    write_execution_page(loop.target, first)
    assert (first.status, first.reason) == (
        Status.AWAITING_LABELS, "0 of 60 rows have a label, want 95%",
    )  # fmt: skip
    assert [(each.metric, each.rows, each.model_version) for each in first.estimates] == [
        ("mae", 60, 1), ("rmse", 60, 1),
    ]  # fmt: skip
    assert all(0 < each.low < each.value < each.high for each in first.estimates)
    low, high = first.estimates[1].low, first.estimates[1].high
    assert execution_report(first).note.endswith(f"want 95%; rmse likely {low:,.0f} to {high:,.0f}")
    said = {sample.metric: sample.value for sample in exposed(loop.store)}
    assert said["watchkeeper_estimated_quality_rmse"] == first.estimates[1].value
    assert "awaiting labels" in loop.store.read(f"{FOLDER}report.html").decode()
    record_labels(loop.target, "prod", [each.truth for each in sent], month_start("2020-06"))
    loop.clock.move_to(month_start("2020-07"))
    then = run_monitor(loop.target, QUALITY, ANA)
    write_execution_page(loop.target, then)
    assert then.status in (Status.COMPLETED, Status.VIOLATIONS)
    assert then.estimates == first.estimates
    assert "likely" not in execution_report(then).note
    assert executions(loop.store) == (first, then)
    assert newest_revisions(executions(loop.store)) == (then,)
    assert "Before the labels came" in loop.store.read(f"{FOLDER}revision-2/report.html").decode()
    assert "watchkeeper_estimated_quality_rmse" not in {sample.metric for sample in then.samples}


def test_a_market_that_moves_is_outside_the_interval_and_then_distrusted(loop: Loop, trained: Loop) -> None:
    """The case that no estimate can see: labels double, inputs are as ever; after three months it says so."""
    for month, due in (("2020-05", "2020-07"), ("2020-06", "2020-08"), ("2020-07", "2020-09")):
        rows = sales().filter(pl.col("month") == LIVE)
        twice = (pl.col("price").cast(pl.Float64) * 2).cast(pl.String)
        dearer = rows.with_columns(month=pl.lit(month), price=twice)
        requests = loop.plan(month, dearer)
        loop.send(requests, model_of(trained))
        run = MonitorRun("model-quality", "prod", month_start(due))
        first = run_monitor(loop.target, run, ANA)
        record_labels(loop.target, "prod", [each.truth for each in requests], requests[-1].labelled_at)
        then = run_monitor(loop.target, run, ANA)
        came = next(s.value for s in then.samples if s.metric == "watchkeeper_model_quality_rmse")
        assert came > 2 * first.estimates[1].high
    loop.send(loop.plan("2020-08", rows.with_columns(month=pl.lit("2020-08"))), model_of(trained))
    last = run_monitor(loop.target, MonitorRun("model-quality", "prod", month_start("2020-10")), ANA)
    assert (
        "estimates are not to be trusted here: what came was outside 3 of 3 intervals that promised to "
        "hold it in 90% of cases"
    ) in last.notes


@pytest.mark.parametrize("kept", ["nothing", "all but the manifest"])
def test_without_an_estimator_it_says_why_there_is_no_estimate(
    loop: Loop, sent: tuple[PlannedRequest, ...], kept: str
) -> None:
    assert sent
    for key in loop.store.list(ESTIMATOR):
        if kept == "nothing" or key.endswith("estimator.json"):
            loop.store.objects.pop(key)
    found = run_monitor(loop.target, QUALITY, ANA)
    assert (found.status, found.estimates) == (Status.AWAITING_LABELS, ())
    assert (
        "no estimate for model v1: model-quality baseline v1 has no estimator, which needs 100 labelled rows"
    ) in found.notes


def test_predictions_that_are_no_numbers_have_no_estimate_and_are_no_end(
    loop: Loop, sent: tuple[PlannedRequest, ...]
) -> None:
    assert sent
    for key in loop.store.list("captures/"):
        asked, *answers = re.split('("mode":"OUTPUT","data":"[^"]+")', loop.store.read(key).decode())
        nothing = [re.sub(r"[0-9]+\.?[0-9]*", "NaN", each) for each in answers[::2]]
        mixed = [each for pair in zip(nothing, answers[1::2], strict=True) for each in pair]
        loop.store.objects[key] = "".join([asked, *mixed]).encode()
    found = run_monitor(loop.target, QUALITY, ANA)
    assert (found.status, found.estimates) == (Status.AWAITING_LABELS, ())
    assert any(
        note.startswith("no estimate for model v1: want finite predictions, got ") for note in found.notes
    ), found.notes


def test_an_estimate_that_breaks_is_on_record_as_failed(
    loop: Loop, sent: tuple[PlannedRequest, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sent

    def broken(*_: object) -> None:
        raise MemoryError("no room")

    monkeypatch.setattr(xgb.Booster, "inplace_predict", broken)
    found = run_monitor(loop.target, QUALITY, ANA)
    assert (found.status, found.reason) == (Status.FAILED, "MemoryError: no room")
    assert executions(loop.store) == (found,)


def test_an_estimator_that_was_changed_stops_whoever_runs_it(
    loop: Loop, sent: tuple[PlannedRequest, ...]
) -> None:
    assert sent
    loop.store.objects[f"{ESTIMATOR}held-out.json"] = b"{}"
    with pytest.raises(IntegrityError, match=r"held-out\.json is not what was written"):
        run_monitor(loop.target, QUALITY, ANA)
    assert executions(loop.store) == ()


def test_rows_of_one_time_are_mixed_and_times_stay_in_order(trained: Loop) -> None:
    """A file sorted by town within each month: a stretch of its rows must not be of one town."""
    schema = model_of(trained).schema
    rows = sales("2020-03", "2020-05").sort("month", "town", descending=[True, False])
    mixed = mixed_within_times(rows, schema)
    assert mixed["month"].to_list() == rows["month"].to_list()
    assert mixed.sort(rows.columns).equals(rows.sort(rows.columns))
    assert mixed[:30]["town"].n_unique() == 3
    assert rows[:10]["town"].n_unique() == 1
    assert mixed_within_times(rows, schema).equals(mixed)
