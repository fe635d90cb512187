"""Decides on alerts, starts the pipeline for a retrain that needs no approval, and notes how it ended.

One environment's alerts take turns (`S3Lease`), so that of two at once the second sees what the first
decided. Everything is on record before it happens: a function that is interrupted is called again by
EventBridge, finds the decision or the start that it left, and goes on from there.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3

from watchkeeper.adapters.aws.lease import S3Lease
from watchkeeper.adapters.aws.pipeline import SageMakerPipeline
from watchkeeper.adapters.aws.store import S3Store
from watchkeeper.adapters.aws.trail import S3Trail
from watchkeeper.app.alerts.deciding import decide_on
from watchkeeper.app.aws.functions.told import plan
from watchkeeper.app.registry.catalogue import catalogue
from watchkeeper.app.registry.records import create_record, read_records
from watchkeeper.app.registry.stored_data import stored_data
from watchkeeper.app.retraining.retrains import (
    Outcome,
    OutcomeKind,
    Retrain,
    RetrainState,
    answer_retrain,
    conclude_retrain,
    find_retrain,
    retrains,
    start_retrain,
    versions_of,
)
from watchkeeper.core.decisions import RetrainPolicy
from watchkeeper.core.errors import InputError
from watchkeeper.core.values import Actor
from watchkeeper.readers.alertmanager import read_alert

ALERT, ENDED = "Watchkeeper Alert", "SageMaker Model Building Pipeline Execution Status Change"
RETRAINER = Actor("pipeline", "service")  # who registers what comes of it, too
_REASONS = 1000  # characters of a parameter's value, of 1,024
log = logging.getLogger("watchkeeper")
log.setLevel(logging.INFO)


@dataclass(frozen=True, slots=True)
class RetrainPlan:
    """Each environment's policy, and the pipeline that is started; `commit` is that of its images."""

    environments: tuple[str, ...]
    policies: dict[str, RetrainPolicy]
    bucket: str
    pipeline: str
    commit: str

    def retrain_policy(self, environment: str) -> RetrainPolicy:
        """Raises InputError for an environment that the project has not."""
        if environment not in self.policies:
            raise InputError(f"decide in {environment}: want one of {', '.join(self.environments)}")
        return self.policies[environment]


@dataclass(frozen=True, slots=True)
class Execution:
    """The execution of the pipeline that a retrain started."""

    decision: str
    arn: str
    time: datetime


