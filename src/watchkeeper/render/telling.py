"""A notification for people: a line to see on a phone, and the rest in Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.core.incidents import Links, Notification
from watchkeeper.core.rules import Alert, AlertState
from watchkeeper.core.windows import utc_text
from watchkeeper.render.markdown import plain
from watchkeeper.render.text import count


def headline(notification: Notification) -> str:
    """What it is about, in one line without markup."""
    if notification.digest is not None:
        return notification.digest.title
    group = dict(notification.group)
    where = group.get("endpoint") or group.get("environment", "")
    if "mute" in group:
        return f"[mute over] {count(len(notification.alerts), 'alert')} hidden in {where}"
    return f"[{notification.status}] {group.get('incident', notification.incident)}, {where}"


def body(notification: Notification, links: Links) -> str:
    """The rest: each alert with its value and runbook, where to look, and what to type."""
    if notification.digest is not None:
        return notification.digest.text
    earlier = [f"- {each}" for each in notification.earlier]
    parts = [
        "\n".join(_alerts(notification)),
        "\n".join(_about(notification, links)),
        "\n".join(["Earlier ones like it:", "", *earlier] if earlier else []),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _alerts(notification: Notification) -> Iterator[str]:
    for alert in notification.alerts:
        yield f"- **{plain(alert.name)}** {_state(alert)}: {plain(alert.summary)}"
        if alert.runbook_url:
            yield f"  - runbook: {alert.runbook_url}"


def _state(alert: Alert) -> str:
    if alert.state is AlertState.RESOLVED and alert.resolved_at is not None:
        return f"resolved {utc_text(alert.resolved_at)}"
    return f"since {utc_text(alert.fired_at or alert.active_at)}"


def _about(notification: Notification, links: Links) -> Iterator[str]:
    group = dict(notification.group)
    for name in ("severity", "action", "environment", "endpoint"):
        if name in group:
            yield f"- {name}: {plain(group[name])}"
    if links.classification:
        yield f"- classification: {plain(links.classification)}"
    if "mute" in group:
        return
    if url := links.incident(notification.incident):
        yield f"- incident: {url}"
    if url := links.dashboard(group):
        yield f"- dashboard: {url}"
    yield f"- to look: `watchkeeper incidents show {notification.incident}`"
    if notification.status == "firing":
        yield f"- to take it: `watchkeeper alerts ack {notification.incident} --reason …`"
    yield f"- notification {notification.id}"
