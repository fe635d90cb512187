"""Registered models: versions, approvals per environment, promotion and rollback."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from watchkeeper.app.registry.approval import Word, cover, covered
from watchkeeper.app.registry.candidates import begin, candidates, described, end, ended_by, open_candidate
from watchkeeper.app.registry.catalogue import Catalogue, artefact_prefix, catalogue
from watchkeeper.app.registry.records import create_record
from watchkeeper.app.setup.project import FILE, Project
from watchkeeper.app.setup.targets import Target
from watchkeeper.core.audit import Event
from watchkeeper.core.decisions import ApprovalNeed
from watchkeeper.core.errors import PlatformError, Refused
from watchkeeper.core.ports import Store
from watchkeeper.core.values import (
    Actor,
    Approval,
    ApprovalStatus,
    Candidate,
    CandidateKind,
    Deployment,
    ModelVersion,
    TrialEnd,
    TrialOutcome,
)


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """One version with its standing in each environment, for lists."""

    model: ModelVersion
    approvals: dict[str, ApprovalStatus]
    serving_in: tuple[str, ...]
    tried_in: tuple[str, ...] = ()


def statuses(project: Project, store: Store) -> tuple[ModelStatus, ...]:
    """Every version with its standing."""
    known, tried = catalogue(store), _tried(project, store)
    return tuple(_status(project, known, version, tried) for version in known.versions)


def status(project: Project, store: Store, number: int) -> ModelStatus:
    """One version with its standing. Raises InputError when there is no such version."""
    known = catalogue(store)
    return _status(project, known, known.version(number), _tried(project, store))


def register(target: Target, model: ModelVersion, artefact: Path) -> ModelVersion:
    """Put a trained model on record, pending approval in every environment.

    Its artefact and the project file it was trained under, monitors and alerts included, lie beside it.
    """
    for file in sorted(path for path in artefact.rglob("*") if path.is_file()):
        target.store.write(
            artefact_prefix(model.version) + file.relative_to(artefact).as_posix(), file.read_bytes()
        )
    enter(target, model, f"trained through {model.trained_through}, met its acceptance thresholds")
    mirror_versions(target)
    return model


def enter(target: Target, model: ModelVersion, why: str) -> ModelVersion:
    """Put a version's record in the registry, the project file beside it."""
    target.trail.append(
        Event(
            action="model.register",
            subject=_name(model.version),
            actor=model.registered_by,
            time=target.clock.now(),
            why=why,
            after=model.digest,
        )
    )
    target.store.write(f"models/v{model.version}/{FILE}", target.project.text.encode())
    create_record(target.store, f"models/v{model.version}/model.json", model)
    return model


def mirror_versions(target: Target) -> None:
    """Tell the tracker of every version, first of those it missed; once more does no harm."""
    for known in catalogue(target.store).versions:
        if not known.external:
            target.tracker.register(known.run_id, known.version, ApprovalStatus.PENDING)


def approve(target: Target, number: int, environment: str, actor: Actor, why: str) -> Approval:
    """Say yes to a version for an environment.

    The baselines that came with it are approved along, and the audit entry says which.
    Raises Refused when the one who registered it approves it where a second person is wanted.
    """
    model = catalogue(target.store).version(number)
    section = target.project.environment(environment).environments[environment]
    if (
        section.approval is ApprovalNeed.REQUIRED
        and not section.self_approval
        and actor == model.registered_by
    ):
        raise Refused(
            f"approve model version {number} for {environment}: want another person than {actor}, "
            f"who registered it (or self_approval: true under environments.{environment} "
            f"in {target.project.path})"
        )
    along = covered(target, number, environment, actor)
    said = _say(
        target,
        Approval(number, environment, ApprovalStatus.APPROVED, actor, target.clock.now(), why),
        also="; ".join(f"covers {record.name}" for record in along),
    )
    cover(target, along, Word(environment, actor, f"covered by the approval of {_name(number)}"))
    return said


def settle_approval(target: Target, number: int, environment: str, actor: Actor, why: str) -> None:
    """Approve a version for an environment unless it is; then only what an interruption left uncovered."""
    if catalogue(target.store).status(number, environment) is not ApprovalStatus.APPROVED:
        approve(target, number, environment, actor, why)
        return
    along = covered(target, number, environment, actor)
    cover(target, along, Word(environment, actor, f"covered by the approval of {_name(number)}"))


