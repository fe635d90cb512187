"""Alert rules and their evaluation, with Prometheus' semantics.

A rule is a metric with a comparison, a threshold and a duration, or `absent` for a duration,
nothing more. A series that meets the condition is pending, and firing once it has met it for
the duration; a firing series that no longer meets it is resolved, a pending one is dropped.
Source: prometheus.io/docs/prometheus/latest/configuration/alerting_rules.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from watchkeeper.core.encoding import digest
from watchkeeper.core.values import Sample
from watchkeeper.core.windows import Duration


class Comparison(StrEnum):
    """How a rule compares a sample with its threshold; the value is PromQL's operator."""

    ABOVE = ">"
    BELOW = "<"


_COMPARE: Mapping[Comparison, Callable[[float, float], bool]] = MappingProxyType(
    {Comparison.ABOVE: operator.gt, Comparison.BELOW: operator.lt}
)


class Severity(StrEnum):
    """How urgent: critical wakes someone, warning waits for the morning."""

    CRITICAL = "critical"
    WARNING = "warning"


class Action(StrEnum):
    """What a firing alert asks for; `core.decisions` says whether it is done."""

    RETRAIN = "retrain"
    REVIEW = "review"
    NOTIFY = "notify"


@dataclass(frozen=True, slots=True)
class Rule:
    """One alert rule. `comparison` is None for a rule on absence.

    Alerts of one `incident` and one endpoint are told of together; without one it is the rule's own.
    """

    name: str
    metric: str  # full name, with the prefix
    comparison: Comparison | None
    threshold: float
    lasting: Duration
    severity: Severity
    action: Action
    notify: tuple[str, ...]
    matchers: tuple[tuple[str, str], ...] = ()  # labels a series must have, such as its environment
    incident: str = ""
    runbook_url: str = ""

    def holds(self, value: float) -> bool:
        """Whether a present value meets the condition."""
        return self.comparison is not None and _COMPARE[self.comparison](value, self.threshold)

    def condition(self) -> str:
        """The condition as PromQL."""
        braces = ",".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in self.matchers)
        selector = f"{self.metric}{{{braces}}}" if braces else self.metric
        if self.comparison is None:
            return f"absent({selector})"
        return f"{selector} {self.comparison} {float(self.threshold)!r}".removesuffix(".0")


class AlertState(StrEnum):
    """Prometheus' states of an alert that is not inactive."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Alert:
    """One series of one rule, since it first met the condition."""

    name: str
    fingerprint: str
    labels: tuple[tuple[str, str], ...]
    state: AlertState
    severity: Severity
    action: Action
    notify: tuple[str, ...]
    summary: str
    value: float | None
    active_at: datetime
    fired_at: datetime | None = None
    resolved_at: datetime | None = None
    incident: str = ""
    runbook_url: str = ""

    @property
    def open(self) -> bool:
        """Pending or firing."""
        return self.state is not AlertState.RESOLVED

    @property
    def since(self) -> datetime:
        """When it came into the state it is in."""
        return self.resolved_at or self.fired_at or self.active_at


def evaluate(
    rule: Rule, samples: Sequence[Sample], alerts: Sequence[Alert], now: datetime
) -> tuple[Alert, ...]:
    """The rule's alerts at `now`: those still open, those that begin, and those just resolved.

    `samples` holds the newest sample of each series; `alerts` the rule's alerts of the last
    evaluation, of which resolved ones are dropped.
    """
    before = {alert.fingerprint: alert for alert in alerts if alert.open}
    meeting = {alert.fingerprint: alert for alert in _meeting(rule, samples, now)}
    after = [_advance(rule, before.get(fp, begun), begun.value, now) for fp, begun in meeting.items()]
    gone = [
        replace(alert, state=AlertState.RESOLVED, resolved_at=now)
        for fp, alert in before.items()
        if fp not in meeting and alert.state is AlertState.FIRING
    ]
    return tuple(sorted([*after, *gone], key=lambda alert: alert.labels))


def _meeting(rule: Rule, samples: Sequence[Sample], now: datetime) -> list[Alert]:
    """An alert that begins now for each series that meets the condition."""
    wanted = set(rule.matchers)
    found = [sample for sample in samples if sample.metric == rule.metric and wanted <= set(sample.labels)]
    if rule.comparison is None:
        return [] if found else [_begin(rule, rule.matchers, None, now)]
    return [_begin(rule, sample.labels, sample.value, now) for sample in found if rule.holds(sample.value)]


def _begin(rule: Rule, labels: tuple[tuple[str, str], ...], value: float | None, now: datetime) -> Alert:
    return Alert(
        name=rule.name,
        fingerprint=fingerprint_of(rule.name, labels),
        labels=labels,
        state=AlertState.PENDING,
        severity=rule.severity,
        action=rule.action,
        notify=rule.notify,
        summary=_summary(rule, value),
        value=value,
        active_at=now,
        incident=rule.incident or rule.name,
        runbook_url=rule.runbook_url,
    )


def fingerprint_of(name: str, labels: tuple[tuple[str, str], ...]) -> str:
    """What a rule's alert on a series is known by, whoever evaluates the rule: 16 hex digits."""
    return digest([name, labels])[:16]


def next_firing(rules: Sequence[Rule], alerts: Sequence[Alert]) -> datetime | None:
    """When the first of the pending alerts fires if nothing changes; None when none is pending."""
    lasting = {rule.name: rule.lasting for rule in rules}
    pending = [alert for alert in alerts if alert.state is AlertState.PENDING and alert.name in lasting]
    return min((lasting[alert.name].after(alert.active_at) for alert in pending), default=None)


def _advance(rule: Rule, alert: Alert, value: float | None, now: datetime) -> Alert:
    fires = alert.state is AlertState.FIRING or rule.lasting.after(alert.active_at) <= now
    return replace(
        alert,
        state=AlertState.FIRING if fires else AlertState.PENDING,
        fired_at=alert.fired_at or (now if fires else None),
        value=value,
        summary=_summary(rule, value),
    )


def _summary(rule: Rule, value: float | None) -> str:
    if value is None:
        return f"{rule.metric} has had no sample for {rule.lasting}"
    direction = "above" if rule.comparison is Comparison.ABOVE else "below"
    return f"{rule.metric} is {value:.6g}, {direction} {rule.threshold:g}"
