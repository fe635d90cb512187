"""A project is planned, deployed in stages, found as it was approved, and taken away, on an account of
doubles."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.aws.doubles import Doubles
from tests.aws.projects import (
    ALL,
    ANA,
    ONE_ACCOUNT,
    add_version,
    landscape_of,
    push_images,
    put_into_service,
    quiet,
)
from tests.aws.running import BEFORE, HERE
from tests.training.history import sales
from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.adapters.memory.tracking import MemoryTracker
from watchkeeper.adapters.sources.dataset import dataset
from watchkeeper.app.aws.deploying import Choice, Outcome, deploy, plan_layers
from watchkeeper.app.aws.destroying import destroy
from watchkeeper.app.aws.landscape import Landscape
from watchkeeper.app.aws.planning import CALLS
from watchkeeper.app.aws.status import aws_status
from watchkeeper.app.aws.target import target_in
from watchkeeper.app.aws.training import Order, put_data, train_on_aws
from watchkeeper.app.registry.models import promote
from watchkeeper.app.registry.stored_data import stored_data
from watchkeeper.app.setup.audit import log
from watchkeeper.app.setup.aws_sections import CENTRAL
from watchkeeper.core.errors import InputError, PlatformError, Refused

EVERYTHING = Choice(ALL)


@pytest.fixture
def landscape(doubles: Doubles, tmp_path: Path) -> Landscape:
    return landscape_of(doubles, tmp_path)


def outcomes(landscape: Landscape, choice: Choice = EVERYTHING) -> dict[str, str]:
    done = deploy(landscape, choice, quiet)
    return {f"{each.scope} {each.layer}": each.outcome.value for each in done.stages}


def whole(doubles: Doubles, landscape: Landscape, choice: Choice = EVERYTHING) -> None:
    """Everything chosen deployed, version 1 in every environment."""
    deploy(landscape, BEFORE, quiet)
    store = landscape.central_store()
    push_images(store)
    add_version(doubles, store, 1)
    for environment in landscape.project.environments:
        put_into_service(store, landscape.project, 1, environment)
    deploy(landscape, choice, quiet)


def test_an_empty_account_is_planned_deployed_in_stages_and_then_unchanged(
    landscape: Landscape, doubles: Doubles
) -> None:
    planned = plan_layers(landscape, EVERYTHING)
    assert doubles.formation.stacks == {}
    assert all(each.changes.changes for each in planned if each.changes)
    waiting = {f"{each.scope} {each.layer}": each.waiting.reason for each in planned if each.waiting}
    assert waiting["central pipeline"] == "waiting for images"
    assert waiting["prod endpoint"] == "waiting for an approved model in prod"
    first = deploy(landscape, EVERYTHING, quiet)
    assert {stage.outcome for stage in first.stages} == {Outcome.MADE, Outcome.WAITING}
    copies = "--mirror amazon/aws-otel-collector:v0.43.3 --mirror prom/cloudwatch-exporter:v0.16.0"
    assert [each.command for each in first.waiting][:3] == [
        "watchkeeper aws images push",
        f"watchkeeper aws images push {copies}",
        "watchkeeper train --target aws --wait",
    ]
    assert not [stage for stage in first.stages if stage.layer == "network" and stage.scope != CENTRAL]
    store = landscape.central_store()
    push_images(store)
    second = outcomes(landscape)
    assert (second["central pipeline"], second["central collector"], second["dev monitors"]) == ("made",) * 3
    assert {text for name, text in second.items() if "endpoint" in name} == {"waiting"}
    assert {text for name, text in second.items() if "roles" in name or "foundation" in name} == {"unchanged"}
    add_version(doubles, store, 1)
    promote(replace(target_in(landscape, Path("/nonexistent")), tracker=MemoryTracker()), 1, "dev", ANA)
    third = deploy(landscape, EVERYTHING, quiet)
    assert {stage.scope for stage in third.stages if stage.outcome is Outcome.WAITING} == {"uat", "prod"}
    assert "watchkeeper models promote 1 --to uat --target aws" in [each.command for each in third.waiting]
    again = plan_layers(landscape, EVERYTHING)
    assert [each.changes.changes for each in again if each.changes] == [()] * 25
    told = [entry.event for entry in log(target_in(landscape, Path("/nonexistent")).trail)]
    assert len([event for event in told if event.action == "aws.deploy"]) == 25
    assert {event.actor.how for event in told if event.action == "aws.deploy"} == {"session"}


def test_what_the_registry_serves_the_stack_serves_and_status_says_when_not(
    landscape: Landscape, doubles: Doubles
) -> None:
    whole(doubles, landscape)
    assert aws_status(landscape, EVERYTHING).ok
    store = landscape.central_store()
    add_version(doubles, store, 2)
    put_into_service(store, landscape.project, 2, "prod", 2)
    found = {each.environment: each for each in aws_status(landscape, EVERYTHING).serving}
    assert found["prod"].faults == ("the records say that v2 serves, the stack serves v1",)
    assert found["uat"].faults == ()
    changed = outcomes(landscape, Choice(("prod",)))
    assert {name for name, outcome in changed.items() if outcome != "unchanged"} == {"prod endpoint"}
    assert len(changed) == 6
    assert aws_status(landscape, EVERYTHING).ok
    (config,) = [
        each
        for each in doubles.client("sagemaker").list_endpoints()["Endpoints"]
        if each["EndpointName"] == "demo-prod"
    ]
    tags = doubles.client("sagemaker").list_tags(ResourceArn=config["EndpointArn"])["Tags"]
    assert {"Key": "watchkeeper-model-version", "Value": "2"} in tags


def test_whoever_deploys_calls_what_the_plan_says_and_nothing_else(
    landscape: Landscape, doubles: Doubles
) -> None:
    whole(doubles, landscape, HERE)
    destroy(landscape, HERE, quiet)
    spelt = {"ListObjectsV2": "ListBucket"}
    called = {f"{service}:{spelt.get(name, name)}" for service, name, _ in doubles.calls}
    assert called <= set(CALLS), called - set(CALLS)
    # CloudFormation asks for the first; the second is called of a stack whose making failed.
    assert set(CALLS) - called == {"iam:PassRole", "cloudformation:ListStackResources"}


def test_a_stack_that_is_missing_or_broken_is_no_good_status(landscape: Landscape, doubles: Doubles) -> None:
    whole(doubles, landscape, HERE)
    doubles.formation.stacks["watchkeeper-demo-dev-foundation"].status = "UPDATE_ROLLBACK_FAILED"
    del doubles.formation.stacks["watchkeeper-demo-dev-roles"]
    standing = {each.stack: each for each in aws_status(landscape, HERE).stacks if not each.ok}
    assert {name.removeprefix("watchkeeper-demo-"): each.status for name, each in standing.items()} == {
        "dev-roles": "missing",
        "dev-foundation": "UPDATE_ROLLBACK_FAILED",
    }


def test_destroy_takes_endpoints_before_what_they_stand_on_and_keeps_the_records(
    landscape: Landscape, doubles: Doubles
) -> None:
    whole(doubles, landscape)
    store = landscape.central_store()
    kept = store.list("")
    done = destroy(landscape, EVERYTHING, quiet)
    order = [name.removeprefix("watchkeeper-demo-") for name in done.stacks]
    parts = ("monitors", "endpoint", "alarms", "alerting", "roles", "foundation")
    assert order[:6] == [f"prod-{part}" for part in parts]
    assert order[-1] == "central-foundation"
    assert len(order) == 9 + 3 * 6
    assert [each for each in store.list("") if not each.startswith("audit-")] == [
        each for each in kept if not each.startswith("audit-")
    ]
    assert doubles.client("sagemaker").list_endpoints()["Endpoints"] == []
    assert doubles.client("iam").list_roles()["Roles"] == []
    assert [stack for stack in doubles.formation.stacks.values() if stack.status != "DELETE_COMPLETE"] == []
    assert {text for name, text in outcomes(landscape).items()} == {"made"}, (
        "taken in again, from the records"
    )
    destroy(landscape, EVERYTHING, quiet)
    gone = destroy(landscape, EVERYTHING, quiet, records=True)
    assert (gone.stacks, len(gone.emptied), gone.emptied[-1]) == ((), 4, landscape.bucket(CENTRAL))
    assert [each["Name"] for each in doubles.client("s3").list_buckets()["Buckets"]] == [
        landscape.names.trail_bucket("123456789012")
    ], "who did it stays on record, and its files are locked"


def test_one_layer_is_deployed_alone_and_needs_those_before_it(landscape: Landscape) -> None:
    with pytest.raises(InputError, match=r"watchkeeper-demo-central-foundation.*deploy --central"):
        deploy(landscape, Choice((CENTRAL,), "roles"), quiet)
    assert outcomes(landscape, Choice((CENTRAL,), "foundation")) == {"central foundation": "made"}
    with pytest.raises(
        InputError, match="find layer network of dev: want one of foundation, roles, alerting, alarms"
    ):
        deploy(landscape, Choice(("dev",), "network"), quiet)


def test_a_layer_that_fails_is_rolled_back_and_the_next_run_goes_on(
    landscape: Landscape, doubles: Doubles
) -> None:
    doubles.formation.fail_on = {"MonitorRole"}
    with pytest.raises(PlatformError, match="dev-roles: MonitorRole: Resource handler said no"):
        deploy(landscape, EVERYTHING, quiet)
    doubles.formation.fail_on = set()
    assert outcomes(landscape, Choice(("dev",)))["dev roles"] == "made"


def test_training_needs_images_and_data_and_starts_the_pipeline_once(
    landscape: Landscape, doubles: Doubles
) -> None:
    deploy(landscape, Choice((CENTRAL,)), quiet)
    with pytest.raises(Refused, match="waiting for images; run `watchkeeper aws images push`"):
        train_on_aws(landscape, Order(), quiet)
    store = landscape.central_store()
    push_images(store)
    with pytest.raises(Refused, match="watchkeeper data fetch --target aws"):
        train_on_aws(landscape, Order(), quiet)
    rows = dataset(sales(), "file", "")
    stored = put_data(store, rows, ANA, WallClock())
    assert put_data(store, rows, ANA, WallClock()) == stored == stored_data(store)
    doubles.pipelines.plan = [("Prepare", "Succeeded"), ("Tune", "Succeeded"), ("Evaluate", "Succeeded")]
    done = train_on_aws(landscape, Order(token="0" * 32, reasons="decision-1", wait=True), quiet)
    assert done.run is not None
    assert (done.run.status, [step.name for step in done.run.steps]) == (
        "Succeeded",
        ["Prepare", "Tune", "Evaluate"],
    )
    again = train_on_aws(landscape, Order(token="0" * 32, reasons="decision-1"), quiet)
    assert (again.execution, len(doubles.pipelines.executions)) == (done.execution, 1)
    (execution,) = doubles.pipelines.executions.values()
    told = {each["Name"]: each["Value"] for each in execution["asked"]["PipelineParameters"]}
    assert told["DataUri"] == f"s3://{landscape.bucket(CENTRAL)}/{stored.key}"
    assert told["Reasons"] == "decision-1"


def test_the_pipeline_s_stack_has_the_definition_of_the_project_file(
    landscape: Landscape, doubles: Doubles, tmp_path: Path
) -> None:
    deploy(landscape, Choice((CENTRAL,)), quiet)
    push_images(landscape.central_store())
    deploy(landscape, Choice((CENTRAL,)), quiet)
    found = doubles.client("sagemaker").describe_pipeline(PipelineName="watchkeeper-demo")
    steps = [each["Name"] for each in json.loads(found["PipelineDefinition"])["Steps"]]
    assert steps == ["Prepare", "Tune", "Evaluate", "Accepted"]
    other = landscape_of(doubles, tmp_path / "other", ONE_ACCOUNT, ("trials: 1", "trials: 9"))
    (planned,) = [each for each in plan_layers(other, Choice((CENTRAL,))) if each.layer == "pipeline"]
    assert planned.changes is not None
    assert [str(change) for change in planned.changes.changes] == [
        "change Pipeline (AWS::SageMaker::Pipeline): PipelineDefinition"
    ]
