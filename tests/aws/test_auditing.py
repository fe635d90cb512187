"""Who muted what, replaced a baseline, stopped a schedule: by CloudTrail, with who, when, before and
after."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.aws.doubles import Doubles
from tests.aws.projects import landscape_of, quiet
from tests.aws.test_samples import sample
from watchkeeper.app.aws.auditing import HISTORY, OURS, AuditLine, AwsAudit, aws_audit
from watchkeeper.app.aws.deploying import Choice, deploy
from watchkeeper.app.aws.landscape import Landscape
from watchkeeper.app.setup.aws_sections import CENTRAL
from watchkeeper.cli.audit import audit
from watchkeeper.readers.cloudtrail import cloud_event, in_order, read_log_file

NOW = datetime.now(UTC).replace(microsecond=0)
KIM = {
    "type": "AssumedRole",
    "arn": "arn:aws:sts::123456789012:assumed-role/operators/kim@example.org",
    "accountId": "123456789012",
}


def record(
    source: str, name: str, asked: Mapping[str, Any], minutes: float = 5, **more: Any
) -> dict[str, Any]:
    """A record as a log file has one, made some minutes ago."""
    return {
        "eventVersion": "1.11",
        "userIdentity": KIM,
        "eventTime": f"{NOW - timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "awsRegion": "ap-southeast-1",
        "requestParameters": dict(asked),
        "responseElements": None,
        "eventID": f"{source}-{name}-{minutes}",
        "recipientAccountId": "123456789012",
        **more,
    }


@pytest.fixture
def landscape(doubles: Doubles, tmp_path: Path) -> Landscape:
    made = landscape_of(doubles, tmp_path)
    deploy(made, Choice((CENTRAL,), "foundation"), quiet)
    deploy(made, Choice((CENTRAL,), "audit"), quiet)
    return made


def bucket(landscape: Landscape) -> str:
    return landscape.names.trail_bucket("123456789012")


def looked(landscape: Landscape) -> AwsAudit:
    return aws_audit(landscape, NOW - timedelta(hours=3), datetime.now(UTC) + timedelta(minutes=1))


def line(found: AwsAudit, action: str) -> AuditLine:
    (one,) = [each for each in found.lines if each.action == action]
    return one


def test_muting_replacing_and_stopping_are_seen_with_who_when_before_and_after(
    landscape: Landscape, doubles: Doubles
) -> None:
    s3, records = doubles.client("s3"), landscape.bucket(CENTRAL)
    key = "baselines/data-quality/v1/constraints.json"
    first, second = (
        s3.put_object(Bucket=records, Key=key, Body=text)["VersionId"] for text in (b"one", b"two")
    )
    events = [
        record("monitoring", "DisableAlarmActions", {"alarmNames": ["demo-prod-ModelQualityDegraded"]}, 50),
        record("sagemaker", "StopMonitoringSchedule", {"monitoringScheduleName": "demo-prod-bias"}, 40),
        record(
            "s3", "PutObject", {"bucketName": records, "key": key}, 30,
            responseElements={"x-amz-version-id": second},
        ),
        record("cloudtrail", "StopLogging", {"name": "watchkeeper-demo"}, 20, errorCode="AccessDenied"),
    ]  # fmt: skip
    doubles.trails.deliver(s3, bucket(landscape), events[::-1], NOW)
    found = looked(landscape)
    muted, stopped, put = (line(found, each) for each in ("alarm.mute", "schedule.stop", "object.put"))
    assert {(each.actor.name, each.actor.how) for each in (muted, stopped, put)} == {
        ("operators/kim@example.org", "session")
    }
    assert (muted.subject, muted.before, muted.after) == (
        "demo-prod-ModelQualityDegraded", "actions enabled", "actions disabled",
    )  # fmt: skip
    assert (stopped.subject, stopped.before, stopped.after) == (
        "demo-prod-bias", "Scheduled", "Stopped",
    )  # fmt: skip
    assert (put.subject, put.before, put.after) == (f"{records}/{key}", first, second)
    assert put.time == NOW - timedelta(minutes=30)
    assert put.source == "trail of central"
    tried = line(found, "trail.stop")
    assert (tried.error, tried.subject) == ("AccessDenied", "watchkeeper-demo")
    (trail,) = found.trails
    assert (trail.digests, trail.files, trail.faults, found.intact) == (1, 1, (), True)
    assert trail.newest is not None
    assert [each.time for each in found.lines] == sorted(each.time for each in found.lines)
    assert OURS in {each.source for each in found.lines}, "our own log is in the same list"


def test_what_ministack_records_is_read_too(landscape: Landscape, doubles: Doubles) -> None:
    client = doubles.client("cloudwatch")
    for threshold in (1.0, 2.0):
        client.put_metric_alarm(
            AlarmName="a", Namespace="n", MetricName="m", Statistic="Sum", Period=60, EvaluationPeriods=1,
            Threshold=threshold, ComparisonOperator="GreaterThanThreshold",
        )  # fmt: skip
    client.disable_alarm_actions(AlarmNames=["a"])
    found = looked(landscape)
    puts = [each for each in found.lines if each.action == "alarm.put"]
    assert {json.loads(each.after or "")["threshold"] for each in puts} == {1.0, 2.0}
    muted = line(found, "alarm.mute")
    assert (muted.source, muted.subject, muted.actor.name) == (HISTORY, "a", "root")


def test_what_event_history_and_the_trail_both_know_is_listed_once(
    landscape: Landscape, doubles: Doubles
) -> None:
    doubles.client("cloudwatch").disable_alarm_actions(AlarmNames=["a"])
    (event,) = doubles.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "DisableAlarmActions"}]
    )["Events"]
    doubles.trails.deliver(
        doubles.client("s3"), bucket(landscape), [json.loads(event["CloudTrailEvent"])], NOW
    )
    assert line(looked(landscape), "alarm.mute").source == "trail of central"


def overwritten(doubles: Doubles, place: str, key: str) -> None:
    doubles.client("s3").put_object(Bucket=place, Key=key, Body=gzip.compress(b'{"Records": []}'))


def removed(doubles: Doubles, place: str, key: str) -> None:
    doubles.client("s3").delete_object(Bucket=place, Key=key)


@pytest.mark.parametrize(
    ("number", "harm", "said"),
    [
        (0, overwritten, "the log file is not as it was delivered"),
        (0, removed, "the log file is gone"),
        (3, overwritten, "cannot be read"),
        (3, removed, "a digest before it is missing"),
    ],
)
def test_a_file_that_was_touched_is_found(
    landscape: Landscape, doubles: Doubles, number: int, harm: Callable[[Doubles, str, str], None], said: str
) -> None:
    place = bucket(landscape)
    for hours in (2, 1, 0):
        events = [record("monitoring", "DeleteAlarms", {"alarmNames": ["a"]}, 60 * hours + 5)]
        doubles.trails.deliver(doubles.client("s3"), place, events, NOW - timedelta(hours=hours))
    assert looked(landscape).intact
    harm(doubles, place, doubles.trails.delivered[number])
    found = looked(landscape)
    assert not found.intact
    assert said in " ".join(found.trails[0].faults)


def test_the_command_shows_it_and_fails_on_what_was_touched(
    landscape: Landscape, doubles: Doubles, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in doubles.environment.items():
        monkeypatch.setenv(name, text)
    events = [record("sagemaker", "StopMonitoringSchedule", {"monitoringScheduleName": "demo-prod-bias"})]
    key = doubles.trails.deliver(doubles.client("s3"), bucket(landscape), events, NOW)
    asked = ["list", "--target", "aws", "--workspace", str(landscape.project.path.parent)]
    done = CliRunner().invoke(audit, asked)
    assert done.exit_code == 0, done.output
    assert "operators/kim@example.org" in done.output
    assert "schedule.stop" in done.output
    assert "1 files vouched for by 1 digests" in done.output
    told = json.loads(CliRunner().invoke(audit, [*asked, "--json"]).output)
    assert [each["before"] for each in told["lines"] if each["action"] == "schedule.stop"] == ["Scheduled"]
    overwritten(doubles, bucket(landscape), key)
    assert CliRunner().invoke(audit, asked).exit_code == 1


def test_aws_s_own_sample_of_a_record_is_read() -> None:
    (found,) = [
        cloud_event(each) for each in json.loads(sample("cloudtrail-put-metric-alarm.json"))["Records"]
    ]
    assert found is not None
    assert (found.action, found.subject, found.actor.name, found.account) == (
        "alarm.put", "CloudTrail Test Alarm", "root", "123456789012",
    )  # fmt: skip
    assert json.loads(found.after or "")["threshold"] == 50.0
    assert found.time == datetime(2014, 3, 23, 21, 50, 34, tzinfo=UTC)


def test_before_is_what_an_earlier_call_that_was_done_has_set() -> None:
    names = {"name": "demo-prod-bias"}
    calls = [
        record(
            "scheduler", "UpdateSchedule", {**names, "state": "ENABLED", "scheduleExpression": "cron(1)"}, 9
        ),
        record("scheduler", "UpdateSchedule", {**names, "state": "DISABLED"}, 8, errorCode="AccessDenied"),
        record(
            "scheduler", "UpdateSchedule", {**names, "state": "DISABLED", "scheduleExpression": "cron(1)"}, 7
        ),
        record("scheduler", "DeleteSchedule", names, 6),
        record("sns", "Unsubscribe", {"subscriptionArn": "arn:x"}, 5),
        record("ec2", "RunInstances", {}, 4),
    ]
    found = in_order(each for call in reversed(calls) if (each := cloud_event(call)))
    assert [(each.before, each.after) for each in found] == [
        (None, "ENABLED cron(1)"),
        ("ENABLED cron(1)", "DISABLED"),
        ("ENABLED cron(1)", "DISABLED cron(1)"),
        ("DISABLED cron(1)", "deleted"),
        (None, "unsubscribed"),
    ]


@pytest.mark.parametrize("identity", [{}, {"type": "AWSService", "invokedBy": "scheduler.amazonaws.com"}])
def test_who_is_not_named_is_unknown_and_a_service_is_one(identity: dict[str, str]) -> None:
    found = cloud_event(record("sns", "Unsubscribe", {}, userIdentity=identity))
    assert found is not None
    assert found.actor.name == identity.get("invokedBy", "unknown")
    assert found.subject == "unknown"


def test_what_is_no_record_or_no_file_says_so() -> None:
    with pytest.raises(ValueError, match="read a record of CloudTrail: want 'eventID'"):
        cloud_event({"eventSource": "sns.amazonaws.com", "eventName": "Unsubscribe"})
    for data in (b"", b"x", gzip.compress(b"[]"), gzip.compress(b"{}")):
        with pytest.raises(ValueError, match="want gzipped JSON with Records"):
            read_log_file(data, "x")