def reject(target: Target, number: int, environment: str, actor: Actor, why: str) -> Approval:
    """Say no to a version for an environment."""
    catalogue(target.store).version(number)
    target.project.environment(environment)
    return _say(
        target, Approval(number, environment, ApprovalStatus.REJECTED, actor, target.clock.now(), why)
    )


def promote(target: Target, number: int, environment: str, actor: Actor) -> Deployment:
    """Serve a version in an environment.

    It must have served in the environment before, and be approved where the project wants that.
    Raises Refused otherwise, and PlatformError, the old version still serving, when the endpoint
    cannot take it.
    """
    known = catalogue(target.store)
    model = known.version(number)
    _refuse_unready(target, known, number, environment)
    if target.project.environment(environment).environments[environment].approval is ApprovalNeed.NONE:
        why = f"covered by the promotion of {_name(number)}: {environment} asks for no approval"
        cover(target, covered(target, number, environment, actor), Word(environment, actor, why))
    return _deploy(target, _next(target, known, model, environment, actor))


@dataclass(frozen=True, slots=True)
class Tryout:
    """How a version is to be tried in an environment; `weight` is the percentage a canary answers."""

    environment: str
    kind: CandidateKind
    weight: int = 0


def try_out(target: Target, number: int, tryout: Tryout, actor: Actor) -> Candidate:
    """Serve a version beside the one that serves; the same is asked of it as by `promote`.

    Raises Refused where `promote` would, where nothing serves yet, and while another version is tried;
    PlatformError, nothing being tried, when the endpoint cannot take it.
    """
    environment, known = tryout.environment, catalogue(target.store)
    model = known.version(number)
    _refuse_unready(target, known, number, environment)
    doing = f"try model version {number} in {environment}"
    if known.serving(environment) is None:
        raise Refused(f"{doing}: nothing serves there yet to try it beside; promote it without a canary")
    if (other := open_candidate(target.store, environment)) is not None:
        raise Refused(
            f"{doing}: {described(other)} is tried there; promote it, or run "
            f"`watchkeeper models withdraw --in {environment} --why REASON`"
        )
    return begin(
        target,
        Candidate(
            number=len(candidates(target.store, environment)) + 1,
            environment=environment,
            endpoint=target.project.endpoint(environment),
            version=number,
            digest=model.digest,
            kind=tryout.kind,
            weight=tryout.weight,
            limits=target.project.environment(environment).environments[environment].canary.limits(),
            time=target.clock.now(),
            actor=actor,
        ),
    )


def withdraw(target: Target, environment: str, actor: Actor, why: str) -> TrialEnd:
    """End what an environment tries; the version that serves answers everything again.

    Raises Refused when nothing is tried there.
    """
    target.project.environment(environment)
    candidate = open_candidate(target.store, environment)
    if candidate is None:
        raise Refused(f"withdraw in {environment}: no version is tried there")
    target.host.withdraw(candidate)
    ended = ended_by(candidate, TrialOutcome.WITHDRAWN, why, actor, target.clock.now())
    return end(target.store, target.trail, candidate, ended)


def rollback(target: Target, environment: str, actor: Actor) -> Deployment:
    """Serve again what the environment served before.

    Raises Refused when there was nothing before, or it has been rejected since.
    """
    known = catalogue(target.store)
    serving = known.serving(environment)
    if serving is None or serving.previous is None:
        target.project.environment(environment)
        raise Refused(f"roll back {environment}: it has served no other version before")
    if known.status(serving.previous, environment) is ApprovalStatus.REJECTED:
        raise Refused(
            f"roll back {environment}: {_name(serving.previous)}, served before, was rejected there"
        )
    following = _next(target, known, known.version(serving.previous), environment, actor)
    return _deploy(target, replace(following, kind="rollback"))


