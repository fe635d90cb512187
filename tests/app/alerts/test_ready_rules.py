"""The rules that ship with us: when each fires and when it must not, by our evaluator and by promtool."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests import promtool
from tests.app.loop import write_project
from tests.promtool import needs_promtool
from tests.shared import CHECKOUT
from watchkeeper.app.setup.init import template_folder
from watchkeeper.app.setup.project import load_project
from watchkeeper.core.errors import InputError
from watchkeeper.core.incidents import incidents
from watchkeeper.core.rules import Action, Alert, AlertState, Rule, Severity, evaluate
from watchkeeper.core.values import Sample, labels_of

START = datetime(1970, 1, 1, tzinfo=UTC)  # promtool's own
EXAMPLE = load_project(template_folder("resale-price"))
RULES = {rule.name: rule for rule in EXAMPLE.rules("prod")}
LABELS = {"endpoint": "resale-price-prod", "environment": "prod", "project": "resale-price"}
GONE = None
Values = Sequence[float | None]

# Rule → what is seen minute by minute, and the minutes at which it fires.
FIRES: dict[str, tuple[Values, Sequence[int]]] = {
    "EndpointDown": ((0, GONE, GONE, GONE, GONE, GONE, GONE, 0), (6,)),
    "EndpointErrors": ((0, *[0.02] * 7, 0), (6, 7)),
    "EndpointSlow": ((0.2, *[1.5] * 12, 0.2), (11, 12)),
    "CaptureIncomplete": ((1, 0.98, 1), (1,)),
    "CaptureLagging": ((10, *[901] * 7, 0), (6, 7)),
    "MonitorOverdue": ((0, 3600, 7201, 0), (2,)),
    "ModelQualityDegraded": ((1.0, 1.21, 1.3, 1.0), (1, 2)),
    "EndpointRefusals": ((0, *[0.5] * 17, 0), (16, 17)),
    "EndpointIdle": ((604_800, 604_801, 3), (1,)),
    "DiskFilling": ((0.5, *[0.01] * 6, 0.5), (6,)),
    "DataQualityViolations": ((0, 1, 0), (1,)),
    "DriftPersists": ((0, 1, 2, 3, 1), (2, 3)),
    "AttributionShift": ((1, 2, 1), (1,)),
    "BiasWorse": ((1, 2, 0), (1,)),
    "LabelsMissing": ((1, 0.89, 0.95), (1,)),
    "MonitorWithoutVerdict": ((0, 1, 2, 3, 0), (3,)),
    "BaselineOld": ((34_560_000, 34_560_001), (1,)),
}

# Rule → what must not make it fire, however near it comes.
SILENT: dict[str, Values] = {
    "EndpointDown": (0, GONE, GONE, GONE, GONE, 0, GONE, GONE, GONE, GONE, 0),  # restarts of four minutes
    "EndpointErrors": (0.01, *[0.5] * 4, 0, *[0.5] * 4, 0),  # bursts of four minutes, and the bound itself
    "EndpointSlow": (*[3.0] * 9, 0.1, *[3.0] * 9, 1.0),
    "CaptureIncomplete": (0.99, 1, GONE, 1),  # no request yet: no share of anything
    "CaptureLagging": (900, *[5000] * 4, 0),
    "MonitorOverdue": (0, 7200, 0),
    "ModelQualityDegraded": (1.2, GONE, 0.4),  # awaited labels, and a better window
    "EndpointRefusals": (*[0.9] * 14, 0.2, *[0.9] * 14, 0.0),
    "EndpointIdle": (0, 604_800, GONE),
    "DiskFilling": (0.05, *[0.01] * 4, 0.06),
    "DataQualityViolations": (0, GONE, 0),
    "DriftPersists": (1, 1, 1, 0, 1),  # one window in three, again and again
    "AttributionShift": (1, 1, 0, 1),
    "BiasWorse": (1, 0, 1, 1),
    "LabelsMissing": (0.9, 1, GONE),
    "MonitorWithoutVerdict": (1, 2, 0, 2, 2),
    "BaselineOld": (0, 34_560_000),
}


def told(rule: Rule, values: Values) -> list[bool]:
    """Whether it fires at each minute, as ours has it."""
    alerts: tuple[Alert, ...] = ()
    found = []
    for minute, value in enumerate(values):
        now = START + timedelta(minutes=minute)
        seen = [] if value is GONE else [Sample(rule.metric, labels_of(**LABELS), float(value), now)]
        alerts = evaluate(rule, seen, alerts, now)
        found.append(any(alert.state is AlertState.FIRING for alert in alerts))
    return found


def promtool_test(rule: Rule, values: Values, firing: Sequence[bool]) -> dict[str, Any]:
    return {
        "name": rule.name,
        "interval": "1m",
        "input_series": [promtool.series(rule.metric, LABELS, values)],
        "promql_expr_test": [
            {
                "expr": f'count(ALERTS{{alertname="{rule.name}",alertstate="firing"}})',
                "eval_time": f"{minute}m",
                "exp_samples": [{"value": 1}] if fires else [],
            }
            for minute, fires in enumerate(firing)
        ],
    }


def test_every_rule_has_its_series() -> None:
    assert FIRES.keys() == SILENT.keys() == {name for name in RULES if not name.startswith("Sla")}


@pytest.mark.parametrize("name", FIRES)
def test_it_fires_at_these_minutes_and_no_others(name: str) -> None:
    values, minutes = FIRES[name]
    assert [minute for minute, fires in enumerate(told(RULES[name], values)) if fires] == list(minutes)


@pytest.mark.parametrize("name", SILENT)
def test_it_stays_silent(name: str) -> None:
    assert not any(told(RULES[name], SILENT[name]))


@needs_promtool
def test_promtool_says_the_same_of_all_of_them(tmp_path: Path) -> None:
    cases = [(RULES[name], values) for name, (values, _) in FIRES.items()]
    cases += [(RULES[name], values) for name, values in SILENT.items()]
    tests = [promtool_test(rule, values, told(rule, values)) for rule, values in cases]
    done = promtool.rules_tested(tmp_path, list(RULES.values()), tests)
    assert done.returncode == 0, done.stdout + done.stderr


def test_both_templates_have_the_same_rules_but_for_who_is_told() -> None:
    blank = load_project(template_folder("blank"))
    metrics = {rule.name: rule.metric for rule in blank.rules("prod")}
    assert {name: metric for name, metric in metrics.items() if metric != RULES[name].metric} == {
        "ModelQualityDegraded": f"{RULES['ModelQualityDegraded'].metric}_low"  # its windows may be small
    }
    for rule in blank.rules("prod"):
        of = RULES[rule.name]
        assert (rule.comparison, rule.threshold, rule.lasting, rule.severity, rule.action, rule.incident) == (
            of.comparison, of.threshold, of.lasting, of.severity, of.action, of.incident
        )  # fmt: skip
    assert {rule.name for rule in blank.rules("prod")} == FIRES.keys()


@pytest.mark.parametrize("name", sorted(FIRES.keys() | {"SlaBroken"}))
def test_every_rule_has_a_runbook_with_its_four_parts(name: str) -> None:
    page = (CHECKOUT / "docs" / "runbooks" / f"{name}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {name}\n")
    assert re.findall(r"^\*\*(Means\.|Look here|Do this|Who decides\.)\*\*", page, re.MULTILINE) == [
        "Means.",
        "Look here",
        "Do this",
        "Who decides.",
    ]
    if name in RULES:
        assert RULES[name].runbook_url == f"docs/runbooks/{name}.md"
        assert RULES[name].metric.removeprefix("watchkeeper_") in page


def test_every_runbook_is_of_a_rule() -> None:
    pages = {path.stem for path in (CHECKOUT / "docs" / "runbooks").glob("*.md")}
    assert pages == FIRES.keys() | {"SlaBroken"}


def test_what_may_page_is_nobody_s_threshold() -> None:
    paging = {rule.name for rule in RULES.values() if rule.severity is Severity.CRITICAL}
    assert {name for name in paging if not name.startswith("Sla")} == {
        "EndpointDown",
        "EndpointErrors",
        "EndpointSlow",
        "CaptureIncomplete",
        "CaptureLagging",
        "MonitorOverdue",
        "ModelQualityDegraded",
    }
    assert [rule.name for rule in RULES.values() if rule.action is Action.RETRAIN] == ["ModelQualityDegraded"]


def test_drift_attribution_and_bias_of_an_endpoint_are_one_incident() -> None:
    alerts: list[Alert] = []
    for name in ("DriftPersists", "AttributionShift", "BiasWorse"):
        sample = Sample(RULES[name].metric, labels_of(**LABELS, schedule=name), 2.0, START)
        alerts += evaluate(RULES[name], [sample], (), START)
    (incident,) = incidents(alerts)
    assert len(incident.alerts) == 3


def test_drift_may_not_page_until_its_threshold_was_calibrated(tmp_path: Path) -> None:
    drift = (
        "metric: endpoint_errors_5xx_ratio\n    above: 0.01",
        "metric: data_quality_violated_windows\n    above: 1",
    )
    with pytest.raises(InputError, match=r"alert EndpointErrors: want severity warning.*calibrated: true"):
        load_project(write_project(tmp_path, drift))
    said = (drift[0], f"{drift[1]}\n    calibrated: true")
    assert load_project(write_project(tmp_path, said)).rules("prod")[1].severity is Severity.CRITICAL


def test_a_rule_about_an_interval_s_end_wants_intervals(tmp_path: Path) -> None:
    low = ("metric: model_quality_rmse_baseline_ratio", "metric: model_quality_rmse_baseline_ratio_low")
    with pytest.raises(InputError, match=r"alerts.0.metric: .*want monitors.model-quality.bootstrap with it"):
        load_project(write_project(tmp_path, low))
    intervals = ("    tolerance: 2.0\n", "    tolerance: 2.0\n    bootstrap: 200\n")
    assert load_project(write_project(tmp_path, low, intervals)).rules("prod")[0].metric.endswith("_low")
