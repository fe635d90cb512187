"""Alerts begin, fire and resolve as Prometheus' do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from watchkeeper.core.rules import Action, Alert, AlertState, Comparison, Rule, Severity, evaluate
from watchkeeper.core.values import Sample, labels_of
from watchkeeper.core.windows import Duration

START = datetime(2020, 1, 1, tzinfo=UTC)
PROD = labels_of(environment="prod", project="p")


def rule(comparison: Comparison | None = Comparison.ABOVE, lasting: str = "0m") -> Rule:
    return Rule(
        "Degraded",
        "watchkeeper_x",
        comparison,
        1.25,
        Duration.parse(lasting),
        Severity.CRITICAL,
        Action.RETRAIN,
        ("mlops",),
        PROD,
    )


def states(values: list[float | None], checked: Rule) -> list[str]:
    """The state after each minute's evaluation; "" for inactive, and a number of series at most one."""
    alerts: tuple[Alert, ...] = ()
    found = []
    for minute, value in enumerate(values):
        now = START + timedelta(minutes=minute)
        samples = [] if value is None else [Sample("watchkeeper_x", PROD, value, now)]
        alerts = evaluate(checked, samples, alerts, now)
        found.append(alerts[0].state.value if alerts else "")
    return found


def test_without_a_duration_an_alert_fires_at_once() -> None:
    assert states([1.0, 1.3, 1.3, 1.0, 1.0], rule()) == ["", "firing", "firing", "resolved", ""]


def test_a_threshold_that_is_met_exactly_does_not_count() -> None:
    assert states([1.25, 1.2500001], rule()) == ["", "firing"]
    assert states([1.25, 1.2499999], rule(Comparison.BELOW)) == ["", "firing"]


def test_with_a_duration_it_is_pending_first() -> None:
    assert states([2, 2, 2, 2, 1], rule(lasting="2m")) == [
        "pending",
        "pending",
        "firing",
        "firing",
        "resolved",
    ]


def test_a_pending_alert_that_ends_is_dropped_without_a_word() -> None:
    assert states([2, 1, 2, 2, 2], rule(lasting="2m")) == ["pending", "", "pending", "pending", "firing"]


def test_a_series_that_is_gone_resolves() -> None:
    assert states([2, None, None], rule()) == ["firing", "resolved", ""]


def test_absence_fires_for_its_duration_and_ends_with_the_first_sample() -> None:
    assert states([None, None, None, 5.0], rule(None, "2m")) == ["pending", "pending", "firing", "resolved"]


def test_each_series_is_an_alert_of_its_own_and_other_environments_are_not_asked() -> None:
    samples = [
        Sample("watchkeeper_x", labels_of(environment="prod", project="p", schedule=name), 2.0, START)
        for name in ("a", "b")
    ]
    other = Sample("watchkeeper_x", labels_of(environment="dev", project="p"), 9.0, START)
    found = evaluate(rule(), [*samples, other], (), START)
    assert [dict(alert.labels)["schedule"] for alert in found] == ["a", "b"]
    assert len({alert.fingerprint for alert in found}) == 2


def test_the_time_it_fired_is_kept() -> None:
    first = evaluate(rule(), [Sample("watchkeeper_x", PROD, 2.0, START)], (), START)
    later = evaluate(rule(), [Sample("watchkeeper_x", PROD, 3.0, START)], first, START + timedelta(hours=1))
    assert later[0].fired_at == START
    assert later[0].value == 3.0
    assert later[0].summary == "watchkeeper_x is 3, above 1.25"


@pytest.mark.parametrize(
    ("checked", "text"),
    [
        (rule(), 'watchkeeper_x{environment="prod",project="p"} > 1.25'),
        (rule(None), 'absent(watchkeeper_x{environment="prod",project="p"})'),
    ],
)
def test_the_condition_is_promql(checked: Rule, text: str) -> None:
    assert checked.condition() == text
    assert AlertState.FIRING.value == "firing"
