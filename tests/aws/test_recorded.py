"""What our code really calls, as each role, is allowed by that role's policy and is in the table of calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.aws.doubles import Doubles
from tests.aws.formation import ACCOUNT, REGION
from tests.aws.packages import package
from tests.aws.policies import Call, allowed
from tests.aws.running import Deployed
from tests.aws.stacks_of import Policy, policies_of, stacks_of
from tests.aws.steps import NOW, platform_in, trained_in_steps
from watchkeeper.adapters.memory.clock import MovedClock
from watchkeeper.adapters.memory.tracking import MemoryTracker
from watchkeeper.app.aws import jobs
from watchkeeper.app.aws.target import target_in, target_of
from watchkeeper.app.aws.training import Order, train_on_aws
from watchkeeper.app.monitoring.run import run_monitor
from watchkeeper.app.monitoring.schedule import MonitorRun
from watchkeeper.app.registry.catalogue import catalogue
from watchkeeper.app.registry.models import approve, promote
from watchkeeper.app.registry.packages import Package, keep_package
from watchkeeper.app.registry.records import create_record
from watchkeeper.app.setup.aws_sections import CENTRAL
from watchkeeper.core.values import Actor

KIM = Actor("kim", "session")
OF_CENTRAL = ("pipeline", "central-deployer")
TABLE: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    (Path(__file__).parent / "calls.yaml").read_text(encoding="utf-8")
)
ACTIONS = {
    "s3:ListObjectsV2": "s3:ListBucket",
    "amp:DescribeWorkspace": "aps:DescribeWorkspace",
    "amp:ListRuleGroupsNamespaces": "aps:ListRuleGroupsNamespaces",
    "sagemaker-runtime:InvokeEndpoint": "sagemaker:InvokeEndpoint",
}
FREE = ("sts:GetCallerIdentity",)  # needs no permission: service-authorization/latest/reference/list_awssts
NAMED = {  # what of a request names the resource, and what kind of one that is
    "PipelineName": "pipeline/{}",
    "EndpointName": "endpoint/{}",
    "TrackingServerName": "mlflow-tracking-server/{}",
    "repositoryName": "repository/{}",
    "StackName": "stack/{}/1",
    "workspaceId": "workspace/{}",
    "Name": "trail/{}",
}
ARNS = ("PipelineExecutionArn", "ModelPackageArn", "ModelPackageName", "TopicArn")
OF_NOTHING = (
    "cloudwatch:DescribeAlarms",
    "cloudwatch:ListAlarmMuteRules",
    "cloudwatch:ListMetrics",
    "sagemaker:ListProcessingJobs",
)  # they know no resource


def arn_of(service: str, name: str, asked: dict[str, Any]) -> str:
    if service == "s3":
        key = asked.get("Key", "")
        return f"arn:aws:s3:::{asked['Bucket']}" + (f"/{key}" if key else "")
    for each in ARNS:
        if each in asked:
            return str(asked[each])
    if "ChangeSetName" in asked and "StackName" not in asked:
        return ""  # by the ARN of a change set, which the stack's statement covers
    where = {"sagemaker-runtime": "sagemaker", "amp": "aps"}.get(service, service)
    if service == "sqs":
        queue = asked.get("QueueName") or asked["QueueUrl"].rpartition("/")[2]
        return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"
    if service == "ecs":
        return f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/{asked['cluster']}/{asked['services'][0]}"
    if f"{service}:{name}" in OF_NOTHING:
        return "*"
    (found,) = [form.format(asked[key]) for key, form in NAMED.items() if key in asked]
    return f"arn:aws:{where}:{REGION}:{ACCOUNT}:{found}"


def recorded(doubles: Doubles) -> Iterator[tuple[str, str]]:
    """Each action with its resource, once."""
    seen = set()
    for service, name, asked in doubles.calls:
        action = ACTIONS.get(f"{service}:{name}", f"{service}:{name}")
        if action not in FREE and (found := (action, arn_of(service, name, asked))) not in seen:
            seen.add(found)
            yield found


def hold(doubles: Doubles, deployed: Deployed, *roles: str) -> set[str]:
    """Each recorded call is one that a role of these may make, and that the table has for it; the actions."""
    stacks = stacks_of(deployed.landscape.project)
    rendered = stacks[CENTRAL, "foundation"].account
    policies = policies_of(stacks)
    called = [*recorded(doubles)]
    assert called, "nothing was recorded"
    for action, resource in called:
        tabled = [role for role in roles if action in actions_of(role)]
        assert tabled, f"{action} on {resource} is not in calls.yaml for {', '.join(roles)}"
        assert not resource or any(
            may(Call(role_arn(role, rendered), action, resource.replace(ACCOUNT, rendered)), policies)
            for role in tabled
        ), f"{action} on {resource} is denied"
    return {action for action, _ in called}


def actions_of(role: str) -> set[str]:
    return {action for line in TABLE[role] for action in line["actions"]}


def role_arn(role: str, account: str) -> str:
    scope, job = ("central", role.removeprefix("central-")) if role in OF_CENTRAL else ("dev", role)
    return f"arn:aws:iam::{account}:role/watchkeeper-demo-{scope}-{job}"


def may(call: Call, policies: Sequence[Policy]) -> bool:
    return allowed(call, policies, call.account)


def test_whoever_validates_is_a_deployer(deployed: Deployed, doubles: Doubles) -> None:
    doubles.pipelines.start({"ClientRequestToken": "t" * 32, "PipelineName": "watchkeeper-demo"})
    doubles.calls.clear()
    assert deployed.validated().ok
    called = hold(doubles, deployed, "deployer", "central-deployer")
    assert {"sagemaker:InvokeEndpoint", "ecr:DescribeImages", "sagemaker:ListPipelineExecutions"} <= called


def test_whoever_trains_is_the_central_deployer(deployed: Deployed, doubles: Doubles) -> None:
    doubles.calls.clear()
    train_on_aws(deployed.landscape, Order(wait=True), lambda _: None)
    called = hold(doubles, deployed, "central-deployer")
    assert {"sagemaker:StartPipelineExecution", "sagemaker:ListPipelineExecutionSteps"} <= called


def test_whoever_approves_and_promotes_is_the_environment_s_deployer(
    deployed: Deployed, doubles: Doubles
) -> None:
    target = target_in(deployed.landscape, deployed.folder)
    target = replace(target, tracker=replace(target.tracker, runs=MemoryTracker()))  # type: ignore[type-var]
    first = catalogue(target.store).version(1)
    create_record(target.store, "models/v2/model.json", replace(first, version=2))
    keep_package(target.store, Package(2, package(doubles), first.registered_at))
    doubles.calls.clear()
    approve(target, 2, "dev", KIM, "good figures")
    promote(target, 2, "dev", KIM)
    called = hold(doubles, deployed, "deployer")
    assert {"sagemaker:UpdateModelPackage", "cloudformation:CreateChangeSet"} <= called


def test_a_monitor_reads_captures_and_keeps_its_execution(deployed: Deployed, doubles: Doubles) -> None:
    target = target_of(deployed.landscape, "dev", deployed.folder)
    section = target.project.environment("dev").monitors["data-quality"]
    doubles.calls.clear()
    run_monitor(target, MonitorRun("data-quality", "dev", section.schedule.previous(target.clock.now())), KIM)
    assert hold(doubles, deployed, "monitor") == {"s3:GetObject", "s3:PutObject", "s3:ListBucket"}


def test_the_pipeline_s_last_step_records_as_the_pipeline(
    deployed: Deployed, doubles: Doubles, tmp_path: Path
) -> None:
    (tmp_path / "steps").mkdir()
    platform = platform_in(tmp_path / "steps")
    trained_in_steps(platform)
    target = target_in(deployed.landscape, deployed.folder, MovedClock(NOW))
    target = replace(target, tracker=replace(target.tracker, runs=MemoryTracker()))  # type: ignore[type-var]
    arn = package(doubles)
    doubles.calls.clear()
    made = jobs.record(platform.job("prepared", "project", "evaluated", "model"), target, arn)
    assert made.model is not None
    called = hold(doubles, deployed, "pipeline")
    assert {"s3:PutObject", "sagemaker:UpdateModelPackage"} <= called


def test_a_call_that_no_role_may_make_is_found(deployed: Deployed, doubles: Doubles) -> None:
    doubles.calls[:] = [("s3", "DeleteObject", {"Bucket": deployed.landscape.bucket(CENTRAL), "Key": "x"})]
    with pytest.raises(AssertionError, match=r"s3:DeleteObject on .*/x is not in calls.yaml for monitor"):
        hold(doubles, deployed, "monitor")
    doubles.calls[:] = [
        ("s3", "PutObject", {"Bucket": deployed.landscape.bucket("dev"), "Key": "captures/x"})
    ]
    with pytest.raises(AssertionError, match=r"s3:PutObject on .*captures/x is denied"):
        hold(doubles, deployed, "monitor")