class LambdaClock:
    """The time of the machine that the function runs on."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Desk:
    """A ledger on S3, and the pipeline."""

    project: RetrainPlan
    store: S3Store
    clock: LambdaClock
    trail: S3Trail
    pipeline: SageMakerPipeline

    def on_alert(self, detail: Mapping[str, Any]) -> tuple[str, ...]:
        """Decide on an alert, and start what may start; what was done, in words."""
        environment = str(detail["environment"])
        alert = read_alert(detail["alert"], f"event of {detail.get('alertname')}")
        with self._turn(environment):
            made = decide_on(self, environment, [alert])
            said = [f"{each.kind}: {'; '.join(each.reasons)}" for each in made]
            return (*said, *self.start_open(environment))

    def on_ended(self, detail: Mapping[str, Any]) -> tuple[str, ...]:
        """Note how the pipeline's execution of a retrain ended."""
        arn, status = str(detail["pipelineExecutionArn"]), str(detail["currentPipelineExecutionStatus"])
        for environment in self.project.environments:
            for each in read_records(self.store, f"retrains/{environment}/", Execution, "/execution.json"):
                if each.arn == arn:
                    with self._turn(environment):
                        return self._conclude(environment, each.decision, status)
        return (f"{arn} is of no retrain",)

    def on_word(
        self, environment: str, decision: str, approved: bool, actor: Actor, why: str
    ) -> tuple[str, ...]:
        """Put a person's word on record, and start what it allows.

        Raises InputError where there is no such retrain, Refused where none waits for a word.
        """
        self.project.retrain_policy(environment)
        with self._turn(environment):
            said = answer_retrain(self, find_retrain(self.store, environment, decision), approved, actor, why)
            words = f"retrain {said.decision.id} in {environment} is {said.state}"
            return (words, *self.start_open(environment))

    def start_open(self, environment: str) -> tuple[str, ...]:
        """Start each retrain of an environment that may run and does not, one that was interrupted too."""
        known = {
            each.decision: each
            for each in read_records(self.store, f"retrains/{environment}/", Execution, "/execution.json")
        }
        done = []
        for retrain in retrains(self.store, environment):
            begun = retrain.starts and retrain.decision.id not in known and not retrain.over
            if retrain.state is RetrainState.APPROVED or begun:
                done.append(self._start(retrain))
        return tuple(done)

    def _start(self, retrain: Retrain) -> str:
        """The start goes on record, then the pipeline is asked, then its execution goes on record.

        The decision's id is the token, so that asking once more starts nothing.
        """
        decision, known, rows = retrain.decision, catalogue(self.store), stored_data(self.store)
        environment, serving = decision.environment, known.serving(decision.environment)
        if serving is None or rows is None:
            lacking = "a model that serves there" if serving is None else "rows in the bucket"
            return self._end(retrain, OutcomeKind.FAILED, f"want {lacking}, got none")
        if not retrain.starts:
            retrain = start_retrain(self, retrain, RETRAINER, known.version(serving.version))
        told = {
            "DataUri": f"s3://{self.project.bucket}/{rows.key}",
            "Commit": self.project.commit,
            "Reasons": "; ".join(decision.reasons)[:_REASONS],
            "Environment": environment,
            "Decision": decision.id,
        }
        arn = self.pipeline.start(told, f"watchkeeper-retrain-{decision.id}")
        execution = Execution(decision.id, arn, self.clock.now())
        create_record(self.store, f"retrains/{environment}/{decision.id}/execution.json", execution)
        return f"started {arn} for {environment}, decision {decision.id}"

    def _conclude(self, environment: str, decision: str, status: str) -> tuple[str, ...]:
        (retrain,) = [each for each in retrains(self.store, environment) if each.decision.id == decision]
        if retrain.over:
            return (f"retrain {decision} is over already",)
        if status != "Succeeded":
            return (self._end(retrain, OutcomeKind.FAILED, f"its pipeline's execution is {status}"),)
        made = versions_of(self.store, retrain)
        if not made:
            return (self._end(retrain, OutcomeKind.NOT_ACCEPTED, "no version met the acceptance thresholds"),)
        versions = ", ".join(f"model v{version}" for version in made)
        return (self._end(retrain, OutcomeKind.REGISTERED, f"{versions} waits for approval and promotion"),)

    def _end(self, retrain: Retrain, kind: OutcomeKind, reason: str) -> str:
        outcome = Outcome(retrain.decision.id, kind, reason, self.clock.now())
        return conclude_retrain(self, retrain, outcome, RETRAINER).outcome_reason

    def _turn(self, environment: str) -> Any:
        lease = S3Lease(self.store, f"decisions/{environment}.lease", self.clock)
        return lease.held(f"decide in {environment}")


def open_desk(told: RetrainPlan) -> Desk:
    """The desk with the function's own credentials."""
    store, clock = S3Store(boto3.client("s3"), told.bucket), LambdaClock()
    pipeline = SageMakerPipeline(boto3.client("sagemaker"), told.pipeline)
    return Desk(told, store, clock, S3Trail(store, clock), pipeline)


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """An event of the bus. What cannot be done raises: EventBridge calls again, and at last keeps the
    event."""
    desk, kind = open_desk(plan(RetrainPlan)), event["detail-type"]
    done = desk.on_alert(event["detail"]) if kind == ALERT else desk.on_ended(event["detail"])
    for line in done:
        log.info(line)
    return {"done": list(done)}
