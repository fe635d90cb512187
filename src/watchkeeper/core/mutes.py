"""Mutes: alerts that nobody is told of for a while, because somebody said so and why.

A muted rule is evaluated as before, and its alerts are on record; what a mute hides is told in one summary
when it ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from watchkeeper.core.incidents import Incident
from watchkeeper.core.rules import Alert
from watchkeeper.core.values import Actor

ALERT_NAME = "alertname"  # the label by which Prometheus has a rule's name


@dataclass(frozen=True, slots=True)
class Mute:
    """Who wants which alerts of an environment muted, until when, and why.

    An alert is meant when it carries every one of the `matchers`, labels of its series, `alertname`,
    `severity`, `action` or `incident`. One that `needs_second` mutes nothing before another confirms it.
    """

    id: str
    environment: str
    matchers: tuple[tuple[str, str], ...]
    ends_at: datetime
    why: str
    ticket: str
    actor: Actor
    time: datetime
    needs_second: bool


class MuteAct(StrEnum):
    """What was said of a mute afterwards."""

    CONFIRMED = "confirmed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class MuteWord:
    """One person's later word on a mute."""

    mute: str
    act: MuteAct
    actor: Actor
    time: datetime
    why: str


class MuteState(StrEnum):
    """Where a mute stands."""

    WAITING = "waiting for a second person"
    ACTIVE = "active"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class MuteSpan:
    """A mute with what was said of it: when it mutes, from `begins_at` (None: it does not) to `ends_at`."""

    mute: Mute
    begins_at: datetime | None
    ends_at: datetime

    def state(self, now: datetime) -> MuteState:
        """Where it stands; one that nobody confirmed in time is over without having muted anything."""
        if now >= self.ends_at:
            return MuteState.OVER
        return MuteState.WAITING if self.begins_at is None else MuteState.ACTIVE

    def mutes(self, alert: Alert, time: datetime) -> bool:
        """Whether it mutes an alert at a time."""
        return self.begins_at is not None and self.begins_at <= time < self.ends_at and self.means(alert)

    def means(self, alert: Alert) -> bool:
        """Whether it is about an alert, whenever."""
        return set(self.mute.matchers) <= set(labels_of_alert(alert).items())


def labels_of_alert(alert: Alert) -> dict[str, str]:
    """What matchers are held against: the series' labels, and what the rule adds, as Prometheus has them."""
    return {
        **dict(alert.labels),
        ALERT_NAME: alert.name,
        "severity": alert.severity.value,
        "action": alert.action.value,
        "incident": alert.incident or alert.name,
    }


def spans(mutes: Iterable[Mute], words: Sequence[MuteWord]) -> tuple[MuteSpan, ...]:
    """Each mute with its words folded in, in the order given."""
    found = []
    for mute in mutes:
        own = [word for word in words if word.mute == mute.id]
        confirmed = [word.time for word in own if word.act is MuteAct.CONFIRMED]
        ended = [word.time for word in own if word.act is MuteAct.ENDED]
        begins = mute.time if not mute.needs_second else min(confirmed, default=None)
        found.append(MuteSpan(mute, begins, min([mute.ends_at, *ended])))
    return tuple(found)


def hidden_by(incident: Incident, muting: Sequence[MuteSpan]) -> MuteSpan | None:
    """The mute that an incident came and went under, every alert of it; None when there is no such one."""
    for span in muting:
        if all(
            alert.fired_at is not None
            and span.mutes(alert, alert.fired_at)
            and alert.resolved_at is not None
            and alert.resolved_at <= span.ends_at
            for alert in incident.alerts
        ):
            return span
    return None


def muted(alert: Alert, muting: Sequence[MuteSpan], now: datetime) -> bool:
    """Whether nobody is to be told of an alert now."""
    return any(span.mutes(alert, now) for span in muting)
