"""Promises: what the project file takes, who watches which, and what a broken one is."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from tests.app.loop import ANA, KIM, PROJECT, Loop, bring_to_prod, model_of, new_loop, train_in, write_project
from tests.training.history import sales
from watchkeeper.app.alerts.alerting import evaluate_rules
from watchkeeper.app.baselines.making import BaselineFor
from watchkeeper.app.baselines.suggesting import suggest_baseline
from watchkeeper.app.captures.labels import record_labels
from watchkeeper.app.monitoring.run import run_monitor
from watchkeeper.app.monitoring.schedule import MonitorRun
from watchkeeper.app.registry.approval import Word, approve_baseline
from watchkeeper.app.registry.executions import exposed
from watchkeeper.app.setup.alert_sections import SLA_METRICS
from watchkeeper.app.setup.project import load_project
from watchkeeper.core.errors import InputError
from watchkeeper.core.rules import AlertState
from watchkeeper.core.values import Execution, GroundTruth, Sample, Status
from watchkeeper.core.windows import month_start
from watchkeeper.monitors.data_quality_slas import evaluated_by
from watchkeeper.monitors.data_quality_values import Sla
from watchkeeper.serving.counters import VariantCounters

RECEIVERS = "receivers:\n"
ERROR = "{name: error, metric: model_quality_mape, at_most: 0.2, owner: mlops, reference: SLA 4.2}"
FULL = "{name: full-area, metric: data_quality_completeness_ratio, at_least: 0.9, column: area, owner: data}"
FAST = "{name: p95-latency, metric: endpoint_request_p95_seconds, at_most: 0.25, owner: mlops}"
LATE = "{name: labels, metric: labels_oldest_missing_seconds, at_most: 86400, owner: nobody-here}"


def promising(*slas: str) -> tuple[str, str]:
    lines = "".join(f"  - {sla}\n" for sla in slas)
    return RECEIVERS, f"slas:\n{lines}{RECEIVERS}"


def loop_with(folder: Path, *slas: str) -> Loop:
    """A model in prod that has answered May 2020, in June."""
    loop = new_loop(folder, promising(*slas))
    train_in(loop)
    bring_to_prod(loop)
    return loop


def label(loop: Loop, factor: float = 1.0, leave_out: int = 0) -> None:
    requests = loop.plan()
    loop.send(requests, model_of(loop))
    truths = [
        GroundTruth(each.inference_id, tuple(factor * float(price) for price in each.truth.labels))
        for each in requests[leave_out:]
    ]
    record_labels(loop.target, "prod", truths, month_start("2020-06"))


def judge(loop: Loop, monitor: str, month: str) -> Execution:
    loop.clock.move_to(month_start(month))
    return run_monitor(loop.target, MonitorRun(monitor, "prod", month_start(month)), ANA)


def value(samples: tuple[Sample, ...], metric: str, **labels: str) -> float:
    (found,) = [s for s in samples if s.metric == metric and labels.items() <= dict(s.labels).items()]
    return found.value


@pytest.mark.parametrize(
    ("sla", "fault"),
    [
        ("{name: x, metric: model_quality_mape, owner: a}", "want one of at_most and at_least, got none"),
        (
            "{name: x, metric: model_quality_mape, at_most: 1, at_least: 0, owner: a}",
            "want one of at_most and at_least, got both",
        ),
        ("{name: x, metric: model_quality_map, at_most: 1, owner: a}", 'did you mean "model_quality_mape"?'),
        ("{name: x, metric: monitor_rows, at_most: 1, owner: a}", 'unknown metric of an sla "monitor_rows"'),
        (
            "{name: x, metric: endpoint_requests_total, at_most: 1, owner: a}",
            'unknown metric of an sla "endpoint_requests_total"',
        ),
        ("{name: x, metric: model_quality_mape, at_most: 1, column: area, owner: a}", "want a column for"),
        (
            "{name: x, metric: data_quality_completeness_ratio, at_least: 1, column: aera, owner: a}",
            'unknown column "aera"; did you mean "area"?',
        ),
        ("{name: x, metric: model_quality_mape, at_most: .inf, owner: a}", "finite number"),
        ("{name: 4 x, metric: model_quality_mape, at_most: 1, owner: a}", "slas.0.name"),
    ],
)
def test_a_promise_that_cannot_be_watched_is_refused_with_its_line(
    tmp_path: Path, sla: str, fault: str
) -> None:
    line = PROJECT.splitlines().index(RECEIVERS.strip()) + 2
    with pytest.raises(InputError, match=re.escape(fault)) as refused:
        load_project(write_project(tmp_path, promising(sla)))
    assert f"watchkeeper.yaml:{line}: slas.0" in str(refused.value)


def test_two_promises_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="sla labels: want a name of its own, got it twice"):
        load_project(write_project(tmp_path, promising(LATE, LATE)))


@pytest.mark.parametrize("metric", SLA_METRICS)
def test_every_metric_that_can_be_promised_has_someone_who_watches_it(metric: str) -> None:
    assert evaluated_by(Sla("x", metric, "a", at_most=1.0)) is not None


def test_a_promise_about_an_endpoint_or_its_labels_is_a_rule_for_its_owner(tmp_path: Path) -> None:
    project = load_project(write_project(tmp_path, promising(ERROR, FULL, FAST, LATE)))
    rules = {rule.name: rule for rule in project.rules("prod")}
    assert set(rules) == {"ModelQualityDegraded", "EndpointErrors", "SlaP95Latency", "SlaLabels"}
    fast = rules["SlaP95Latency"]
    assert fast.condition().endswith("> 0.25")
    assert (fast.metric, fast.notify) == ("watchkeeper_endpoint_request_p95_seconds", ("mlops",))
    assert rules["SlaLabels"].notify == (), "an owner who is no receiver is told by nobody"


def test_a_broken_error_ceiling_is_a_violation_of_its_own_and_a_sample(tmp_path: Path) -> None:
    loop = loop_with(tmp_path, ERROR)
    label(loop, factor=1.5)
    execution = judge(loop, "model-quality", "2020-07")
    (broken,) = [each for each in execution.violations if each.check == "sla_check"]
    assert broken.subject == "mape"
    assert broken.description.startswith('SLA "error" is broken (owner mlops, SLA 4.2). Expected:')
    assert value(execution.samples, "watchkeeper_sla_violations", sla="error") == 1.0


def test_a_kept_promise_is_a_sample_of_nothing_broken(tmp_path: Path) -> None:
    loop = loop_with(tmp_path, ERROR)
    label(loop)
    execution = judge(loop, "model-quality", "2020-07")
    assert execution.status is Status.COMPLETED
    assert value(execution.samples, "watchkeeper_sla_violations", sla="error") == 0.0


def test_an_alert_rule_can_select_broken_promises(tmp_path: Path) -> None:
    loop = new_loop(
        tmp_path,
        promising(ERROR),
        ("metric: model_quality_rmse_baseline_ratio\n    above: 1.5", "metric: sla_violations\n    above: 0"),
    )
    train_in(loop)
    bring_to_prod(loop)
    label(loop, factor=1.5)
    judge(loop, "model-quality", "2020-07")
    (alert,) = evaluate_rules(loop.target, "prod", exposed(loop.store, "prod")).open
    assert (alert.name, alert.state) == ("ModelQualityDegraded", AlertState.FIRING)
    assert ("sla", "error") in alert.labels


def test_completeness_that_was_promised_is_asked_where_the_baseline_asks_less(tmp_path: Path) -> None:
    loop = loop_with(tmp_path, FULL)
    half = sales().with_columns(
        prediction=pl.col("price"),
        area=pl.when(pl.int_range(pl.len()) % 2 == 0).then(pl.col("area")),
    )
    half.tail(60).write_csv(tmp_path / "half.csv")
    record = suggest_baseline(loop.target, BaselineFor("data-quality", 1), tmp_path / "half.csv", ANA)
    approve_baseline(loop.target, record, Word("prod", KIM, ""))
    loop.send(loop.plan(), model_of(loop))
    execution = judge(loop, "data-quality", "2020-06")
    assert (
        'completeness of area is asked by SLA "full-area", all else by the baseline\'s data'
        in execution.notes
    )
    assert not [each for each in execution.violations if each.check in ("sla_check", "completeness_check")]
    assert value(execution.samples, "watchkeeper_sla_violations", sla="full-area") == 0.0


def test_a_column_with_less_than_was_promised_breaks_it(tmp_path: Path) -> None:
    loop = loop_with(tmp_path, FULL.replace("area", "town"))
    third = sales().with_columns(town=pl.when(pl.int_range(pl.len()) % 3 > 0).then(pl.col("town")))
    loop.send(loop.plan(rows=third), model_of(loop))
    execution = judge(loop, "data-quality", "2020-06")
    (broken,) = [each for each in execution.violations if each.check == "sla_check"]
    assert (broken.subject, broken.threshold) == ("town", 0.9)
    assert value(execution.samples, "watchkeeper_sla_violations", sla="full-town") == 1.0


def test_another_promise_makes_another_execution(tmp_path: Path) -> None:
    loop = loop_with(tmp_path, ERROR)
    label(loop)
    first = judge(loop, "model-quality", "2020-07")
    file = tmp_path / "watchkeeper.yaml"
    file.write_text(file.read_text().replace("at_most: 0.2", "at_most: 0.0001"))
    loop.target = replace(loop.target, project=load_project(tmp_path))
    second = judge(loop, "model-quality", "2020-07")
    assert first.key != second.key
    assert [each.check for each in second.violations] == ["sla_check"]


def test_the_age_of_the_oldest_missing_label_is_a_sample_that_fires_its_rule(tmp_path: Path) -> None:
    loop = loop_with(tmp_path, LATE)
    label(loop, leave_out=1)
    oldest = loop.plan()[0].time
    execution = judge(loop, "model-quality", "2020-07")
    age = value(execution.samples, "watchkeeper_labels_oldest_missing_seconds")
    assert age == (month_start("2020-07") - oldest).total_seconds()
    fired = evaluate_rules(loop.target, "prod", exposed(loop.store, "prod")).open
    assert [alert.name for alert in fired] == ["SlaLabels"]


def test_without_a_missing_label_there_is_no_age(tmp_path: Path) -> None:
    loop = loop_with(tmp_path, LATE)
    label(loop)
    execution = judge(loop, "model-quality", "2020-07")
    assert not [s for s in execution.samples if s.metric == "watchkeeper_labels_oldest_missing_seconds"]


def test_p95_is_the_nearest_rank_of_recent_requests() -> None:
    counters = VariantCounters({})
    at = month_start("2020-05")
    assert not [s for s in counters.samples(at) if s.metric == "watchkeeper_endpoint_request_p95_seconds"]
    for milliseconds in range(1, 101):
        counters.answered(200, milliseconds / 1000)
    assert value(counters.samples(at), "watchkeeper_endpoint_request_p95_seconds") == 0.095
