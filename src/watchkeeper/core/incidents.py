"""From firing alerts to incidents, and to the notifications that tell of them.

An incident is a group of alerts that go together (one endpoint, one severity, one kind of trouble), from the
first that fires until all of them are resolved. It is told of when it has lasted `wait`, again when an alert
joins or is resolved, at most every `interval`, and once more every `repeat` while it goes on.
Source: the grouping and deduplication of Alertmanager, prometheus.io/docs/alerting/latest/alertmanager.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from watchkeeper.core.encoding import digest
from watchkeeper.core.rules import Alert, AlertState, Severity
from watchkeeper.core.values import Actor
from watchkeeper.core.windows import Duration, utc_text

GROUP_LABELS = ("project", "environment", "endpoint", "incident", "severity", "action")


@dataclass(frozen=True, slots=True)
class Incident:
    """Alerts of one group from the first that fired. `alerts` holds each firing as it was last seen."""

    id: str
    group: tuple[tuple[str, str], ...]
    started_at: datetime
    alerts: tuple[Alert, ...]
    ended_at: datetime | None = None

    @property
    def firing(self) -> tuple[Alert, ...]:
        return tuple(alert for alert in self.alerts if alert.state is AlertState.FIRING)

    @property
    def receivers(self) -> tuple[str, ...]:
        """Who is to be told, each once."""
        return tuple(dict.fromkeys(name for alert in self.alerts for name in alert.notify))


class NotificationStatus(StrEnum):
    """Alertmanager's: firing while any alert of the group is."""

    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Digest:
    """What an environment came to between two times, for who reads it once a day or a week."""

    title: str
    text: str  # Markdown
    since: datetime


@dataclass(frozen=True, slots=True)
class Links:
    """Where people find more: our server and Grafana, without a slash at the end; empty where there is none.

    `classification` stands on everything that leaves the workspace.
    """

    external_url: str = ""
    grafana_url: str = ""
    classification: str = ""

    def incident(self, incident: str) -> str:
        """An incident's page; empty without a server to look at."""
        return f"{self.external_url}/incidents/{incident}" if self.external_url else ""

    def dashboard(self, labels: Mapping[str, str]) -> str:
        """The endpoint's dashboard, about what these labels are about; empty without a Grafana."""
        if not self.grafana_url:
            return ""
        named = {"project": "project", "environment": "env", "endpoint": "endpoint"}
        chosen = [f"var-{word}={labels[name]}" for name, word in named.items() if name in labels]
        return f"{self.grafana_url}/d/watchkeeper-endpoint?{'&'.join(chosen)}"


@dataclass(frozen=True, slots=True)
class Notification:
    """What one receiver is told of one incident at `time`, or a `digest`, which is about no incident.

    The id follows from what is told, so that whoever works it out again comes to the same id. `alerts` are
    those that fire, and those that were resolved since the notification before.
    """

    id: str
    incident: str
    receiver: str
    group: tuple[tuple[str, str], ...]
    status: NotificationStatus
    alerts: tuple[Alert, ...]
    time: datetime
    digest: Digest | None = None
    earlier: tuple[str, ...] = ()  # incidents like it and what was said of them, in words


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody is at an incident: it is repeated and escalated no more, and hidden nowhere."""

    incident: str
    actor: Actor
    time: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Timing:
    """How soon, how often and how long apart an incident is told of; Alertmanager's three durations.

    A page that nobody has acknowledged `escalate_after` its first notification goes to others too.
    """

    wait: Duration
    interval: Duration
    repeat: Duration
    escalate_after: Duration | None = None
    escalate_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outlet:
    """One way to reach a receiver: the kind names the adapter, the options are its own.

    A receiver may have several; `place` is this one's among them, from 0.
    """

    receiver: str
    place: int
    kind: str
    options: Mapping[str, str]
    links: Links = field(default_factory=Links)

    def __str__(self) -> str:
        return f"{self.receiver}/{self.place}-{self.kind}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of handing a notification to an outlet.

    A notification that was `refused` says nothing of the next one; any other failure is the outlet's, and
    the others wait too, `retry_after` seconds when the outlet says so.
    """

    delivered: bool
    reason: str = ""
    refused: bool = False
    retry_after: float | None = None


def likeness(one: Incident, other: Incident) -> float:
    """How much of what fired is the same, from 0 to 1: Jaccard's index of rules with what they are about.

    The model's version is left out: the next model may have the same trouble.
    """
    left, right = ({_subject(alert) for alert in each.alerts} for each in (one, other))
    return len(left & right) / len(left | right)


