"""Say yes or no to a baseline for an environment; only one that was approved there judges anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from watchkeeper.app.registry.baselines import (
    APPROVAL,
    BaselineApproval,
    BaselineRecord,
    OriginKind,
    baselines,
)
from watchkeeper.app.registry.records import create_record
from watchkeeper.app.setup.project import Project
from watchkeeper.app.setup.targets import Target
from watchkeeper.core.audit import Event
from watchkeeper.core.decisions import ApprovalNeed
from watchkeeper.core.errors import Refused
from watchkeeper.core.values import Actor, ApprovalStatus


@dataclass(frozen=True, slots=True)
class Word:
    """Who says it, for which environment, and why."""

    environment: str
    actor: Actor
    why: str


def approve_baseline(target: Target, record: BaselineRecord, word: Word) -> BaselineApproval:
    """Let a baseline judge in an environment.

    Raises Refused when the one who suggested it approves it where a second person is wanted.
    """
    if _alone(target.project, record, word.environment, word.actor):
        raise Refused(
            f"approve {record.name} for {word.environment}: want another person than {word.actor}, "
            f"who suggested it (or self_approval: true under environments.{word.environment} "
            f"in {target.project.path})"
        )
    return _say(target, record, word, ApprovalStatus.APPROVED)


def reject_baseline(target: Target, record: BaselineRecord, word: Word) -> BaselineApproval:
    """Say no to a baseline; the one approved before it, if there is one, judges from now on."""
    target.project.environment(word.environment)
    return _say(target, record, word, ApprovalStatus.REJECTED)


def covered(target: Target, model_version: int, environment: str, actor: Actor) -> tuple[BaselineRecord, ...]:
    """The baselines that the actor's yes to their model covers: those its training run brought.

    One that was answered for this environment stays as it is, and so does one that the actor suggested
    where a second person is wanted.
    """
    found = [baselines(target.store, monitor) for monitor in target.project.settings.monitors]
    return tuple(
        record
        for known in found
        for record in known.of_model(model_version)
        if record.origin.kind is OriginKind.TRAINING
        and known.status(record, environment) is ApprovalStatus.PENDING
        and not _alone(target.project, record, environment, actor)
    )


def cover(target: Target, records: Sequence[BaselineRecord], word: Word) -> None:
    """Approve baselines together with their model; `why` says by which of its steps."""
    for record in records:
        _say(target, record, word, ApprovalStatus.APPROVED)


def _alone(project: Project, record: BaselineRecord, environment: str, actor: Actor) -> bool:
    """Whether this would be one person's word where two are wanted."""
    section = project.environment(environment).environments[environment]
    required = section.approval is ApprovalNeed.REQUIRED and not section.self_approval
    return required and actor == record.suggested_by


def _say(target: Target, record: BaselineRecord, word: Word, status: ApprovalStatus) -> BaselineApproval:
    known, now = baselines(target.store, record.monitor), target.clock.now()
    target.trail.append(
        Event(
            action=f"baseline.{'approve' if status is ApprovalStatus.APPROVED else 'reject'}",
            subject=f"{record.name} for {word.environment}",
            actor=word.actor,
            time=now,
            why=word.why,
            before=known.status(record, word.environment),
            after=f"{status} {record.digest}",
        )
    )
    said = BaselineApproval(
        monitor=record.monitor,
        version=record.version,
        digest=record.digest,
        environment=word.environment,
        status=status,
        actor=word.actor,
        time=now,
        why=word.why,
    )
    number = 1 + sum((w.version, w.environment) == (said.version, said.environment) for w in known.words)
    create_record(target.store, f"{record.folder}{APPROVAL}{word.environment}-{number:04d}.json", said)
    return said
