"""The functions that Lambda runs: what is in their zips, and what they make of what they are called with."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.aws.doubles import Doubles
from watchkeeper.app.aws.functions import start
from watchkeeper.app.aws.functions.bridge import BridgePlan, details
from watchkeeper.app.aws.functions.job import Due, Schedule, StartPlan, job_name
from watchkeeper.app.aws.functions.start import Starting
from watchkeeper.app.aws.functions.told import PLAN, plan
from watchkeeper.app.aws.zips import function_code, modules_of
from watchkeeper.core.encoding import decode, encode
from watchkeeper.core.errors import PlatformError
from watchkeeper.core.windows import Duration
from watchkeeper.readers.alertmanager import read_alert

FUNCTIONS = ("approve", "bridge", "retrain", "start")
OF_THE_RUNTIME = {"boto3", "botocore"}
NAME = "demo-dev-data-quality"
TIME = datetime(2026, 11, 29, 10, tzinfo=UTC)
QUEUE = "arn:aws:sqs:ap-southeast-1:123456789012:due"
START = StartPlan(
    environment="dev",
    endpoint="demo-dev",
    region="ap-southeast-1",
    captures="captures",
    image="123456789012.dkr.ecr.ap-southeast-1.amazonaws.com/analyzer@sha256:0",
    role="arn:aws:iam::123456789012:role/monitor",
    instance="ml.m5.large",
    key="arn:aws:kms:ap-southeast-1:123456789012:key/1",
    subnets=("subnet-1",),
    security_groups=("sg-1",),
    project="s3://records/projects/1",
    namespace="Watchkeeper",
    seconds=3600,
    tags={"project": "demo"},
    schedules=(Schedule(NAME, "data-quality", "cron(0 * * * ? *)", Duration(), Duration.parse("20m")),),
)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_zip_holds_what_it_imports_and_nothing_that_the_runtime_lacks(name: str) -> None:
    modules = modules_of(f"watchkeeper.app.aws.functions.{name}")
    code = function_code(name, {"told": 1})
    with zipfile.ZipFile(io.BytesIO(code.data)) as packed:
        held = set(packed.namelist())
        assert decode(dict[str, int], packed.read(PLAN)) == {"told": 1}
        others = {
            line.split()[1].partition(".")[0]
            for place in held - {PLAN}
            for line in packed.read(place).decode().splitlines()
            if line.startswith(("import ", "from "))
        }
    assert len(held) == len(modules) + 1
    assert others - sys.stdlib_module_names - {"watchkeeper", "__future__"} <= OF_THE_RUNTIME
    assert len(code.data) < 100_000
    assert code.data == function_code(name, {"told": 1}).data, "the same bytes for the same code"
    assert code.key != function_code(name, {"told": 2}).key


def test_a_plan_is_read_beside_the_code(tmp_path: Any) -> None:
    (tmp_path / PLAN).write_bytes(encode(START))
    assert plan(StartPlan, tmp_path) == START


# Starting jobs


class Asked:
    """A client that keeps what it is asked, and refuses with the error that it is told."""

    def __init__(self, code: str = "") -> None:
        self.code = code
        self.asked: list[dict[str, Any]] = []

    def create_processing_job(self, **asked: Any) -> None:
        self.asked.append(asked)
        if self.code:
            error: Any = {"Error": {"Code": self.code, "Message": "The account-level limit is 4"}}
            raise ClientError(error, "CreateProcessingJob")


@pytest.fixture
def starting(doubles: Doubles) -> Starting:
    """With a bucket that holds nothing."""
    account = doubles.account()
    where = {"LocationConstraint": "ap-southeast-1"}
    doubles.client("s3").create_bucket(Bucket="captures", CreateBucketConfiguration=where)
    return Starting(START, account.client("s3"), Asked(), account.client("sqs"))


def test_the_same_time_has_the_same_name_and_a_repeat_is_no_error(starting: Starting) -> None:
    first = starting.start(Due(NAME, TIME))
    assert first == f"{job_name(Due(NAME, TIME))} starts, 0 capture files"
    taken = replace(starting, sagemaker=Asked("ResourceInUse"))
    assert taken.start(Due(NAME, TIME)).endswith("was started before")
    assert job_name(Due(NAME, TIME)) != job_name(Due(NAME, TIME + timedelta(hours=1)))
    assert len(job_name(Due("x" * 80, TIME))) == 63


def test_what_cannot_be_started_is_a_message_that_comes_again(
    starting: Starting, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = replace(starting, sagemaker=Asked("ResourceLimitExceeded"))
    with pytest.raises(PlatformError, match="account-level limit"):
        full.start(Due(NAME, TIME))
    monkeypatch.setattr(start, "plan", lambda _: START)
    monkeypatch.setattr(start, "Starting", lambda *_: full)
    bodies = {"m-1": Due(NAME, TIME).body(), "m-2": "{", "m-3": Due("other", TIME).body()}
    records = [{"messageId": name, "body": body, "eventSourceARN": QUEUE} for name, body in bodies.items()]
    failed = start.handler({"Records": records}, None)["batchItemFailures"]
    assert [each["itemIdentifier"] for each in failed] == ["m-1", "m-2", "m-3"]


def test_a_job_waits_as_long_as_its_schedule_asks(starting: Starting, doubles: Doubles) -> None:
    doubles.client("sqs").create_queue(QueueName="due")
    due = Due(NAME, TIME)
    doubles.calls.clear()
    assert starting.take(due, QUEUE, TIME + timedelta(minutes=1)).endswith("waits")
    (sent,) = [asked for _, name, asked in doubles.calls if name == "SendMessage"]
    assert (sent["DelaySeconds"], Due.parse(sent["MessageBody"])) == (900, due)
    assert starting.sagemaker.asked == []
    assert "starts" in starting.take(due, QUEUE, TIME + timedelta(minutes=20))


# Carrying alerts

LABELS = {
    "alertname": "ModelQualityDegraded",
    "project": "demo",
    "environment": "prod",
    "endpoint": "demo-prod",
    "severity": "critical",
    "action": "retrain",
    "incident": "model-quality",
}
BRIDGE = BridgePlan("arn:aws:events:ap-southeast-1:1:event-bus/x", {"demo-prod-ModelQualityDegraded": LABELS})
ENTRY = {
    "status": "firing",
    "labels": {**LABELS, "schedule": "demo-prod-model-quality", "instance": "localhost:9107"},
    "annotations": {"summary": "it is 3, above 1.5"},
    "startsAt": "2026-11-29T10:00:00Z",
    "endsAt": "0001-01-01T00:00:00Z",
}


def of(message: object, **attributes: str) -> list[dict[str, Any]]:
    given = {name: {"Type": "String", "Value": text} for name, text in attributes.items()}
    text = message if isinstance(message, str) else json.dumps(message)
    return list(details(BRIDGE, {"Message": text, "MessageAttributes": given}))


def alarm(state: str, name: str = "demo-prod-ModelQualityDegraded") -> dict[str, str]:
    return {
        "AlarmName": name,
        "NewStateValue": state,
        "NewStateReason": "Threshold Crossed: 1 datapoint [3.0] was greater than the threshold (1.5).",
        "StateChangeTime": "2026-11-29T10:00:00.000+0000",
    }


def test_each_alert_of_a_message_is_an_event_with_what_rules_look_at() -> None:
    resolved = {**ENTRY, "status": "resolved", "endsAt": "2026-11-29T10:05:00Z"}
    found = of({"version": "4", "alerts": [ENTRY, resolved]})
    assert [each["status"] for each in found] == ["firing", "resolved"]
    assert {key: found[0][key] for key in LABELS} == LABELS
    assert "incomplete" not in found[0]
    assert read_alert(found[0]["alert"], "it").summary == "it is 3, above 1.5"


def test_an_alarm_is_what_its_rule_is_whatever_its_message_says() -> None:
    (fired,), (over,), (quiet,) = of(alarm("ALARM")), of(alarm("OK")), of(alarm("INSUFFICIENT_DATA"))
    assert [each["status"] for each in (fired, over, quiet)] == ["firing", "resolved", "resolved"]
    assert (fired["from"], fired["action"], fired["environment"]) == ("cloudwatch", "retrain", "prod")
    told = read_alert(fired["alert"], "it")
    assert told.fired_at == TIME
    assert told.summary.startswith("Threshold Crossed")


def test_one_condition_that_arrives_both_ways_is_one_incident() -> None:
    (by_prometheus,), (by_alarm,) = of({"version": "4", "alerts": [ENTRY]}), of(alarm("ALARM"))
    group = ("project", "environment", "endpoint", "incident", "severity", "action")
    assert [by_prometheus[name] for name in group] == [by_alarm[name] for name in group]


@pytest.mark.parametrize(
    ("message", "attributes"),
    [
        ("Notification message was too long", {"truncated": "Message has been truncated"}),
        ("", {"modified": "Message has been modified because the content was empty."}),
        ({"alerts": [{"labels": 1}]}, {}),
        ([1], {}),
        (alarm("ALARM", "somebody-else-s"), {}),
        (alarm("BROKEN"), {}),
    ],
)
def test_what_cannot_be_read_goes_on_for_people_and_retrains_nothing(
    message: object, attributes: dict[str, str]
) -> None:
    (found,) = of(message, environment="prod", action="retrain", **attributes)
    assert (found["environment"], found["action"]) == ("prod", "retrain")
    assert found["incomplete"], "the rule that retrains wants an event without this"
    assert "alert" not in found
