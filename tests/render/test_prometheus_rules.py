"""Rules: `core.rules.evaluate` and Prometheus' own promtool say the same of a series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import promtool
from tests.promtool import needs_promtool
from watchkeeper.core.errors import InputError
from watchkeeper.core.rules import Action, Alert, AlertState, Comparison, Rule, Severity, evaluate
from watchkeeper.core.values import Sample, labels_of
from watchkeeper.core.windows import Duration
from watchkeeper.render.prometheus_rules import rule_labels, rules_yaml

START = datetime(1970, 1, 1, tzinfo=UTC)  # promtool's own
METRIC = "watchkeeper_model_quality_rmse_baseline_ratio"
LABELS = {"project": "resale-price", "environment": "prod", "endpoint": "resale-price"}
Values = Sequence[float | None]

ABOVE = Rule(
    name="ModelQualityDegraded",
    metric=METRIC,
    comparison=Comparison.ABOVE,
    threshold=1.25,
    lasting=Duration(),
    severity=Severity.CRITICAL,
    action=Action.RETRAIN,
    notify=("mlops",),
)


def rule(minutes: int = 0, comparison: Comparison | None = Comparison.ABOVE, threshold: float = 1.25) -> Rule:
    return replace(ABOVE, lasting=Duration(seconds=60 * minutes), comparison=comparison, threshold=threshold)


CASES: dict[str, tuple[Rule, Values]] = {
    "silent below": (rule(), (1.0, 1.1, 1.2)),
    "equal is not above": (rule(), (1.25, 1.25, 1.2500000000000002)),
    "equal is not below": (rule(comparison=Comparison.BELOW), (1.25, 1.2499999999999998)),
    "fires at once without for": (rule(), (1.0, 1.3, 1.0)),
    "pending then firing": (rule(3), (1.0, 1.3, 1.3, 1.3, 1.3, 1.3)),
    "pending dropped": (rule(3), (1.3, 1.3, 1.3, 1.0, 1.0)),
    "one minute": (rule(1), (1.3, 1.3, 1.0)),
    "resolved and again": (rule(1), (1.3, 1.3, 1.0, 1.3, 1.3)),
    "flapping never fires": (rule(2), (1.3, 1.0, 1.3, 1.0, 1.3, 1.0, 1.3)),
    "flapping without for": (rule(), (1.3, 1.0, 1.3, 1.0)),
    "below": (rule(2, Comparison.BELOW, 0.9), (0.95, 0.8, 0.7, 0.6, 1.0)),
    "below zero": (rule(0, Comparison.BELOW, -0.05), (-0.04, -0.06, 0.0)),
    "a threshold of many digits": (rule(threshold=1234567.25), (1234567.0, 1234567.25, 1234567.5)),
    "a whole threshold": (rule(threshold=0.0), (0.0, 1.0, 0.0)),
    "a series that ends": (rule(1), (1.3, 1.3, 1.3, None, None)),
    "a series with a gap": (rule(2), (1.3, 1.3, None, 1.3, 1.3, 1.3)),
    "absent": (rule(2, None), (1.0, None, None, None, None, 1.0)),
    "absent with environment": (
        replace(rule(0, None), matchers=(("environment", "prod"),)),
        (1.0, None, None),
    ),
    "another environment": (replace(rule(), matchers=(("environment", "uat"),)), (1.3, 1.3)),
    "this environment": (replace(rule(1), matchers=(("environment", "prod"),)), (1.3, 1.3)),
    "a label with quotes": (replace(rule(), matchers=(("endpoint", 'say "é" \\ 🙂'),)), (1.3, 1.3)),
}


def our_story(asked: Rule, values: Values) -> list[list[AlertState]]:
    """The states of the open alerts at each minute, as `evaluate` has them."""
    alerts: tuple[Alert, ...] = ()
    story = []
    for minute, value in enumerate(values):
        now = START + timedelta(minutes=minute)
        seen = [] if value is None else [Sample(asked.metric, labels_of(**LABELS), value, now)]
        alerts = evaluate(asked, seen, alerts, now)
        story.append([alert.state for alert in alerts if alert.open])
    return story


def promtool_test(asked: Rule, values: Values, firing: Sequence[bool]) -> dict[str, Any]:
    """A promtool test: at each minute, whether the alert fires; ALERTS tells the pending ones."""
    expected = {"exp_labels": _labels(asked), "exp_annotations": {"summary": "*"}}
    return {
        "interval": "1m",
        "input_series": [promtool.series(asked.metric, LABELS, values)],
        "alert_rule_test": [
            {"eval_time": f"{m}m", "alertname": asked.name, "exp_alerts": [expected] if fires else []}
            for m, fires in enumerate(firing)
        ],
    }


def _labels(asked: Rule) -> dict[str, str]:
    return dict(asked.matchers) if asked.comparison is None else LABELS


def states_test(asked: Rule, values: Values, story: Sequence[Sequence[AlertState]]) -> dict[str, Any]:
    """A promtool test of ALERTS, Prometheus' own series of pending and firing alerts."""
    made = promtool_test(asked, values, [])
    del made["alert_rule_test"]
    made["promql_expr_test"] = [
        {
            "expr": f'count by (alertstate) (ALERTS{{alertname="{asked.name}"}})',
            "eval_time": f"{minute}m",
            "exp_samples": [{"labels": f'{{alertstate="{state.value}"}}', "value": 1} for state in states],
        }
        for minute, states in enumerate(story)
    ]
    return made


