"""Retrains on record: what a decision asked for, who answered, how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from watchkeeper.app.records import create_record, read_records
from watchkeeper.app.targets import Target
from watchkeeper.core.audit import Event
from watchkeeper.core.decisions import Decision, DecisionKind
from watchkeeper.core.errors import InputError, Refused
from watchkeeper.core.ports import Store
from watchkeeper.core.values import Actor


@dataclass(frozen=True, slots=True)
class Gate:
    """Champion and challenger on the same labelled rows; RMSE in the label's unit.

    The challenger was trained without these months: what is promoted when it wins is the same recipe
    refitted with them. Months that the champion has learned from are left out.
    """

    champion: int
    champion_digest: str
    challenger_digest: str  # of the refitted model, which is the one that may serve
    first: str
    last: str
    rows: int
    champion_rmse: float
    challenger_rmse: float

    @property
    def won(self) -> bool:
        """Whether the challenger is better; a draw keeps the champion."""
        return self.challenger_rmse < self.champion_rmse

    def __str__(self) -> str:
        return (
            f"RMSE {self.challenger_rmse:,.0f} against the champion's {self.champion_rmse:,.0f} "
            f"on {self.rows:,} rows of {self.first} to {self.last}"
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """One person's word on a retrain that waits."""

    decision: str
    approved: bool
    actor: Actor
    time: datetime
    why: str


class OutcomeKind(StrEnum):
    """How a retrain ended."""

    PROMOTED = "promoted"
    CHAMPION_KEPT = "champion kept"
    NOT_ACCEPTED = "not accepted"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a retrain came to. `promoted` is the version that serves now, where one was promoted."""

    decision: str
    kind: OutcomeKind
    reason: str
    time: datetime
    gate: Gate | None = None
    promoted: int | None = None


class RetrainState(StrEnum):
    """Where a retrain stands."""

    WAITING = "waiting for approval"
    APPROVED = "approved"
    REJECTED = "rejected"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Retrain:
    """A decision to retrain with everything that followed."""

    decision: Decision
    answer: Answer | None
    outcome: Outcome | None

    @property
    def state(self) -> RetrainState:
        """Where it stands: one that needs no approval counts as approved."""
        if self.outcome:
            return RetrainState.DONE
        if self.answer:
            return RetrainState.APPROVED if self.answer.approved else RetrainState.REJECTED
        return RetrainState.WAITING if self.decision.needs_approval else RetrainState.APPROVED

    @property
    def over(self) -> bool:
        """Whether nothing more can come of it."""
        return self.state in (RetrainState.DONE, RetrainState.REJECTED)

    @property
    def fruitless(self) -> bool:
        """Whether it ran and brought no better model; one that a person rejected was not run."""
        return self.outcome is not None and self.outcome.promoted is None


def retrains(store: Store, environment: str) -> tuple[Retrain, ...]:
    """An environment's retrains, oldest first."""
    made = read_records(store, f"decisions/{environment}/", Decision)
    answers = {each.decision: each for each in read_records(store, _key(environment), Answer, "/answer.json")}
    outcomes = {
        each.decision: each for each in read_records(store, _key(environment), Outcome, "/outcome.json")
    }
    return tuple(
        Retrain(decision, answers.get(decision.id), outcomes.get(decision.id))
        for decision in made
        if decision.kind is DecisionKind.RETRAIN
    )


def find_retrain(store: Store, environment: str, decision: str) -> Retrain:
    """The retrain of a decision, by its id or the beginning of it. Raises InputError unless there is one."""
    known = retrains(store, environment)
    found = [each for each in known if each.decision.id.startswith(decision)]
    if len(found) != 1:
        waiting = ", ".join(each.decision.id for each in known if not each.over) or "none"
        raise InputError(
            f'find retrain "{decision}" in {environment}: want one, got {len(found)}; not over are {waiting}'
        )
    return found[0]


def answer_retrain(target: Target, retrain: Retrain, approved: bool, actor: Actor, why: str) -> Retrain:
    """Put a person's word on record. Raises Refused when the retrain does not wait for one."""
    decision, now = retrain.decision, target.clock.now()
    if retrain.state is not RetrainState.WAITING:
        raise Refused(f"answer retrain {decision.id}: want one that waits, it is {retrain.state}")
    answer = Answer(decision.id, approved, actor, now, why)
    verb = "approve" if approved else "reject"
    subject = f"retrain {decision.id} in {decision.environment}"
    target.trail.append(Event(f"retrain.{verb}", subject, actor, now, why, after=decision.alert))
    create_record(target.store, f"{_key(decision.environment)}{decision.id}/answer.json", answer)
    return Retrain(decision, answer, None)


def conclude_retrain(target: Target, retrain: Retrain, outcome: Outcome, actor: Actor) -> Retrain:
    """Put the end of a retrain on record, both digests and the comparison in the audit log."""
    decision, gate = retrain.decision, outcome.gate
    target.trail.append(
        Event(
            action=f"retrain.{outcome.kind.replace(' ', '-')}",
            subject=f"retrain {decision.id} in {decision.environment}",
            actor=actor,
            time=outcome.time,
            why=outcome.reason,
            before=f"champion v{gate.champion} {gate.champion_digest}" if gate else None,
            after=f"challenger {gate.challenger_digest}" if gate else None,
        )
    )
    create_record(target.store, f"{_key(decision.environment)}{decision.id}/outcome.json", outcome)
    return Retrain(decision, retrain.answer, outcome)


def _key(environment: str) -> str:
    return f"retrains/{environment}/"
