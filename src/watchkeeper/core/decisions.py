"""From firing alerts to a decision: a value with its reasons, on record before anything is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from watchkeeper.core.encoding import digest
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
class RetrainPolicy:
    """When an alert may lead to a retrain: who approves, how long apart, how many within a time."""

    approval: ApprovalNeed
    cooldown: Duration
    at_most: int
    within: Duration


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision on one firing alert. `needs_approval` tells a retrain that waits for a person."""

    id: str
    kind: DecisionKind
    environment: str
    alert: str
    fingerprint: str
    reasons: tuple[str, ...]
    time: datetime
    needs_approval: bool = False
    notify: tuple[str, ...] = ()


_KINDS = {
    Action.RETRAIN: DecisionKind.RETRAIN,
    Action.REVIEW: DecisionKind.REVIEW,
    Action.NOTIFY: DecisionKind.NOTIFY,
}


def decide(
    alert: Alert, past: Sequence[Decision], policy: RetrainPolicy, now: datetime, environment: str
) -> Decision | None:
    """What a firing alert leads to, or None when this firing has been decided on already.

    `past` holds the environment's decisions, oldest first. A firing is known by its fingerprint
    and the time it fired, so deciding twice gives one decision.
    """
    if alert.state is not AlertState.FIRING or alert.fired_at is None:
        return None
    identity = digest([alert.fingerprint, environment, utc_text(alert.fired_at)])[:16]
    if any(decision.id == identity for decision in past):
        return None
    kind = _KINDS[alert.action]
    held = _held_back(past, policy, now) if kind is DecisionKind.RETRAIN else ()
    return Decision(
        id=identity,
        kind=DecisionKind.SKIP if held else kind,
        environment=environment,
        alert=alert.name,
        fingerprint=alert.fingerprint,
        reasons=(alert.summary, *held),
        time=now,
        needs_approval=kind is DecisionKind.RETRAIN and not held and policy.approval is ApprovalNeed.REQUIRED,
        notify=alert.notify,
    )


def _held_back(past: Sequence[Decision], policy: RetrainPolicy, now: datetime) -> tuple[str, ...]:
    retrains = [decision.time for decision in past if decision.kind is DecisionKind.RETRAIN]
    reasons = []
    if retrains and now < (until := policy.cooldown.after(max(retrains))):
        reasons.append(
            f"cooling down until {utc_text(until)}: the last retrain was decided {utc_text(max(retrains))}"
        )
    recent = [time for time in retrains if policy.within.before(now) < time]
    if len(recent) >= policy.at_most:
        reasons.append(f"{len(recent)} retrains within {policy.within}, at most {policy.at_most} are allowed")
    return tuple(reasons)
