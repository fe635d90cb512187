"""Retrains whose process died: finished by running them again, or cancelled by a person."""

from __future__ import annotations

from dataclasses import replace

from watchkeeper.app.registry.candidates import open_candidate
from watchkeeper.app.registry.catalogue import catalogue
from watchkeeper.app.retraining.retrain import RetrainJob, run_retrain
from watchkeeper.app.retraining.retrains import (
    Outcome,
    OutcomeKind,
    Retrain,
    RetrainState,
    answer_retrain,
    conclude_retrain,
    find_retrain,
    retrains,
    versions_of,
)
from watchkeeper.app.setup.targets import Target
from watchkeeper.core.errors import IntegrityError, PlatformError, Refused, WatchkeeperError
from watchkeeper.core.values import Actor

MOST_RUNS = 3  # what ended its process so often would do so again


def settle_interrupted(target: Target, environment: str, job: RetrainJob) -> tuple[Retrain, ...]:
    """Bring an environment's interrupted retrains to their end; call it where a loop starts again.

    Each is run again, up to `MOST_RUNS` runs in all; then it has failed. Returns them as they are then.
    Raises PlatformError, that retrain still open, when the endpoints cannot be reached.
    """
    interrupted = [
        each for each in retrains(target.store, environment) if each.state is RetrainState.INTERRUPTED
    ]
    return tuple(settle(target, each, job) for each in interrupted)


def refuse_retrain(target: Target, retrain: Retrain, actor: Actor, why: str) -> Retrain:
    """A person's no to a retrain that waits; one that may run or was interrupted is cancelled by it.

    Final for that firing. Endpoints are told to serve what is on record, as an interruption may have come
    between a deployment and its record. Raises Refused when its version serves already.
    """
    if not retrain.runnable:
        return answer_retrain(target, retrain, False, actor, why)
    decision, known = retrain.decision, catalogue(target.store)
    serving = known.serving(decision.environment)
    if serving is not None and serving.version in versions_of(target.store, retrain):
        raise Refused(
            f"cancel retrain {decision.id}: its model v{serving.version} serves in {decision.environment} "
            f"already; `{finishing(retrain)}` puts that on record"
        )
    cancelled = Outcome(decision.id, OutcomeKind.CANCELLED, why, target.clock.now())
    said = _put_back(target)
    return conclude_retrain(target, retrain, replace(cancelled, reason="; ".join([why, *said])), actor)


def finishing(retrain: Retrain) -> str:
    """The command that runs a retrain, for people to type."""
    return f"watchkeeper retrain approve {retrain.decision.id} --for {retrain.decision.environment}"


def settle(target: Target, retrain: Retrain, job: RetrainJob) -> Retrain:
    """Run one that may run, up to `MOST_RUNS` runs in all, as it is then.

    Raises as `run_retrain` does, the retrain still open, when it could not even begin.
    """
    identity, now = retrain.decision.id, target.clock.now()
    if len(retrain.starts) >= MOST_RUNS:
        reason = f"interrupted in each of its {len(retrain.starts)} runs"
        return conclude_retrain(
            target, retrain, Outcome(identity, OutcomeKind.FAILED, reason, now), job.actor
        )
    try:
        return run_retrain(target, retrain, job)
    except IntegrityError:
        raise
    except WatchkeeperError:
        found = find_retrain(target.store, retrain.decision.environment, identity)
        if not found.over:  # it could not even begin
            raise
        return found


def _put_back(target: Target) -> list[str]:
    """What could not be told to the endpoints, in words; a server that starts later reads the records."""
    known, said = catalogue(target.store), []
    for environment in target.project.environments:
        serving = known.serving(environment)
        try:
            if serving is not None:
                target.host.deploy(serving)  # which ends what is tried beside it
                if (candidate := open_candidate(target.store, environment)) is not None:
                    target.host.try_out(candidate)
        except PlatformError as error:
            said.append(f"{serving.endpoint if serving else environment} was not told: {error}")
    return said
