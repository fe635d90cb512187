"""From firing alerts to a decision: a value with its reasons, on record before anything is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from watchkeeper.core.cron import Cron
from watchkeeper.core.encoding import digest
from watchkeeper.core.patterns import matches
from watchkeeper.core.rules import Action, Alert, AlertState
from watchkeeper.core.windows import Duration, utc_text


class DecisionKind(StrEnum):
    """What was decided. `Skip` is a decision too: it says why nothing is done."""

    RETRAIN = "Retrain"
    REVIEW = "Review"
    NOTIFY = "Notify"
    SKIP = "Skip"


class ApprovalNeed(StrEnum):
    """Whether a retrain waits for a person."""

    NONE = "none"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class Freeze:
    """Times without a retrain: from `begins` to before `ends`, or for `lasting` from each of `schedule`."""

    why: str
    begins: datetime | None = None
    ends: datetime | None = None
    schedule: Cron | None = None
    lasting: Duration = field(default_factory=Duration)

    def until(self, now: datetime) -> datetime | None:
        """When the freeze that is on at `now` ends; None when none is on."""
        begins, ends = self.begins, self.ends
        if self.schedule is not None:
            begins = self.schedule.previous(now + timedelta(microseconds=1))
            ends = self.lasting.after(begins)
        on = begins is not None and ends is not None and begins <= now < ends
        return ends if on else None


@dataclass(frozen=True, slots=True)
class RetrainPolicy:
    """When an alert may lead to a retrain: who approves, how long apart, how many within a time.

    `when` is a pattern (see `core.patterns`) of the alerts whose wish is followed, None for all of them;
    `expires` is how long an approval may take.
    """

    approval: ApprovalNeed
    cooldown: Duration
    at_most: int
    within: Duration
    freezes: tuple[Freeze, ...] = ()
    when: Mapping[str, object] | None = None
    expires: Duration | None = None

    def frozen(self, now: datetime) -> tuple[str, ...]:
        """Each freeze that is on, in words."""
        ends = ((each, each.until(now)) for each in self.freezes)
        return tuple(f"frozen until {utc_text(end)}: {each.why}" for each, end in ends if end is not None)


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision on one firing alert. `needs_approval` tells a retrain that waits for a person."""

    id: str
    kind: DecisionKind
    environment: str
    alert: str
    fingerprint: str
    fired_at: datetime
    reasons: tuple[str, ...]
    time: datetime
    needs_approval: bool = False
    notify: tuple[str, ...] = ()
    expires_at: datetime | None = None  # what waits for a person waits no longer than this

    def expired(self, now: datetime) -> bool:
        """Whether it has waited for a person too long."""
        return self.expires_at is not None and now >= self.expires_at


@dataclass(frozen=True, slots=True)
class Past:
    """An environment's decisions, oldest first, and what became of its retrains.

    `under_way` are the ids of those that are not over yet, `fruitless` of those that ended without a
    better model in service.
    """

    decisions: tuple[Decision, ...] = ()
    under_way: tuple[str, ...] = ()
    fruitless: tuple[str, ...] = ()


_KINDS = {
    Action.RETRAIN: DecisionKind.RETRAIN,
    Action.REVIEW: DecisionKind.REVIEW,
    Action.NOTIFY: DecisionKind.NOTIFY,
}


def decide(
    alert: Alert, past: Past, policy: RetrainPolicy, now: datetime, environment: str
) -> Decision | None:
    """What a firing alert leads to, or None when this firing has been decided on already.

    A firing is known by its fingerprint and the time it fired, so deciding twice gives one decision.
    A firing that was skipped, or whose retrain was fruitless, is decided on again once nothing holds it
    back any more.
    """
    if alert.state is not AlertState.FIRING or alert.fired_at is None:
        return None
    ours = [d for d in past.decisions if (d.fingerprint, d.fired_at) == (alert.fingerprint, alert.fired_at)]
    kind, why = _kind(alert, policy, environment)
    held = _held_back(past, policy, now) if kind is DecisionKind.RETRAIN else ()
    if ours and (held or not _open_again(ours[-1], past)):
        return None
    waits = kind is DecisionKind.RETRAIN and not held and policy.approval is ApprovalNeed.REQUIRED
    return Decision(
        id=digest([alert.fingerprint, environment, utc_text(alert.fired_at), len(ours)])[:16],
        kind=DecisionKind.SKIP if held else kind,
        environment=environment,
        alert=alert.name,
        fingerprint=alert.fingerprint,
        fired_at=alert.fired_at,
        reasons=(alert.summary, *why, *held),
        time=now,
        needs_approval=waits,
        notify=alert.notify,
        expires_at=policy.expires.after(now) if waits and policy.expires else None,
    )


def _kind(alert: Alert, policy: RetrainPolicy, environment: str) -> tuple[DecisionKind, tuple[str, ...]]:
    """What the alert asks for, or a person's look where the policy does not follow its wish to retrain."""
    kind = _KINDS[alert.action]
    if kind is not DecisionKind.RETRAIN or policy.when is None:
        return kind, ()
    if matches(policy.when, event_of(alert, environment)):
        return kind, ()
    return DecisionKind.REVIEW, ("it asks for a retrain, and is none of those that retrain.when follows",)


def event_of(alert: Alert, environment: str) -> dict[str, object]:
    """An alert as the event that patterns are about: its labels, and what its rule says."""
    value = {} if alert.value is None else {"value": alert.value}
    return {
        **dict(alert.labels),
        **value,
        "alertname": alert.name,
        "environment": environment,
        "severity": alert.severity.value,
        "action": alert.action.value,
    }


def _open_again(last: Decision, past: Past) -> bool:
    return last.kind is DecisionKind.SKIP or last.id in past.fruitless


def _held_back(past: Past, policy: RetrainPolicy, now: datetime) -> tuple[str, ...]:
    retrains = [decision.time for decision in past.decisions if decision.kind is DecisionKind.RETRAIN]
    reasons = [*policy.frozen(now), *(f"retrain {identity} is not over yet" for identity in past.under_way)]
    if retrains and now < (until := policy.cooldown.after(max(retrains))):
        reasons.append(
            f"cooling down until {utc_text(until)}: the last retrain was decided {utc_text(max(retrains))}"
        )
    recent = [time for time in retrains if policy.within.before(now) < time]
    if len(recent) >= policy.at_most:
        reasons.append(f"{len(recent)} retrains within {policy.within}, at most {policy.at_most} are allowed")
    return tuple(reasons)
