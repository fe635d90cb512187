"""Retrains on record: what a decision asked for, who answered, how it ended."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from watchkeeper.app.registry.catalogue import catalogue
from watchkeeper.app.registry.ledger import Ledger
from watchkeeper.app.registry.records import create_record, read_records
from watchkeeper.core.audit import Event
from watchkeeper.core.decisions import Decision, DecisionKind
from watchkeeper.core.errors import InputError, Refused
from watchkeeper.core.ports import Store
from watchkeeper.core.values import Actor, ModelVersion
from watchkeeper.core.windows import utc_text

EXPIRER = Actor("decision-policy", "service")


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


@dataclass(frozen=True, slots=True)
class Start:
    """The beginning of one run of a retrain, on record before anything is done.

    `number` counts the runs from 1; `champion` is the version to beat, `newest` the newest one on record.
    """

    decision: str
    number: int
    actor: Actor
    time: datetime
    champion: int
    newest: int


class OutcomeKind(StrEnum):
    """How a retrain ended."""

    PROMOTED = "promoted"
    CHAMPION_KEPT = "champion kept"
    NOT_ACCEPTED = "not accepted"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REGISTERED = "registered"  # on AWS: the version waits for people, who promote it


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
    INTERRUPTED = "interrupted"
    REJECTED = "rejected"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Retrain:
    """A decision to retrain with everything that followed."""

    decision: Decision
    answer: Answer | None = None
    outcome: Outcome | None = None
    starts: tuple[Start, ...] = ()

    @property
    def state(self) -> RetrainState:
        """Where it stands by what is on record: one that needs no approval counts as approved.

        One that was started and has no outcome is interrupted, unless a process is running it right now.
        """
        if self.outcome:
            return RetrainState.DONE
        if self.starts:
            return RetrainState.INTERRUPTED
        if self.answer:
            return RetrainState.APPROVED if self.answer.approved else RetrainState.REJECTED
        return RetrainState.WAITING if self.decision.needs_approval else RetrainState.APPROVED

    @property
    def outcome_reason(self) -> str:
        """How it ended and why; empty while it has not."""
        return f"{self.outcome.kind}, {self.outcome.reason}" if self.outcome else ""

    @property
    def over(self) -> bool:
        """Whether nothing more can come of it."""
        return self.state in (RetrainState.DONE, RetrainState.REJECTED)

    @property
    def runnable(self) -> bool:
        """Whether it may run: for the first time, or once more after an interruption."""
        return self.state in (RetrainState.APPROVED, RetrainState.INTERRUPTED)

    @property
    def fruitless(self) -> bool:
        """Whether it ran to its end and brought no better model.

        One that a person rejected or cancelled is not: their no is final for that firing. One that nobody
        answered in time is: the firing may ask again.
        """
        ended = self.outcome
        kept = (OutcomeKind.CANCELLED, OutcomeKind.REGISTERED)
        return ended is not None and ended.promoted is None and ended.kind not in kept


def retrains(store: Store, environment: str) -> tuple[Retrain, ...]:
    """An environment's retrains, oldest first."""
    made = read_records(store, f"decisions/{environment}/", Decision)
    answers = {each.decision: each for each in read_records(store, _key(environment), Answer, "/answer.json")}
    outcomes = {
        each.decision: each for each in read_records(store, _key(environment), Outcome, "/outcome.json")
    }
    begun = read_records(store, _key(environment), Start, "/start.json")
    return tuple(
        Retrain(
            decision,
            answers.get(decision.id),
            outcomes.get(decision.id),
            tuple(each for each in begun if each.decision == decision.id),
        )
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


def expire_unanswered(ledger: Ledger, environment: str) -> tuple[Retrain, ...]:
    """Put an end to the retrains that nobody has answered in time; those that it is put to now."""
    waiting = [each for each in retrains(ledger.store, environment) if each.state is RetrainState.WAITING]
    return tuple(_expired(ledger, each) for each in waiting if each.decision.expired(ledger.clock.now()))


def _expired(ledger: Ledger, retrain: Retrain) -> Retrain:
    decision = retrain.decision
    reason = f"nobody answered from {utc_text(decision.time)} on"
    outcome = Outcome(decision.id, OutcomeKind.EXPIRED, reason, ledger.clock.now())
    subject = f"retrain {decision.id} in {decision.environment}"
    ledger.trail.append(
        Event("retrain.expired", subject, EXPIRER, outcome.time, reason, after=decision.alert)
    )
    create_record(ledger.store, f"{_key(decision.environment)}{decision.id}/outcome.json", outcome)
    return replace(retrain, outcome=outcome)


def refuse_while_frozen(ledger: Ledger, retrain: Retrain) -> None:
    """Raises Refused while a freeze is on in the retrain's environment."""
    decision = retrain.decision
    if frozen := ledger.project.retrain_policy(decision.environment).frozen(ledger.clock.now()):
        raise Refused(f"retrain {decision.id} in {decision.environment}: {'; '.join(frozen)}")


def answer_retrain(ledger: Ledger, retrain: Retrain, approved: bool, actor: Actor, why: str) -> Retrain:
    """Put a person's word on record.

    Raises Refused when the retrain does not wait for one, or has waited too long, and for a yes in a freeze.
    """
    decision, now = retrain.decision, ledger.clock.now()
    if retrain.state is RetrainState.WAITING and decision.expired(now):
        raise Refused(f"answer retrain {decision.id}: {_expired(ledger, retrain).outcome_reason}")
    if approved:
        refuse_while_frozen(ledger, retrain)
    if retrain.state is not RetrainState.WAITING:
        raise Refused(f"answer retrain {decision.id}: want one that waits, it is {retrain.state}")
    answer = Answer(decision.id, approved, actor, now, why)
    verb = "approve" if approved else "reject"
    subject = f"retrain {decision.id} in {decision.environment}"
    ledger.trail.append(Event(f"retrain.{verb}", subject, actor, now, why, after=decision.alert))
    create_record(ledger.store, f"{_key(decision.environment)}{decision.id}/answer.json", answer)
    return replace(retrain, answer=answer)


def start_retrain(ledger: Ledger, retrain: Retrain, actor: Actor, champion: ModelVersion) -> Retrain:
    """Put the beginning of a run on record.

    Raises ExistsError when another process has begun the same run.
    """
    decision, number = retrain.decision, len(retrain.starts) + 1
    newest = catalogue(ledger.store).versions[-1].version
    start = Start(decision.id, number, actor, ledger.clock.now(), champion.version, newest)
    ledger.trail.append(
        Event(
            action="retrain.start",
            subject=f"retrain {decision.id} in {decision.environment}",
            actor=actor,
            time=start.time,
            why=f"run {number}, the one before was interrupted" if number > 1 else "",
            before=champion.digest,
        )
    )
    create_record(
        ledger.store, f"{_key(decision.environment)}{decision.id}/run-{number:04d}/start.json", start
    )
    return replace(retrain, starts=(*retrain.starts, start))


def conclude_retrain(ledger: Ledger, retrain: Retrain, outcome: Outcome, actor: Actor) -> Retrain:
    """Put the end of a retrain on record, both digests and the comparison in the audit log.

    Where its runs left a version that this end does not promote, the reason says so.
    """
    if outcome.promoted is None and (left := left_behind(ledger, retrain)):
        outcome = replace(outcome, reason=f"{outcome.reason}; {left}")
    decision, gate = retrain.decision, outcome.gate
    ledger.trail.append(
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
    create_record(ledger.store, f"{_key(decision.environment)}{decision.id}/outcome.json", outcome)
    return replace(retrain, outcome=outcome)


def left_behind(ledger: Ledger, retrain: Retrain) -> str:
    """The versions that the retrain's runs made and where they serve, in words; empty when there are none."""
    known, said = catalogue(ledger.store), []
    for version in versions_of(ledger.store, retrain):
        serving = [(name, known.serving(name)) for name in ledger.project.environments]
        places = [name for name, found in serving if found and found.version == version]
        where = f"in {', '.join(places)}" if places else "nowhere"
        said.append(f"model v{version}, which it made, serves {where}")
    return "; ".join(said)


def versions_of(store: Store, retrain: Retrain) -> tuple[int, ...]:
    """The versions that runs of this retrain registered."""
    if not retrain.starts:
        return ()
    newest, actors = retrain.starts[0].newest, {start.actor for start in retrain.starts}
    made = [each for each in catalogue(store).versions if each.version > newest]
    return tuple(each.version for each in made if each.registered_by in actors)


def _key(environment: str) -> str:
    return f"retrains/{environment}/"
