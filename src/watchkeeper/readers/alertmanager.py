"""Alerts as Alertmanager and Prometheus write them, back to alerts of ours.

The labels that a rule adds (severity, action, incident) and those that Prometheus adds to what it scrapes
(job, instance) are no labels of the series, so an alert has the fingerprint that the embedded evaluator
gives it. Source: prometheus.io/docs/alerting/latest/configuration/#webhook_config.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from watchkeeper.core.metrics import SCRAPE_LABELS
from watchkeeper.core.rules import Action, Alert, AlertState, Severity, fingerprint_of
from watchkeeper.core.windows import parse_utc

_ADDED = ("alertname", "severity", "action", "incident", *SCRAPE_LABELS)


def read_webhook(body: bytes) -> tuple[Alert, ...]:
    """The alerts of a webhook payload, in its order.

    Raises ValueError, saying where, for anything that is no payload of version 4, and for alerts of rules
    that are not ours: they lack a severity or an action.
    """
    payload = json.loads(body)
    if not isinstance(payload, dict) or payload.get("version") != "4":
        raise ValueError('want an object with "version": "4"')
    alerts = payload.get("alerts")
    if not isinstance(alerts, list):
        raise ValueError(f'want a list "alerts", got {type(alerts).__name__}')
    return tuple(read_alert(entry, f"alert {number}") for number, entry in enumerate(alerts, start=1))


def read_alert(entry: Any, place: str) -> Alert:
    """One alert of a payload. Raises ValueError, beginning with `place`, for one that is not ours."""
    try:
        return _told(entry)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        said = f"want a key {error}" if isinstance(error, KeyError) else str(error)
        raise ValueError(f"{place}: {said}") from None


def _told(entry: Mapping[str, Any]) -> Alert:
    resolved = {"firing": False, "resolved": True}[entry["status"]]
    return alert_of(
        entry["labels"],
        entry.get("annotations", {}),
        AlertState.RESOLVED if resolved else AlertState.FIRING,
        parse_utc(entry["startsAt"]),
        parse_utc(entry["endsAt"]) if resolved else None,
    )


def alert_of(
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    state: AlertState,
    since: datetime,
    resolved_at: datetime | None = None,
) -> Alert:
    """An alert from its labels and annotations. Raises KeyError and ValueError for one that is not ours."""
    name = _text(labels["alertname"])
    own = tuple(sorted((key, _text(value)) for key, value in labels.items() if key not in _ADDED))
    return Alert(
        name=name,
        fingerprint=fingerprint_of(name, own),
        labels=own,
        state=state,
        severity=Severity(labels["severity"]),
        action=Action(labels["action"]),
        notify=(),  # who was told, Alertmanager's routes say
        summary=_text(annotations.get("summary", "")),
        value=_number(annotations.get("value")),
        active_at=since,
        fired_at=None if state is AlertState.PENDING else since,
        resolved_at=resolved_at,
        incident=_text(labels.get("incident", name)),
        runbook_url=_text(annotations.get("runbook_url", "")),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"want texts, got {type(value).__name__}")
    return value


def _number(text: str | None) -> float | None:
    """The value that the rule wrote down; None where it has none, as of what is absent, or none of ours."""
    try:
        value = float(text) if text else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None