@needs_promtool
@pytest.mark.parametrize("case", CASES)
def test_we_say_of_a_series_what_prometheus_says(case: str, tmp_path: Path) -> None:
    asked, values = CASES[case]
    done = promtool.rules_tested(tmp_path, [asked], [states_test(asked, values, our_story(asked, values))])
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_a_wrong_story_is_found(tmp_path: Path) -> None:
    asked, values = CASES["pending then firing"]
    wrong = [[AlertState.FIRING] if states else [] for states in our_story(asked, values)]
    assert promtool.rules_tested(tmp_path, [asked], [states_test(asked, values, wrong)]).returncode != 0


@needs_promtool
def test_prometheus_takes_every_rule(tmp_path: Path) -> None:
    asked = [replace(asked, name=f"Case{n}") for n, (asked, _) in enumerate(CASES.values())]
    (tmp_path / "rules.yaml").write_text(rules_yaml({"watchkeeper": asked}), encoding="utf-8")
    done = promtool.run("promtool", "check", "rules", str(tmp_path / "rules.yaml"))
    assert done.returncode == 0, done.stderr
    assert f"{len(asked)} rules found" in done.stdout


@needs_promtool
def test_labels_and_annotations_of_a_firing_alert(tmp_path: Path) -> None:
    made = promtool_test(rule(), (1.3,), [True])
    expected = made["alert_rule_test"][0]["exp_alerts"][0]
    expected["exp_labels"] = {**LABELS, **rule_labels(rule())}
    expected["exp_annotations"] = {
        "summary": f"{METRIC} is 1.3, above 1.25",
        "description": "Root mean squared error of the newest labelled window over the baseline's. "
        "Seen on resale-price, prod, endpoint resale-price. Asks for: retrain.",
        "value": "1.3",
        "runbook_url": "docs/runbooks/ModelQualityDegraded.md",
    }
    done = promtool.rules_tested(tmp_path, [rule()], [made])
    assert done.returncode == 0, done.stdout + done.stderr
    assert (
        evaluate(rule(), [Sample(METRIC, labels_of(**LABELS), 1.3, START)], (), START)[0].summary
        == (expected["exp_annotations"]["summary"])
    )


def test_the_file_has_one_group_in_the_order_given() -> None:
    written = yaml.safe_load(
        rules_yaml({"prod": [rule(5), replace(rule(comparison=None), name="Silence")]}, "https://runbooks")
    )
    (group,) = written["groups"]
    assert group["name"] == "prod"
    assert [(r["alert"], r["expr"], r["for"]) for r in group["rules"]] == [
        ("ModelQualityDegraded", f"{METRIC} > 1.25", "300s"),
        ("Silence", f"absent({METRIC})", "0s"),
    ]
    assert group["rules"][1]["annotations"]["runbook_url"] == "https://runbooks/Silence.md"


def test_a_rule_that_lasts_months_is_refused() -> None:
    with pytest.raises(InputError, match=r"ModelQualityDegraded.*got 2 months"):
        rules_yaml({"prod": [replace(rule(), lasting=Duration(months=2))]})


def test_durations_are_scaled_with_the_rehearsal_s_months() -> None:
    written = yaml.safe_load(rules_yaml({"prod": [rule(5)]}, factor=1000))
    assert written["groups"][0]["rules"][0]["for"] == "300ms"
