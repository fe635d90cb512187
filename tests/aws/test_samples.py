"""Readers of AWS's answers, on the examples that its own pages give."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import boto3
import pytest
import yaml

from tests.aws import wire
from tests.webhooks import Quiet, served
from watchkeeper.adapters.aws.account import open_account
from watchkeeper.adapters.aws.errors import translated
from watchkeeper.adapters.aws.stacks import Stacks, _Operation, _Told
from watchkeeper.adapters.aws.store import S3Store
from watchkeeper.core.errors import InputError
from watchkeeper.core.stacks import StackRequest
from watchkeeper.core.values import CaptureRecord, Progress
from watchkeeper.readers.records import read_capture_lines

SAMPLES = Path(__file__).parent / "samples"
KEYS = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "us-east-1"}
CHANGE_SET = "arn:aws:cloudformation:us-east-1:123456789012:changeSet/SampleChangeSet-direct/12a3b456"


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


@contextmanager
def answering(answers: dict[str, bytes], status: int = 200) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A service that answers each action with its sample, and what it was asked."""
    asked: list[dict[str, str]] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        fields = wire.form(handler.rfile.read(int(handler.headers.get("content-length", 0))))
        asked.append(fields)
        body = answers[fields.get("Action", "")]
        handler.send_response(status)
        handler.send_header("content-type", "text/xml")
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    class Handler(Quiet):
        def do_POST(self) -> None:
            answer(self)

        def do_GET(self) -> None:
            answer(self)

    with served(Handler) as url:
        yield url, asked


def empty(action: str) -> bytes:
    return f'<{action}Response xmlns="{wire.NAMESPACE}"><{action}Result/></{action}Response>'.encode()


def created() -> bytes:
    inner = f"<CreateChangeSetResult><Id>{CHANGE_SET}</Id></CreateChangeSetResult>"
    return f'<CreateChangeSetResponse xmlns="{wire.NAMESPACE}">{inner}</CreateChangeSetResponse>'.encode()


def test_each_sample_says_its_page_and_when_it_was_read() -> None:
    index = yaml.safe_load((SAMPLES / "index.yaml").read_text(encoding="utf-8"))
    assert set(index) == {path.name for path in SAMPLES.iterdir()} - {"index.yaml"}
    for name, said in index.items():
        assert said["page"].endswith(".html"), name
        assert date(2026, 1, 1) < said["date"], name


def test_captured_lines_are_read_as_their_page_has_them() -> None:
    read = [item for _, item in read_capture_lines("x.jsonl", sample("capture.jsonl"))]
    assert all(isinstance(item, CaptureRecord) for item in read)
    first, second = [item for item in read if isinstance(item, CaptureRecord)]
    assert (first.time, first.model_version) == (datetime(2022, 2, 14, 17, 25, 49, tzinfo=UTC), 0)
    assert first.input is not None
    assert first.output is not None
    assert first.input.data.startswith("69,0,153.7,109")
    assert (first.output.data, first.output.encoding) == ("0.0254181120544672", "CSV")
    assert second.event_id == "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"


def test_a_stack_its_changes_and_its_events_are_read() -> None:
    answers = {
        "DescribeStacks": sample("describe-stacks.xml"),
        "DescribeStackEvents": sample("describe-stack-events.xml"),
        "DescribeChangeSet": sample("describe-change-set.xml"),
        "CreateChangeSet": created(),
        "DeleteChangeSet": empty("DeleteChangeSet"),
    }
    with answering(answers) as (url, asked):
        stacks = Stacks(boto3.client("cloudformation", endpoint_url=url, **KEYS))
        state = stacks.state("MyStack")
        assert state is not None
        assert (state.status, state.there, state.running, state.failed) == (
            "CREATE_COMPLETE",
            True,
            False,
            False,
        )
        assert dict(state.outputs) == {"StartPage": "http://my-load-balancer.amazonaws.com:80/index.html"}
        found = stacks.changes(StackRequest("SampleStack", "Resources: {}", {"Purpose": "testing"}, {}))
        assert [str(change) for change in found.changes] == [
            "change MyEC2Instance (AWS::EC2::Instance): Tags"
        ]
        assert asked[-1]["Action"] == "DeleteChangeSet"
        assert asked[-1]["ChangeSetName"] == CHANGE_SET
        events = stacks._events("SampleStack")
        assert [each["ResourceStatus"] for each in events] == [
            "CREATE_IN_PROGRESS",
            "CREATE_COMPLETE",
            "CREATE_COMPLETE",
        ], "oldest first"


def test_events_of_another_operation_are_not_told() -> None:
    """The page's events carry no ClientRequestToken, as those have that somebody began by hand."""
    told: list[Progress] = []
    with answering({"DescribeStackEvents": sample("describe-stack-events.xml")}) as (url, _):
        stacks = Stacks(boto3.client("cloudformation", endpoint_url=url, **KEYS))
        _Told(_Operation("SampleStack", "a token of ours", 1), told.append).of(stacks._events("SampleStack"))
    assert told == []


def test_who_runs_this_is_the_role_and_its_session() -> None:
    with answering({"GetCallerIdentity": sample("get-caller-identity.xml")}) as (url, _):
        session = boto3.Session(**KEYS)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_ENDPOINT_URL_STS", url)
            account = open_account("us-east-1", session)
    assert (account.number, account.actor.name) == ("123456789012", "my-role-name/my-role-session-name")


def test_an_object_that_is_not_there_is_the_caller_s_mistake() -> None:
    with answering({"": sample("no-such-key.xml")}, status=404) as (url, _):
        store = S3Store(boto3.client("s3", endpoint_url=url, **KEYS), "mybucket")
        with pytest.raises(InputError, match=r"myfoto\.jpg"):
            store.read("myfoto.jpg")
        with pytest.raises(Exception, match="The resource you requested does not exist"), translated("x"):
            store.client.get_object(Bucket="mybucket", Key="myfoto.jpg")
