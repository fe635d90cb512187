"""What holds of every monitor: each is whole, and they behave alike where nothing can be judged."""

from __future__ import annotations

import pytest

from tests.app.judging.four import MONITORS as ALL_FOUR
from tests.app.judging.four import RUNS
from tests.app.judging.four import loop as loop  # fixtures
from tests.app.judging.four import trained as trained
from tests.app.loop import ANA, LIVE, Loop, model_of
from tests.shared import CHECKOUT
from tests.training.history import sales
from watchkeeper.app.baselines.differences import baseline_diff
from watchkeeper.app.baselines.making import files_of
from watchkeeper.app.captures.labels import record_labels
from watchkeeper.app.judging.judges import JUDGES
from watchkeeper.app.monitoring.run import run_monitor
from watchkeeper.app.pages.reporting import write_execution_page
from watchkeeper.app.registry.baselines import baseline_records
from watchkeeper.app.registry.executions import executions, folder_of
from watchkeeper.app.replay.backfill import Backfill, backfill
from watchkeeper.core.metrics import METRICS
from watchkeeper.core.values import Execution, Status
from watchkeeper.core.windows import Window, month_start

NAMES = list(JUDGES)


def lived(loop: Loop, trained: Loop, a_month: int = 300) -> None:
    """A month of requests and, a month later, their labels."""
    requests = loop.plan(rows=sales(a_month=a_month))
    loop.send(requests, model_of(trained))
    record_labels(loop.target, "prod", [each.truth for each in requests], month_start("2020-06"))


def judged(loop: Loop, name: str) -> Execution:
    execution = run_monitor(loop.target, RUNS[name], ANA)
    write_execution_page(loop.target, execution)
    return execution


@pytest.mark.parametrize("name", NAMES)
def test_a_monitor_has_a_judge_metrics_and_a_page_that_explains_it(name: str) -> None:
    assert JUDGES[name].monitor.name == name
    assert JUDGES[name].files
    prefix = f"watchkeeper_{name.replace('-', '_')}_"
    declared = {metric.name for metric in METRICS if metric.name.startswith(prefix)}
    assert f"{prefix}violations" in declared
    assert len(declared) > 1
    index = (CHECKOUT / "docs" / "index.md").read_text(encoding="utf-8").lower()
    assert name in index or name.replace("-", " ") in index
    assert name in ALL_FOUR or name == "model-quality"


@pytest.mark.parametrize("name", NAMES)
def test_every_monitor_judges_a_month_puts_its_files_down_and_gives_the_same_again(
    loop: Loop, trained: Loop, name: str
) -> None:
    lived(loop, trained)
    execution = judged(loop, name)
    assert execution.status is Status.COMPLETED, execution.reason
    (judgement,) = execution.judgements
    assert judgement.baseline is not None
    assert len(judgement.evidence) == len(judgement.violations)
    folder = folder_of(loop.store, execution)
    held = {key.removeprefix(folder) for key in loop.store.list(folder)}
    assert {JUDGES[name].files[0], "execution.json", "report.html"} <= held
    prefix = f"watchkeeper_{name.replace('-', '_')}_"
    said = {sample.metric for sample in execution.samples}
    assert f"{prefix}violations" in said
    assert said <= {metric.name for metric in METRICS}
    assert judged(loop, name) == execution


@pytest.mark.parametrize("name", NAMES)
def test_every_baseline_has_its_judges_files_and_can_be_compared(loop: Loop, name: str) -> None:
    (record,) = baseline_records(loop.store, name)
    files = files_of(loop.store, record)
    assert tuple(file for file, _ in files.files) == JUDGES[name].files
    assert files.digest == record.digest
    assert baseline_diff(loop.store, record, record).changes == ()


@pytest.mark.parametrize("name", NAMES)
def test_without_traffic_nothing_is_judged_and_nothing_looks_like_a_pass(loop: Loop, name: str) -> None:
    execution = judged(loop, name)
    assert (execution.status, execution.judgements) == (Status.NO_TRAFFIC, ())
    assert not any(sample.metric.endswith("_violations") for sample in execution.samples)


@pytest.mark.parametrize("name", NAMES)
def test_a_few_rows_are_no_verdict(loop: Loop, trained: Loop, name: str) -> None:
    lived(loop, trained, a_month=19)
    execution = judged(loop, name)
    assert execution.status is Status.INSUFFICIENT_DATA
    assert "19 rows of model v1, want at least 20" in execution.reason


@pytest.mark.parametrize("name", NAMES)
def test_a_baseline_that_cannot_be_read_fails_that_monitor_alone(
    loop: Loop, trained: Loop, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived(loop, trained)

    def broken(*_: object) -> None:
        raise RuntimeError("the disk is on fire")

    monkeypatch.setattr("watchkeeper.app.monitoring.verdicts.files_of", broken)
    failed = judged(loop, name)
    monkeypatch.undo()
    assert (failed.status, failed.reason) == (Status.FAILED, "RuntimeError: the disk is on fire")
    assert not any(sample.metric.endswith("_violations") for sample in failed.samples)
    others = [judged(loop, each) for each in NAMES if each != name]
    assert {each.status for each in others} == {Status.COMPLETED}


@pytest.mark.parametrize("name", NAMES)
def test_every_monitor_can_be_run_on_the_past(loop: Loop, trained: Loop, name: str) -> None:
    lived(loop, trained)
    loop.clock.move_to(month_start("2020-08"))
    month = Window(month_start(LIVE), month_start("2020-06"))
    done = backfill(loop.target, Backfill(name, "prod", month), ANA, lambda _: None)
    assert [each.status for each in done.executions] == [Status.COMPLETED]
    assert done.executions == executions(loop.store)
    assert loop.store.list(f"{folder_of(loop.store, done.executions[0])}report.html")
    assert backfill(loop.target, Backfill(name, "prod", month), ANA, lambda _: None).stored == 1


def test_model_quality_and_bias_wait_for_labels() -> None:
    assert {name: judge.needs_labels for name, judge in JUDGES.items()} == {
        "data-quality": False,
        "model-quality": True,
        "explainability": False,
        "bias": True,
    }
