"""Notifications as objects: Alertmanager's webhook payload, one file a notification."""

from __future__ import annotations

from typing import Any

from watchkeeper.core.encoding import encode
from watchkeeper.core.ports import Store
from watchkeeper.core.rules import Alert, AlertState
from watchkeeper.core.windows import utc_text

_NEVER = "0001-01-01T00:00:00Z"  # what Alertmanager writes for an end that has not come


def send(store: Store, prefix: str, receiver: str, alert: Alert) -> None:
    """Put the notification under `prefix`; the same change of the same alert is put once."""
    store.write(
        f"{prefix}/{alert.since:%Y%m%dT%H%M%SZ}-{alert.fingerprint}-{alert.state}.json",
        encode(payload(receiver, alert)),
    )


def payload(receiver: str, alert: Alert) -> dict[str, Any]:
    """The alert as Alertmanager's webhook payload, version 4.

    Source: prometheus.io/docs/alerting/latest/configuration/#webhook_config.
    """
    status = "resolved" if alert.state is AlertState.RESOLVED else "firing"
    labels = {"alertname": alert.name, "severity": alert.severity.value, **dict(alert.labels)}
    annotations = {"summary": alert.summary}
    return {
        "version": "4",
        "groupKey": f'{{}}:{{alertname="{alert.name}"}}',
        "truncatedAlerts": 0,
        "status": status,
        "receiver": receiver,
        "groupLabels": {"alertname": alert.name},
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": "",
        "alerts": [
            {
                "status": status,
                "labels": labels,
                "annotations": annotations,
                "startsAt": utc_text(alert.fired_at or alert.active_at),
                "endsAt": utc_text(alert.resolved_at) if alert.resolved_at else _NEVER,
                "generatorURL": "",
                "fingerprint": alert.fingerprint,
            }
        ],
    }
