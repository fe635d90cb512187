"""Of 500 rules and series drawn at random `evaluate` and promtool tell the same story, minute by minute.

The story is that of Prometheus' own series ALERTS: which alerts are pending and which are firing, with all
of their labels; and of each firing alert its summary, which holds the value.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests import promtool
from tests.promtool import needs_promtool
from watchkeeper.core.rules import Action, Alert, AlertState, Comparison, Rule, Severity, evaluate
from watchkeeper.core.values import Sample, labels_of
from watchkeeper.core.windows import Duration
from watchkeeper.render.prometheus_rules import rule_labels

START = datetime(1970, 1, 1, tzinfo=UTC)  # promtool's own
PAIRS, BATCH, MINUTES = 500, 10, 14  # promtool evaluates every rule of a batch in every test of it
METRICS = ("watchkeeper_model_quality_rmse_baseline_ratio", "watchkeeper_data_quality_violations")
THRESHOLDS = (0.0, 1.0, -0.05, 1.25, 0.01, 1234567.25, 1e-9)
Series = Mapping[tuple[str, tuple[tuple[str, str], ...]], Sequence[float | None]]


@dataclass(frozen=True, slots=True)
class Pair:
    """A rule, and the values of each series at each minute."""

    rule: Rule
    series: Series


def drawn(chance: random.Random, number: int) -> Pair:
    """A rule of a name of its own, beside up to five series of which some are its own."""
    threshold = chance.choice(THRESHOLDS)
    rule = Rule(
        name=f"Rule{number}",
        metric=chance.choice(METRICS),
        comparison=chance.choice([Comparison.ABOVE, Comparison.ABOVE, Comparison.BELOW, None]),
        threshold=threshold,
        lasting=Duration(seconds=chance.choice([0, 0, 60, 120, 180, 300, 90, 30])),
        severity=chance.choice(list(Severity)),
        action=chance.choice(list(Action)),
        notify=(),
        matchers=chance.choice([(), (("environment", "prod"),), (("environment", "prod"), ("project", "p"))]),
        incident=chance.choice(["", "drift"]),
    )
    keys = {_key(chance) for _ in range(chance.randint(0, 5))}
    return Pair(rule, {key: _values(chance, threshold) for key in sorted(keys)})


def _key(chance: random.Random) -> tuple[str, tuple[tuple[str, str], ...]]:
    labels = labels_of(
        project="p",
        environment=chance.choice(["dev", "prod", "prod"]),
        endpoint=chance.choice(["a", "b"]),
        feature=chance.choice(["town", 'say "é" \\', "storey"]),
    )
    return chance.choice(METRICS), labels


def _values(chance: random.Random, threshold: float) -> list[float | None]:
    """Values that stay for a while, close to the threshold, on it, far from it, and gone."""
    near = (threshold, threshold + 1e-7, threshold - 1e-7, threshold * 2 + 1, threshold - 3.5, None)
    found: list[float | None] = []
    while len(found) < MINUTES:
        found += [chance.choice(near)] * chance.choice([1, 1, 2, 3, 5])
    return found[:MINUTES]


def story(pair: Pair) -> Iterator[tuple[Alert, ...]]:
    """The open alerts after each minute's evaluation, as ours has them."""
    alerts: tuple[Alert, ...] = ()
    for minute in range(MINUTES):
        now = START + timedelta(minutes=minute)
        seen = [
            Sample(metric, labels, value, now)
            for (metric, labels), values in pair.series.items()
            if (value := values[minute]) is not None
        ]
        alerts = evaluate(pair.rule, seen, alerts, now)
        yield tuple(alert for alert in alerts if alert.open)


def asked_of_promtool(pair: Pair, told: Sequence[Sequence[Alert]]) -> dict[str, Any]:
    """A promtool test that holds when Prometheus tells this story."""
    own = rule_labels(pair.rule)
    return {
        "name": pair.rule.name,
        "interval": "1m",
        "input_series": [
            promtool.series(metric, {name: _escaped(value) for name, value in labels}, values)
            for (metric, labels), values in pair.series.items()
        ],
        "promql_expr_test": [
            {
                "expr": f'ALERTS{{alertname="{pair.rule.name}"}}',
                "eval_time": f"{minute}m",
                "exp_samples": [{"labels": _alerts_series(pair.rule, alert), "value": 1} for alert in alerts],
            }
            for minute, alerts in enumerate(told)
        ],
        "alert_rule_test": [
            {
                "eval_time": f"{minute}m",
                "alertname": pair.rule.name,
                "exp_alerts": [
                    {
                        "exp_labels": {**dict(alert.labels), **own},
                        "exp_annotations": {"summary": alert.summary},
                    }
                    for alert in alerts
                    if alert.state is AlertState.FIRING
                ],
            }
            for minute, alerts in enumerate(told)
        ],
    }


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def _alerts_series(rule: Rule, alert: Alert) -> str:
    labels = {
        "alertname": rule.name,
        "alertstate": alert.state.value,
        **dict(alert.labels),
        **rule_labels(rule),
    }
    return "ALERTS{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


@needs_promtool
@pytest.mark.parametrize("batch", range(PAIRS // BATCH))
def test_we_tell_of_random_series_what_prometheus_tells(batch: int, tmp_path: Path) -> None:
    chance = random.Random(batch)
    pairs = [drawn(chance, number) for number in range(BATCH)]
    told = [list(story(pair)) for pair in pairs]
    assert any(alerts for each in told for alerts in each)
    tests = [asked_of_promtool(pair, each) for pair, each in zip(pairs, told, strict=True)]
    done = promtool.rules_tested(tmp_path, [pair.rule for pair in pairs], tests, summary_alone=True)
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]


@needs_promtool
def test_a_story_that_is_wrong_in_one_minute_is_found(tmp_path: Path) -> None:
    chance = random.Random(7)
    pair = next(
        each for each in (drawn(chance, number) for number in range(100)) if any(map(len, list(story(each))))
    )
    told = list(story(pair))
    minute = next(number for number, alerts in enumerate(told) if alerts)
    wrong = [*told[:minute], (replace(told[minute][0], state=AlertState.RESOLVED),), *told[minute + 1 :]]
    done = promtool.rules_tested(tmp_path, [pair.rule], [asked_of_promtool(pair, wrong)], summary_alone=True)
    assert done.returncode != 0