def _subject(alert: Alert) -> tuple[str, tuple[tuple[str, str], ...]]:
    return alert.name, tuple(pair for pair in alert.labels if pair[0] != "model_version")


def group_of(alert: Alert) -> tuple[tuple[str, str], ...]:
    """What alerts of one incident have in common, in the order of `GROUP_LABELS`."""
    labels = {
        **dict(alert.labels),
        "incident": alert.incident or alert.name,
        "severity": alert.severity.value,
        "action": alert.action.value,
    }
    return tuple((name, labels[name]) for name in GROUP_LABELS if name in labels)


def incidents(history: Iterable[Alert]) -> tuple[Incident, ...]:
    """Every incident that the changes of alerts amount to, in the order in which they began.

    Of changes at one time those that begin something come first: an alert that fires as another of its
    group is resolved goes on with the incident.
    """
    going: dict[tuple[tuple[str, str], ...], Incident] = {}
    over: list[Incident] = []
    fired = [alert for alert in history if alert.fired_at is not None]
    for alert in sorted(fired, key=lambda each: (each.since, each.state is AlertState.RESOLVED)):
        group = group_of(alert)
        incident = going.get(group) or _begun(group, alert)
        if incident is None:
            continue
        incident = _joined(incident, alert)
        if incident.ended_at is None:
            going[group] = incident
        else:
            going.pop(group, None)
            over.append(incident)
    return tuple(sorted([*over, *going.values()], key=lambda each: (each.started_at, each.id)))


def _begun(group: tuple[tuple[str, str], ...], alert: Alert) -> Incident | None:
    if alert.state is AlertState.RESOLVED or alert.fired_at is None:  # its beginning is not in this history
        return None
    return Incident(digest([group, utc_text(alert.fired_at)])[:16], group, alert.fired_at, ())


def _joined(incident: Incident, alert: Alert) -> Incident:
    held = {(each.fingerprint, each.fired_at): each for each in incident.alerts}
    held[alert.fingerprint, alert.fired_at] = alert
    still = any(each.state is AlertState.FIRING for each in held.values())
    return replace(incident, alerts=tuple(held.values()), ended_at=None if still else alert.resolved_at)


def next_notification(
    incident: Incident, receiver: str, told: Sequence[Notification], timing: Timing, now: datetime
) -> Notification | None:
    """What a receiver is to be told of an incident now; None for nothing.

    `told` is what it was told of this incident before, oldest first. An incident that was over before its
    `wait` had passed is not told of.
    """
    due = due_at(incident, told, timing)
    if due is None or now < due:
        return None
    fresh = _untold(incident, told)
    status = NotificationStatus.FIRING if incident.firing else NotificationStatus.RESOLVED
    alerts = tuple(alert for alert in incident.alerts if alert.state is AlertState.FIRING or alert in fresh)
    spelled = [[alert.fingerprint, alert.state.value, utc_text(alert.since)] for alert in alerts]
    return Notification(
        id=digest([incident.id, receiver, len(told), spelled])[:16],
        incident=incident.id,
        receiver=receiver,
        group=incident.group,
        status=status,
        alerts=alerts,
        time=now,
    )


def escalates_at(
    incident: Incident, told: Iterable[Sequence[Notification]], timing: Timing
) -> datetime | None:
    """When an incident that nobody acknowledges goes to others too; None for one that never does.

    `told` is what each receiver was told of it. Only what pages escalates, and only while it fires.
    """
    paging = any(alert.severity is Severity.CRITICAL for alert in incident.firing)
    first = min((notes[0].time for notes in told if notes), default=None)
    if not paging or first is None or timing.escalate_after is None:
        return None
    return timing.escalate_after.after(first)


def due_at(incident: Incident, told: Sequence[Notification], timing: Timing) -> datetime | None:
    """When a receiver is to be told next if nothing more happens; None when never."""
    if not told:
        due = timing.wait.after(incident.started_at)
        return due if incident.ended_at is None or incident.ended_at >= due else None
    if _untold(incident, told):
        return timing.interval.after(told[-1].time)
    return timing.repeat.after(told[-1].time) if incident.firing else None


def repeats(incident: Incident, told: Sequence[Notification]) -> bool:
    """Whether a receiver could be told nothing new of an incident, only the same once more."""
    return bool(told) and not _untold(incident, told)


def _untold(incident: Incident, told: Sequence[Notification]) -> list[Alert]:
    """Alerts that fire or were resolved without the receiver having been told so."""
    known = {(each.fingerprint, each.fired_at): each.state for note in told for each in note.alerts}
    return [
        alert
        for alert in incident.alerts
        if known.get((alert.fingerprint, alert.fired_at)) is not alert.state
    ]
