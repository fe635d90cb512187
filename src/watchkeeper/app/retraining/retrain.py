"""Run an approved retrain: train a challenger, let it meet the champion, promote the winner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from watchkeeper.adapters.sources.dataset import Dataset
from watchkeeper.app.registry.catalogue import catalogue
from watchkeeper.app.registry.models import mirror_deployment, promote, settle_approval
from watchkeeper.app.retraining.champion import gate_months, hold_gate
from watchkeeper.app.retraining.retrains import (
    Gate,
    Outcome,
    OutcomeKind,
    Retrain,
    conclude_retrain,
    refuse_while_frozen,
    start_retrain,
    versions_of,
)
from watchkeeper.app.retraining.train import TrainingOrder, keep_candidate, newest_known, train_candidate
from watchkeeper.app.setup.targets import Target
from watchkeeper.core.errors import Refused, WatchkeeperError
from watchkeeper.core.values import Actor, Deployment, ModelVersion, Progress
from watchkeeper.core.windows import Duration, utc_text

RETRAINER = Actor("retrainer", "service")


@dataclass(frozen=True, slots=True)
class RetrainJob:
    """What a retrain needs beside its decision: rows to learn from, and who runs it."""

    rows: Dataset
    actor: Actor
    report: Callable[[Progress], None]


def run_retrain(target: Target, retrain: Retrain, job: RetrainJob) -> Retrain:
    """Train on what is known by now and promote the result when it beats the champion.

    The person who approved the retrain is the one whose approval lets the new version into each
    environment. Whatever happens is on record when this returns or raises; a retrain that failed
    is over, and the champion serves on. One that was interrupted is run again. Raises Refused when the
    retrain is not approved or a freeze is on, and PlatformError, nothing done yet, when the endpoints
    cannot be reached.
    """
    decision = retrain.decision
    if not retrain.runnable:
        raise Refused(f"run retrain {decision.id}: want it approved, it is {retrain.state}")
    if ended := _promoted_before(target, retrain):
        return conclude_retrain(target, retrain, ended, job.actor)
    refuse_while_frozen(target, retrain)
    target.host.flush()  # a target that cannot be reached is found out before anything is done
    champion = _champion(target, decision.environment)
    retrain = start_retrain(target, retrain, job.actor, champion)
    try:
        outcome = _outcome(target, retrain, champion, job)
    except WatchkeeperError as error:
        failed = Outcome(decision.id, OutcomeKind.FAILED, str(error), target.clock.now())
        conclude_retrain(target, retrain, failed, job.actor)
        raise
    return conclude_retrain(target, retrain, outcome, job.actor)


def _champion(target: Target, environment: str) -> ModelVersion:
    known = catalogue(target.store)
    serving = known.serving(environment)
    if serving is None:
        raise Refused(f"retrain for {environment}: want a model that serves there, got none")
    return known.version(serving.version)


def _outcome(target: Target, retrain: Retrain, champion: ModelVersion, job: RetrainJob) -> Outcome:
    known, wanted = newest_known(target, job.rows), target.project.settings.training.gate.months
    months = gate_months(champion.trained_through, known, wanted)
    if not months:
        reason = f"no label is known of a month after {champion.trained_through}, which the champion has seen"
        return _kept(target, retrain, OutcomeKind.CHAMPION_KEPT, reason)
    settings = replace(target.project.settings.training.training_settings(), test=Duration(months=months))
    candidate = train_candidate(target, job.rows, TrainingOrder(job.actor, settings, job.report, known))
    if not candidate.result.accepted:
        reason = "; ".join(candidate.result.reasons)
        return _kept(target, retrain, OutcomeKind.NOT_ACCEPTED, reason)
    gate = hold_gate(target, champion, candidate)
    if not gate.won:
        return _kept(target, retrain, OutcomeKind.CHAMPION_KEPT, str(gate), gate)
    trained = keep_candidate(target, candidate, job.actor, after=retrain.starts[0].newest)
    if trained.model is None:
        raise ValueError("an accepted candidate is a version once it is kept")
    _bring_to_service(target, retrain, trained.model.version, job)
    return Outcome(
        decision=retrain.decision.id,
        kind=OutcomeKind.PROMOTED,
        reason=str(gate),
        time=target.clock.now(),
        gate=gate,
        promoted=trained.model.version,
    )


def _kept(
    target: Target, retrain: Retrain, kind: OutcomeKind, reason: str, gate: Gate | None = None
) -> Outcome:
    return Outcome(retrain.decision.id, kind, reason, target.clock.now(), gate)


def _bring_to_service(target: Target, retrain: Retrain, version: int, job: RetrainJob) -> None:
    """Into each environment up to the decision's, on the word of whoever approved the retrain."""
    environments = target.project.environments
    why = f"retrain {retrain.decision.id} won the gate"
    for environment in environments[: environments.index(retrain.decision.environment) + 1]:
        if (serving := _serving(target, environment)) and serving.version == version:
            mirror_deployment(target, serving)  # an interrupted run came this far
            continue
        if retrain.answer is not None:
            settle_approval(target, version, environment, retrain.answer.actor, why)
        promote(target, version, environment, job.actor)


def _serving(target: Target, environment: str) -> Deployment | None:
    return catalogue(target.store).serving(environment)


def _promoted_before(target: Target, retrain: Retrain) -> Outcome | None:
    """The end of a retrain whose version serves, and which was interrupted before that was on record."""
    decision = retrain.decision
    serving = catalogue(target.store).serving(decision.environment)
    if serving is None or serving.version not in versions_of(target.store, retrain):
        return None
    mirror_deployment(target, serving)
    reason = f"model v{serving.version} serves since {utc_text(serving.time)}; it was interrupted after that"
    return Outcome(decision.id, OutcomeKind.PROMOTED, reason, target.clock.now(), promoted=serving.version)
