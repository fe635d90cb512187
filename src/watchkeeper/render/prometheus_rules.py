"""Alert rules as a Prometheus rule file; `core.rules.evaluate` and Prometheus say the same of a series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from watchkeeper.core.errors import InputError
from watchkeeper.core.metrics import METRIC_OF_SERIES
from watchkeeper.core.rules import Comparison, Rule
from watchkeeper.core.windows import Duration

RUNBOOKS = "docs/runbooks"


def rules_yaml(rules: Sequence[Rule], runbooks: str = RUNBOOKS) -> str:
    """The rules as one group named `watchkeeper`, in the order given.

    `runbooks` is where a rule's page `<name>.md` lies. Raises InputError for a rule that lasts
    calendar months, which Prometheus cannot say.
    """
    group = {"name": "watchkeeper", "rules": [_rule(rule, runbooks) for rule in rules]}
    return yaml.safe_dump({"groups": [group]}, sort_keys=False, allow_unicode=True, width=1000)


def _rule(rule: Rule, runbooks: str) -> dict[str, Any]:
    return {
        "alert": rule.name,
        "expr": rule.condition(),
        "for": _prometheus_duration(rule),
        "labels": {"severity": rule.severity.value},
        "annotations": {
            "summary": _summary(rule),
            "description": _description(rule),
            "runbook_url": f"{runbooks.rstrip('/')}/{rule.name}.md",
        },
    }


def _prometheus_duration(rule: Rule) -> str:
    lasting: Duration = rule.lasting
    if lasting.months:
        raise InputError(
            f'write rule {rule.name} for Prometheus, "for": want a duration in weeks, days, hours, minutes '
            f"or seconds, got {lasting}: a month has no fixed length there"
        )
    return f"{lasting.seconds}s"


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
