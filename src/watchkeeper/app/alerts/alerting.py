"""Rules over the newest samples: alerts that begin, fire and resolve, each change on record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from watchkeeper.app.registry.records import create_record, read_record, read_records
from watchkeeper.app.setup.targets import Books
from watchkeeper.core.audit import Event
from watchkeeper.core.ports import Store
from watchkeeper.core.rules import Alert, AlertState, Rule, evaluate
from watchkeeper.core.values import Actor, Sample, newest

EVALUATOR = Actor("alert-evaluator", "service")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one evaluation of an environment's rules changed, and every alert open after it."""

    changed: tuple[Alert, ...]
    open: tuple[Alert, ...]


def alert_history(store: Store, environment: str) -> tuple[Alert, ...]:
    """Every change of every alert of an environment, oldest first."""
    return read_records(store, f"alerts/{environment}/", Alert)


@dataclass(slots=True)
class AlertLog:
    """An environment's changes of alerts, each record read once however often it is asked."""

    store: Store
    environment: str
    _held: dict[str, Alert] = field(init=False, default_factory=dict)

    def read(self) -> tuple[Alert, ...]:
        """Every change there is by now, oldest first."""
        keys = [key for key in self.store.list(f"alerts/{self.environment}/") if key.endswith(".json")]
        self._held |= {key: read_record(self.store, key, Alert) for key in keys if key not in self._held}
        return tuple(self._held[key] for key in keys)


def open_alerts(store: Store, environment: str) -> tuple[Alert, ...]:
    """The alerts of an environment that are pending or firing."""
    newest_by_series = {alert.fingerprint: alert for alert in alert_history(store, environment)}
    return tuple(alert for alert in newest_by_series.values() if alert.open)


def evaluate_rules(
    books: Books, environment: str, samples: Sequence[Sample], held: Sequence[Alert] | None = None
) -> Evaluation:
    """Evaluate an environment's rules now, on the newest sample of each series; record what changed.

    `held` are the alerts that the evaluation before left open, with the values it saw; without them those
    on record, whose values are of the time they changed.
    """
    before = open_alerts(books.store, environment) if held is None else held
    found = evaluated(books.project.rules(environment), newest(samples), before, books.clock.now())
    for alert in found.changed:
        record_change(books, environment, alert, EVALUATOR)
    return found


def evaluated(
    rules: Sequence[Rule], current: Sequence[Sample], before: Sequence[Alert], now: datetime
) -> Evaluation:
    """The rules on the newest sample of each series, after the alerts that were open `before`."""
    changed: list[Alert] = []
    held: list[Alert] = []
    for rule in rules:
        past = [alert for alert in before if alert.name == rule.name]
        states = {alert.fingerprint: alert.state for alert in past}
        for alert in evaluate(rule, current, past, now):
            if alert.state is not states.get(alert.fingerprint):
                changed.append(alert)
            if alert.open:
                held.append(alert)
        changed += _dropped(past, held, now)
    return Evaluation(tuple(changed), tuple(held))


def _dropped(past: Sequence[Alert], held: Sequence[Alert], now: datetime) -> list[Alert]:
    """Pending alerts whose condition no longer holds, closed: else the next time would count as the same."""
    open_now = {alert.fingerprint for alert in held}
    return [
        replace(alert, state=AlertState.RESOLVED, resolved_at=now)
        for alert in past
        if alert.state is AlertState.PENDING and alert.fingerprint not in open_now
    ]


def record_change(books: Books, environment: str, alert: Alert, actor: Actor) -> None:
    """Put a change of an alert on record; the audit log hears of it unless the alert never fired."""
    now = books.clock.now()
    key = f"alerts/{environment}/{now:%Y%m%dT%H%M%S.%fZ}-{alert.fingerprint}-{alert.state}.json"
    create_record(books.store, key, alert)
    if alert.fired_at is not None:
        subject = f"{alert.name} in {environment}"
        books.trail.append(
            Event(f"alert.{alert.state}", subject, actor, now, alert.summary, after=alert.fingerprint)
        )
