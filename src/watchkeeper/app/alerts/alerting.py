"""Rules over the newest samples: alerts that begin, fire and resolve, and who is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from watchkeeper.adapters.receivers import RECEIVERS
from watchkeeper.app.registry.records import create_record, read_records
from watchkeeper.app.setup.targets import Target
from watchkeeper.core.audit import Event
from watchkeeper.core.ports import Store
from watchkeeper.core.rules import Alert, AlertState, evaluate
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


def open_alerts(store: Store, environment: str) -> tuple[Alert, ...]:
    """The alerts of an environment that are pending or firing."""
    newest_by_series = {alert.fingerprint: alert for alert in alert_history(store, environment)}
    return tuple(alert for alert in newest_by_series.values() if alert.open)


def evaluate_rules(target: Target, environment: str, samples: Sequence[Sample]) -> Evaluation:
    """Evaluate an environment's rules now, on the newest sample of each series; record what changed."""
    now, current = target.clock.now(), newest(samples)
    before = open_alerts(target.store, environment)
    changed: list[Alert] = []
    held: list[Alert] = []
    for rule in target.project.rules(environment):
        past = [alert for alert in before if alert.name == rule.name]
        states = {alert.fingerprint: alert.state for alert in past}
        for alert in evaluate(rule, current, past, now):
            if alert.state is not states.get(alert.fingerprint):
                changed.append(alert)
            if alert.open:
                held.append(alert)
        changed += _dropped(past, held, now)
    for alert in changed:
        _record(target, environment, alert)
    return Evaluation(tuple(changed), tuple(held))


def _dropped(past: Sequence[Alert], held: Sequence[Alert], now: datetime) -> list[Alert]:
    """Pending alerts whose condition no longer holds, closed: else the next time would count as the same."""
    open_now = {alert.fingerprint for alert in held}
    return [
        replace(alert, state=AlertState.RESOLVED, resolved_at=now)
        for alert in past
        if alert.state is AlertState.PENDING and alert.fingerprint not in open_now
    ]


def _record(target: Target, environment: str, alert: Alert) -> None:
    now = target.clock.now()
    stamp = f"{now:%Y%m%dT%H%M%SZ}"
    create_record(target.store, f"alerts/{environment}/{stamp}-{alert.fingerprint}-{alert.state}.json", alert)
    if alert.fired_at is None:  # nobody is told of what never fired
        return
    subject = f"{alert.name} in {environment}"
    target.trail.append(
        Event(f"alert.{alert.state}", subject, EVALUATOR, now, alert.summary, after=alert.fingerprint)
    )
    _notify(target, environment, alert)


def _notify(target: Target, environment: str, alert: Alert) -> None:
    settings = target.project.environment(environment)
    for name in alert.notify:
        for receiver in settings.receivers.get(name, []):
            RECEIVERS[receiver.kind](target.store, receiver.path, name, alert)
