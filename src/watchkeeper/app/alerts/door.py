"""The door by which alerts come back that Prometheus evaluated and Alertmanager sends.

What comes in is on record before it is answered, and taken in afterwards: a change of an alert becomes a
record like one of the embedded evaluator's, and what follows (incidents, decisions, retrains) is the same.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from watchkeeper.adapters.local.kept import kept_secret
from watchkeeper.app.alerts.alerting import open_alerts, record_change
from watchkeeper.app.setup.targets import Books
from watchkeeper.core.encoding import digest
from watchkeeper.core.errors import ExistsError
from watchkeeper.core.ports import Clock, Store
from watchkeeper.core.rules import Alert
from watchkeeper.core.values import Actor
from watchkeeper.readers.alertmanager import read_webhook
from watchkeeper.serving.refusals import RequestRefused

INBOX = "alert-inbox/"
DOOR_TOKEN = "run/alerts.token"  # noqa: S105 - where it lies, not what it is
ALERTMANAGER = Actor("alertmanager", "token")
_TAKEN = ".taken"


@dataclass(frozen=True, slots=True)
class Received:
    """How many alerts a delivery told of, and the key it is kept under."""

    alerts: int
    key: str


def door_token(folder: Path) -> str:
    """The token that opens a workspace's door; made when first asked for, for its owner alone to read."""
    return kept_secret(folder / DOOR_TOKEN)


def receive(store: Store, clock: Clock, body: bytes) -> Received:
    """Put a webhook's payload on record. Raises RequestRefused for what is none."""
    try:
        alerts = read_webhook(body)
    except ValueError as error:
        raise RequestRefused(f"read the alerts: {error}") from None
    key = f"{INBOX}{clock.now():%Y%m%dT%H%M%S.%fZ}-{digest(body)[:16]}.json"
    with contextlib.suppress(ExistsError):  # the same, sent again within one moment
        store.create(key, body)
    return Received(len(alerts), key)


def take_in(books: Books, environment: str, *, own_time: bool = True) -> tuple[Alert, ...]:
    """Record what deliveries changed of an environment's alerts; the changes, in order.

    With `own_time` an alert keeps the times that Prometheus gave it. In a rehearsal it gets the clock's, and
    what came and went since the clock was moved last is as if it had not been. Deliveries are taken in once.
    """
    deliveries = _untaken(books.store, environment)
    alerts = [alert for body in deliveries.values() for alert in _of(read_webhook(body), environment)]
    if not own_time:
        alerts = list({alert.fingerprint: alert for alert in alerts}.values())
    known = {alert.fingerprint: alert for alert in open_alerts(books.store, environment)}
    notify = {rule.name: rule.notify for rule in books.project.rules(environment)}
    changed: list[Alert] = []
    for alert in alerts:
        before = known.get(alert.fingerprint)
        if alert.open is (before is not None):  # nothing new: it fires as is known, or is over as is known
            continue
        told = replace(alert, notify=notify.get(alert.name, ()))
        told = told if own_time else _as_of_now(told, before, books.clock)
        record_change(books, environment, told, ALERTMANAGER)
        changed.append(told)
        if told.open:
            known[told.fingerprint] = told
        else:
            del known[told.fingerprint]
    for key in deliveries:
        books.store.create(_mark(key, environment), b"")
    return tuple(changed)


def _untaken(store: Store, environment: str) -> dict[str, bytes]:
    """The deliveries that this environment has not taken in yet, oldest first."""
    keys = store.list(INBOX)
    marks = {key for key in keys if key.endswith(_TAKEN)}
    return {key: store.read(key) for key in keys if key not in marks and _mark(key, environment) not in marks}


def _mark(key: str, environment: str) -> str:
    return f"{key}.{environment}{_TAKEN}"


def _of(alerts: Iterable[Alert], environment: str) -> list[Alert]:
    return [alert for alert in alerts if dict(alert.labels).get("environment") == environment]


def _as_of_now(alert: Alert, before: Alert | None, clock: Clock) -> Alert:
    """The alert as of the clock: it began when it was first heard of, and ends now."""
    since = before.fired_at if before else clock.now()
    over = clock.now() if alert.resolved_at is not None else None
    return replace(alert, active_at=since or clock.now(), fired_at=since, resolved_at=over)