def _refuse_unready(target: Target, known: Catalogue, number: int, environment: str) -> None:
    doing = f"promote model version {number} to {environment}"
    section = target.project.environment(environment).environments[environment]
    before, serving = target.project.before(environment), known.serving(environment)
    standing = known.status(number, environment)
    if known.version(number).external:
        raise Refused(f"{doing}: it is served elsewhere, and there is no artefact of it here")
    if serving is not None and serving.version == number:
        raise Refused(f"{doing}: it serves there already, since {serving.time:%Y-%m-%d}")
    if before is not None and not known.served(number, before):
        raise Refused(
            f"{doing}: want it to have served in {before} first; "
            f"run `watchkeeper models promote {number} --to {before}`"
        )
    if standing is ApprovalStatus.REJECTED:
        raise Refused(f"{doing}: it was rejected there")
    if section.approval is ApprovalNeed.REQUIRED and standing is not ApprovalStatus.APPROVED:
        raise Refused(
            f"{doing}: want it {ApprovalStatus.APPROVED} there, it is {standing}; another person runs "
            f"`watchkeeper models approve {number} --for {environment}`"
        )


def _next(
    target: Target, known: Catalogue, model: ModelVersion, environment: str, actor: Actor
) -> Deployment:
    serving = known.serving(environment)
    return Deployment(
        number=serving.number + 1 if serving else 1,
        environment=environment,
        endpoint=target.project.endpoint(environment),
        version=model.version,
        digest=model.digest,
        previous=serving.version if serving else None,
        time=target.clock.now(),
        actor=actor,
    )


def _deploy(target: Target, deployment: Deployment) -> Deployment:
    """Recorded before it is done; the record of the deployment itself is written once it serves."""
    event = Event(
        action=f"endpoint.{deployment.kind}",
        subject=deployment.endpoint,
        actor=deployment.actor,
        time=deployment.time,
        before=_name(deployment.previous) if deployment.previous else None,
        after=f"{_name(deployment.version)} {deployment.digest}",
    )
    target.trail.append(event)
    try:
        target.host.deploy(deployment)
    except PlatformError as error:
        target.trail.append(
            replace(event, action=f"{event.action}-failed", why=str(error), after=event.before)
        )
        raise
    create_record(
        target.store, f"deployments/{deployment.environment}/{deployment.number:06d}.json", deployment
    )
    target.trail.append(replace(event, action="endpoint.serving"))
    _end_trial(target, deployment)
    mirror_deployment(target, deployment)
    return deployment


def _end_trial(target: Target, deployment: Deployment) -> None:
    """A deployment ends what was tried in its environment, as the endpoint did when it took it."""
    candidate = open_candidate(target.store, deployment.environment)
    if candidate is None:
        return
    same = candidate.version == deployment.version
    outcome = TrialOutcome.PROMOTED if same else TrialOutcome.REPLACED
    why = f"{_name(deployment.version)} serves all requests"
    ended = ended_by(candidate, outcome, why, deployment.actor, deployment.time)
    end(target.store, target.trail, candidate, ended)


def mirror_deployment(target: Target, deployment: Deployment) -> None:
    """Tell the tracker what serves; once more does no harm."""
    tags = {f"serving.{deployment.environment}": str(deployment.time.date())}
    target.tracker.mirror(deployment.version, tags, [deployment.environment])


def _say(target: Target, approval: Approval, also: str = "") -> Approval:
    known = catalogue(target.store)
    number, environment, word = approval.version, approval.environment, approval.status
    target.trail.append(
        Event(
            action=f"model.{'approve' if word is ApprovalStatus.APPROVED else 'reject'}",
            subject=f"{_name(number)} for {environment}",
            actor=approval.actor,
            time=approval.time,
            why="; ".join(part for part in (approval.why, also) if part),
            before=known.status(number, environment),
            after=word,
        )
    )
    said = sum((a.version, a.environment) == (number, environment) for a in known.approvals)
    create_record(target.store, f"approvals/v{number}/{environment}/{said + 1:04d}.json", approval)
    if not known.version(number).external:
        target.tracker.mirror(number, {f"approval.{environment}": word}, [])
    return approval


def _tried(project: Project, store: Store) -> tuple[Candidate, ...]:
    """What each environment tries now."""
    found = (open_candidate(store, name) for name in project.environments)
    return tuple(candidate for candidate in found if candidate is not None)


def _status(
    project: Project, known: Catalogue, model: ModelVersion, tried: Sequence[Candidate]
) -> ModelStatus:
    serving = {name: known.serving(name) for name in project.environments}
    return ModelStatus(
        model,
        {name: known.status(model.version, name) for name in project.environments},
        tuple(
            name for name, deployment in serving.items() if deployment and deployment.version == model.version
        ),
        tuple(each.environment for each in tried if each.version == model.version),
    )


def _name(version: int) -> str:
    return f"model v{version}"
