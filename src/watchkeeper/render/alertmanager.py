"""A notification as Alertmanager's webhook payload, version 4.

Source: prometheus.io/docs/alerting/latest/configuration/#webhook_config.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from watchkeeper.core.incidents import Links, Notification
from watchkeeper.core.rules import Alert, AlertState
from watchkeeper.core.windows import utc_text

NEVER = "0001-01-01T00:00:00Z"  # what Alertmanager writes for an end that has not come


def webhook_payload(notification: Notification, links: Links | None = None) -> dict[str, Any]:
    """The payload, with two keys beside Alertmanager's: the ids of the notification and of its incident.

    Earlier incidents like it and the project's classification are two more, where there are any.
    """
    links = links or Links()
    alerts = [_alert(alert, links) for alert in notification.alerts]
    return {
        "version": "4",
        "groupKey": _group_key(notification.group),
        "truncatedAlerts": 0,
        "status": notification.status.value,
        "receiver": notification.receiver,
        "groupLabels": dict(notification.group),
        "commonLabels": _common([alert["labels"] for alert in alerts]),
        "commonAnnotations": _common([alert["annotations"] for alert in alerts]),
        "externalURL": links.external_url,
        "alerts": alerts,
        "notification": notification.id,
        "incident": notification.incident,
        **({"earlierIncidents": list(notification.earlier)} if notification.earlier else {}),
        **({"classification": links.classification} if links.classification else {}),
    }


def alert_labels(alert: Alert) -> dict[str, str]:
    """An alert's labels as Prometheus has them: the series' own, and what the rule adds."""
    return {
        "alertname": alert.name,
        "severity": alert.severity.value,
        "action": alert.action.value,
        "incident": alert.incident or alert.name,
        **dict(alert.labels),
    }


def _alert(alert: Alert, links: Links) -> dict[str, Any]:
    dashboard = links.dashboard(dict(alert.labels))
    return {
        "status": "resolved" if alert.state is AlertState.RESOLVED else "firing",
        "labels": alert_labels(alert),
        "annotations": {
            "summary": alert.summary,
            **({"runbook_url": alert.runbook_url} if alert.runbook_url else {}),
            **({"dashboard_url": dashboard} if dashboard else {}),
        },
        "startsAt": utc_text(alert.fired_at or alert.active_at),
        "endsAt": utc_text(alert.resolved_at) if alert.resolved_at else NEVER,
        "generatorURL": "",
        "fingerprint": alert.fingerprint,
    }


def _common(each: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """What all of them have, with the same value."""
    first, *others = each
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in others)}


def _group_key(group: Sequence[tuple[str, str]]) -> str:
    return "{}:{" + ", ".join(f'{name}="{value}"' for name, value in group) + "}"
