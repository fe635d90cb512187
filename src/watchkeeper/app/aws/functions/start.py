"""Starts the job of a monitor when its schedule comes due.

EventBridge Scheduler puts a message into a queue, with the time that came due, and SQS calls this function:
a job that cannot be started, as a quota is used up, is a message that comes again, and at last lies in the
dead-letter queue, which has an alarm. The window is worked out here, by the schedule that the project file
has: Scheduler knows nothing but its own keywords.
Sources: docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html,
docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateProcessingJob.html.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.exceptions import ClientError

from watchkeeper.adapters.aws.errors import code_of, translated
from watchkeeper.adapters.aws.store import S3Store
from watchkeeper.app.aws.functions.job import Due, StartPlan, captured, job_name, job_request, manifest
from watchkeeper.app.aws.functions.told import plan
from watchkeeper.core.errors import WatchkeeperError

MANIFESTS = "manifests/"
_LONGEST_DELAY = 900  # seconds that a message may wait at a time
_TAKEN = frozenset({"ResourceInUse", "ResourceInUseException"})
log = logging.getLogger("watchkeeper")
log.setLevel(logging.INFO)


@dataclass(frozen=True, slots=True)
class Starting:
    """The plan at work: clients are made when the function begins."""

    plan: StartPlan
    s3: Any
    sagemaker: Any
    sqs: Any

    def take(self, due: Due, queue: str, now: datetime) -> str:
        """Start the job of a time, or let its message wait as long as the schedule asks; what was done."""
        schedule = self.plan.schedule(due.schedule)
        wait = (schedule.delay.after(due.time) - now).total_seconds()
        if wait > 0:
            self._send_again(due, queue, round(min(wait, _LONGEST_DELAY)))
            return f"{due.schedule} of {due.time} waits"
        return self.start(due)

    def start(self, due: Due) -> str:
        """Start the job, once for each time of a schedule; what was done."""
        plan, name = self.plan, job_name(due)
        store = S3Store(self.s3, plan.captures)
        keys = captured(store, plan, plan.schedule(due.schedule).window(due.time))
        uri = None
        if keys:
            store.write(f"{MANIFESTS}{name}.json", manifest(plan.captures, keys))
            uri = f"s3://{plan.captures}/{MANIFESTS}{name}.json"
        with translated(f"start job {name}"):
            try:
                self.sagemaker.create_processing_job(**job_request(plan, due, uri))
            except ClientError as error:
                if code_of(error) not in _TAKEN:
                    raise
                return f"{name} was started before"
        return f"{name} starts, {len(keys)} capture files"

    def _send_again(self, due: Due, queue: str, seconds: int) -> None:
        account, name = queue.split(":")[-2:]
        with translated(f"let {due.schedule} wait"):
            url = self.sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
            self.sqs.send_message(QueueUrl=url, MessageBody=due.body(), DelaySeconds=seconds)


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """SQS's records to jobs; those that could not be started come again."""
    starting, failed = Starting(plan(StartPlan), *map(boto3.client, ("s3", "sagemaker", "sqs"))), []
    for record in event["Records"]:
        try:
            log.info(starting.take(Due.parse(record["body"]), record["eventSourceARN"], datetime.now(UTC)))
        except (WatchkeeperError, ValueError, KeyError) as error:
            log.error("message %s, %s: %r", record["messageId"], record["body"], error)
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
