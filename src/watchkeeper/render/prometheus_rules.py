"""Alert rules as a Prometheus rule file; `core.rules.evaluate` and Prometheus say the same of a series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from watchkeeper.core.errors import InputError
from watchkeeper.core.metrics import METRIC_OF_SERIES
from watchkeeper.core.rules import Comparison, Rule
from watchkeeper.core.windows import Duration

RUNBOOKS = "docs/runbooks"


def rules_yaml(groups: Mapping[str, Sequence[Rule]], runbooks: str = RUNBOOKS, factor: float = 1.0) -> str:
    """The rules of each group in the order given; Prometheus evaluates a group's rules one after the other.

    `runbooks` is where the page `<name>.md` of a rule lies that names none. Durations are divided by
    `factor`, for a rehearsal whose months pass in seconds. Raises InputError for a rule that lasts calendar
    months, which Prometheus cannot say.
    """
    written = [
        {"name": name, "rules": [_rule(rule, runbooks, factor) for rule in rules]}
        for name, rules in groups.items()
    ]
    return yaml.safe_dump({"groups": written}, sort_keys=False, allow_unicode=True, width=1000)


def rule_labels(rule: Rule) -> dict[str, str]:
    """What a rule adds to the labels of its series: who is told, and what is done, goes by them."""
    return {
        "severity": rule.severity.value,
        "action": rule.action.value,
        "incident": rule.incident or rule.name,
    }


def _rule(rule: Rule, runbooks: str, factor: float) -> dict[str, Any]:
    return {
        "alert": rule.name,
        "expr": rule.condition(),
        "for": _prometheus_duration(rule, factor),
        "labels": {**dict(rule.matchers), **rule_labels(rule)},  # by the first no two rules are the same
        "annotations": {
            "summary": _summary(rule),
            **({} if rule.comparison is None else {"value": "{{ $value }}"}),
            "description": _description(rule),
            "runbook_url": rule.runbook_url or f"{runbooks.rstrip('/')}/{rule.name}.md",
        },
    }


def _prometheus_duration(rule: Rule, factor: float) -> str:
    lasting: Duration = rule.lasting
    if lasting.months:
        raise InputError(
            f'write rule {rule.name} for Prometheus, "for": want a duration in weeks, days, hours, minutes '
            f"or seconds, got {lasting}: a month has no fixed length there"
        )
    return f"{round(lasting.seconds / factor * 1000)}ms" if factor != 1.0 else f"{lasting.seconds}s"


def _summary(rule: Rule) -> str:
    """What `core.rules` writes into an alert, with Prometheus' own value in it."""
    if rule.comparison is None:
        return f"{rule.metric} has had no sample for {rule.lasting}"
    direction = "above" if rule.comparison is Comparison.ABOVE else "below"
    return f'{rule.metric} is {{{{ $value | printf "%.6g" }}}}, {direction} {rule.threshold:g}'


def _description(rule: Rule) -> str:
    metric = METRIC_OF_SERIES.get(rule.metric)
    meaning = metric.help if metric else rule.metric
    asks = f"Asks for: {rule.action}."
    if rule.comparison is None:
        return f"{meaning} {asks}"
    where = "{{ $labels.project }}, {{ $labels.environment }}, endpoint {{ $labels.endpoint }}"
    return f"{meaning} Seen on {where}. {asks}"
