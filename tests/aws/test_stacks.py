"""Stacks are planned, made, changed, rolled back and removed, and what an interrupted run left is taken
up."""

from __future__ import annotations

import pytest

from tests.aws.doubles import Doubles
from tests.aws.templates import FOLDER
from watchkeeper.adapters.aws.stacks import Stacks
from watchkeeper.core.errors import PlatformError
from watchkeeper.core.stacks import ChangeKind, StackRequest
from watchkeeper.core.values import Progress

CENTRAL = "watchkeeper-prices-central-foundation"


def request(**changed: str) -> StackRequest:
    text = (FOLDER / "central/foundation.yaml").read_text(encoding="utf-8")
    return StackRequest(
        CENTRAL, text, {"Project": "prices", "EnvironmentAccounts": "123456789012", **changed}
    )


@pytest.fixture
def stacks(doubles: Doubles) -> Stacks:
    return Stacks(doubles.account().client("cloudformation"))


def quiet(_: Progress) -> None:
    """Nobody looks."""


def test_a_plan_says_what_would_be_made_and_leaves_nothing(stacks: Stacks, doubles: Doubles) -> None:
    planned = stacks.changes(request())
    assert planned.new
    assert {change.kind for change in planned.changes} == {ChangeKind.ADD}
    assert {change.logical for change in planned.changes} >= {"Key", "ArtefactBucket", "EventBusPolicy"}
    assert stacks.state(CENTRAL) is None
    assert doubles.formation.stacks == {}
    assert doubles.client("s3").list_buckets()["Buckets"] == []


def test_a_stack_is_made_once_and_changed_where_it_differs(stacks: Stacks, doubles: Doubles) -> None:
    told: list[Progress] = []
    made = stacks.apply(request(), told.append)
    assert made.status == "CREATE_COMPLETE"
    assert made.outputs["KeyArn"].startswith("arn:aws:kms:")
    assert told[-1].done == told[-1].total == len(stacks.resources(CENTRAL))
    assert any("ArtefactBucket CREATE_COMPLETE" in each.note for each in told)
    bucket = made.outputs["ArtefactBucketName"]
    assert doubles.client("s3").get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert stacks.changes(request()).changes == ()
    assert stacks.apply(request(), quiet) == stacks.state(CENTRAL)
    (change,) = stacks.changes(request(RecordDays="400")).changes
    assert (change.logical, change.kind, change.properties) == (
        "ArtefactBucket",
        ChangeKind.MODIFY,
        ("LifecycleConfiguration",),
    )
    assert stacks.apply(request(RecordDays="400"), quiet).status == "UPDATE_COMPLETE"


def test_what_fails_is_rolled_back_said_and_made_again(stacks: Stacks, doubles: Doubles) -> None:
    doubles.formation.fail_on = {"EventBusPolicy"}
    with pytest.raises(
        PlatformError, match="EventBusPolicy: Resource handler said no; it is ROLLBACK_COMPLETE"
    ):
        stacks.apply(request(), quiet)
    assert doubles.client("s3").list_buckets()["Buckets"] == [], "made by a stack that never was"
    doubles.formation.fail_on = set()
    assert stacks.changes(request()).new
    assert stacks.apply(request(), quiet).status == "CREATE_COMPLETE"
    doubles.formation.fail_on = {"ArtefactBucket"}
    with pytest.raises(PlatformError, match="UPDATE_ROLLBACK_COMPLETE"):
        stacks.apply(request(RecordDays="30"), quiet)
    doubles.formation.fail_on = set()
    assert stacks.apply(request(RecordDays="30"), quiet).parameters["RecordDays"] == "30"


def test_what_is_retained_is_taken_in_again(stacks: Stacks, doubles: Doubles) -> None:
    bucket = stacks.apply(request(), quiet).outputs["ArtefactBucketName"]
    doubles.client("s3").put_object(Bucket=bucket, Key="audit/1", Body=b"kept")
    stacks.remove(CENTRAL, quiet)
    stacks.remove(CENTRAL, quiet)
    assert stacks.state(CENTRAL) is None
    assert doubles.client("s3").get_object(Bucket=bucket, Key="audit/1")["Body"].read() == b"kept"
    kinds = {change.logical: change.kind for change in stacks.changes(request()).changes}
    assert (kinds["ArtefactBucket"], kinds["EventBus"]) == (ChangeKind.IMPORT, ChangeKind.ADD)
    assert stacks.apply(request(), quiet).outputs["ArtefactBucketName"] == bucket


def test_a_template_that_lacks_a_parameter_is_refused(stacks: Stacks) -> None:
    asked = StackRequest(CENTRAL, request().template, {"Project": "prices"})
    with pytest.raises(PlatformError, match="EnvironmentAccounts"):
        stacks.changes(asked)
    assert stacks.state(CENTRAL) is None
