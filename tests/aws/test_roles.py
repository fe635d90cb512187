"""Roles: each call is allowed by the template, across accounts by both sides; nothing that no call needs is
granted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from tests.aws.doubles import Doubles
from tests.aws.policies import Call, allowed, granted
from tests.aws.projects import ONE_ACCOUNT, landscape_of, project_on_aws, quiet
from tests.aws.stacks_of import Policy, policies_of, stacks_of
from watchkeeper.adapters.aws.account import open_account
from watchkeeper.app.aws.deploying import Choice, deploy
from watchkeeper.core.errors import DeniedError

CENTRAL_ACCOUNT, DEV_ACCOUNT, PROD_ACCOUNT = "111111111111", "222222222222", "333333333333"
ACCOUNTS = (
    f'{{central: "{CENTRAL_ACCOUNT}", dev: "{DEV_ACCOUNT}", uat: "{DEV_ACCOUNT}", prod: "{PROD_ACCOUNT}"}}'
)
AWS = f"targets:\n  local: {{}}\n  aws: {{region: ap-southeast-1, accounts: {ACCOUNTS}}}\n"
THREE_ACCOUNTS = ("receivers:\n", f"{AWS}receivers:\n")
OF_CENTRAL = ("pipeline", "retrain", "collector", "central-deployer")
TABLE: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    (Path(__file__).parent / "calls.yaml").read_text(encoding="utf-8")
)


@dataclass(frozen=True)
class Rendered:
    """A project's policies, and what the table's words stand for in it."""

    policies: list[Policy]
    words: dict[str, str]

    def role(self, job: str) -> str:
        scope = "central" if job in OF_CENTRAL else "prod"
        account = self.words["central" if job in OF_CENTRAL else "environment"]
        return f"arn:aws:iam::{account}:role/watchkeeper-demo-{scope}-{job.removeprefix('central-')}"

    def calls(self, job: str) -> Iterator[tuple[Call, dict[str, Any]]]:
        for line in TABLE[job]:
            resource = re.sub(r"\$\{([\w-]+)\}", lambda found: self.words[found[1]], line["resource"])
            for action in line["actions"]:
                yield Call(self.role(job), action, resource, line.get("context", {})), line

    def owner(self, resource: str) -> str:
        """The account that a resource is in; a bucket's is in its name."""
        if resource == "*":
            return ""
        parts = resource.split(":")
        return parts[4] or next(account for account in (PROD_ACCOUNT, CENTRAL_ACCOUNT) if account in resource)


def rendered(folder: Path, change: tuple[str, str]) -> Rendered:
    stacks = stacks_of(project_on_aws(folder, change))
    central, prod = stacks["central", "foundation"], stacks["prod", "foundation"]
    words = {
        "central": central.account,
        "environment": prod.account,
        "bucket": central.outputs()["ArtefactBucketName"],
        "captures": prod.outputs()["CaptureBucketName"],
        "central-key": central.outputs()["KeyArn"],
        "key": prod.outputs()["KeyArn"],
    }
    return Rendered(policies_of(stacks), words)


@pytest.fixture(params=[ONE_ACCOUNT, THREE_ACCOUNTS], ids=["one account", "three accounts"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Rendered:
    return rendered(tmp_path, request.param)


@pytest.mark.parametrize("job", TABLE)
def test_every_call_is_allowed_by_both_sides(project: Rendered, job: str) -> None:
    for call, line in project.calls(job):
        owner = project.owner(call.resource) or call.account
        assert allowed(call, project.policies, owner), f"{job}: {call.action} on {call.resource}"
        assert line["by"] == "ours" or line["page"], line


def applies(action: str, resource: str) -> bool:
    """Whether an action can be about such a resource at all: listing is of buckets, and so on.

    Source: docs.aws.amazon.com/service-authorization/latest/reference.
    """
    service, _, verb = action.partition(":")
    if service == "s3":
        return ("/" in resource) == (verb != "ListBucket")
    if service == "ec2":
        return verb == "CreateNetworkInterface" or ":network-interface/" in resource or resource == "*"
    kind = resource.split(":")[-1].partition("/")[0]
    noun = re.sub(r"^(Create|Describe|Update|Delete|Stop|ListTrainingJobsFor)", "", verb)
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", noun).lower().removesuffix("-for-endpoint")
    kinds = {"processing-job", "training-job", "hyper-parameter-tuning-job", "model", "endpoint-config"}
    if verb == "DescribeEndpoint":
        return kind == "endpoint"
    return (
        service != "sagemaker"
        or words == kind
        or words not in kinds | {"model-package", "model-package-group"}
    )


@pytest.mark.parametrize("job", TABLE)
def test_nothing_is_granted_that_no_call_needs(project: Rendered, job: str) -> None:
    called = [call for call, _ in project.calls(job)]
    unused = [
        (action, resource)
        for action, resource in sorted(granted(project.policies, project.role(job)))
        if applies(action, resource)
        and not any(call.action == action and fnmatchcase(call.resource, resource) for call in called)
    ]
    assert unused == []


def test_every_role_of_every_template_is_in_the_table(project: Rendered) -> None:
    roles = {policy.role for policy in project.policies if policy.role}
    known = {project.role(job) for job in TABLE}
    others = {role for role in roles if "-prod-" in role or "-central-" in role} - known
    assert {role.rpartition("-")[2] for role in others} == {"tracking"}


@pytest.mark.parametrize(
    ("job", "action", "on"),
    [
        ("monitor", "kms:Decrypt", "arn:aws:kms:ap-southeast-1:333333333333:key/foreign"),
        (
            "monitor",
            "secretsmanager:GetSecretValue",
            "arn:aws:secretsmanager:ap-southeast-1:333333333333:secret:x",
        ),
        ("monitor", "s3:DeleteObject", "arn:aws:s3:::${bucket}/audit/0000000001.json"),
        ("endpoint", "s3:PutObject", "arn:aws:s3:::${bucket}/models/v1/model.json"),
        ("endpoint", "s3:GetObject", "arn:aws:s3:::${captures}/captures/prod/x"),
        (
            "retrain",
            "sagemaker:StartPipelineExecution",
            "arn:aws:sagemaker:ap-southeast-1:${central}:pipeline/other",
        ),
        ("retrain", "s3:PutObject", "arn:aws:s3:::${bucket}/models/v1/model.json"),
        ("bridge", "events:PutEvents", "arn:aws:events:ap-southeast-1:${central}:event-bus/default"),
        (
            "deployer",
            "sagemaker:UpdateEndpoint",
            "arn:aws:sagemaker:ap-southeast-1:${environment}:endpoint/other",
        ),
        ("deployer", "iam:PassRole", "arn:aws:iam::${environment}:role/admin"),
        ("collector", "s3:GetObject", "arn:aws:s3:::${bucket}/models/v1/model.json"),
        ("pipeline", "s3:GetObject", "arn:aws:s3:::${captures}/captures/prod/x"),
    ],
)
def test_what_a_role_must_not_do_it_cannot(tmp_path: Path, job: str, action: str, on: str) -> None:
    project = rendered(tmp_path, THREE_ACCOUNTS)
    resource = re.sub(r"\$\{([\w-]+)\}", lambda found: project.words[found[1]], on)
    assert not allowed(Call(project.role(job), action, resource), project.policies, project.owner(resource))


def test_a_role_of_another_project_or_account_is_admitted_nowhere(tmp_path: Path) -> None:
    project = rendered(tmp_path, THREE_ACCOUNTS)
    key = f"arn:aws:s3:::{project.words['bucket']}/models/v1/model.json"
    for role in (
        f"arn:aws:iam::{PROD_ACCOUNT}:role/watchkeeper-other-prod-monitor",
        f"arn:aws:iam::{PROD_ACCOUNT}:role/admin",
        "arn:aws:iam::999999999999:role/watchkeeper-demo-prod-monitor",
    ):
        yes = Policy("own", role.split(":")[4], role, "", _everything())
        assert not allowed(Call(role, "s3:GetObject", key), [*project.policies, yes], CENTRAL_ACCOUNT), role


def _everything() -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


# What MiniStack enforces, it enforces of the deployed roles.


@pytest.fixture
def deployed(doubles: Doubles, tmp_path: Path) -> Doubles:
    deploy(landscape_of(doubles, tmp_path), Choice(("central", "prod")), quiet)
    return doubles


def as_role(doubles: Doubles, scope: str, job: str) -> Any:
    """Clients of a deployed role, which a job has taken on; the trust is set to the test's account for
    that."""
    name = f"watchkeeper-demo-{scope}-{job}"
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    doubles.client("iam").update_assume_role_policy(RoleName=name, PolicyDocument=document)
    arn = f"arn:aws:iam::123456789012:role/{name}"
    taken = doubles.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    return doubles.session(
        aws_access_key_id=taken["AccessKeyId"],
        aws_secret_access_key=taken["SecretAccessKey"],
        aws_session_token=taken["SessionToken"],
    )


def denied(call: Any, **asked: Any) -> bool:
    try:
        call(**asked)
    except ClientError as error:
        return error.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException", "403")
    return False


def test_deployed_roles_do_their_work_and_nothing_else(deployed: Doubles) -> None:
    central = "watchkeeper-demo-central-123456789012-ap-southeast-1"
    captures = "watchkeeper-demo-prod-123456789012-ap-southeast-1"
    root = deployed.client("s3")
    root.put_object(Bucket=central, Key="models/v1/model.json", Body=b"{}")
    root.put_object(Bucket=central, Key="audit/0000000001.json", Body=b"{}")
    root.put_object(Bucket=captures, Key="captures/prod/x.jsonl", Body=b"{}")
    endpoint = as_role(deployed, "prod", "endpoint").client("s3")
    endpoint.get_object(Bucket=central, Key="models/v1/model.json")
    endpoint.put_object(Bucket=captures, Key="captures/prod/y.jsonl", Body=b"{}")
    assert denied(endpoint.get_object, Bucket=captures, Key="captures/prod/x.jsonl")
    assert denied(endpoint.put_object, Bucket=central, Key="models/v1/model.json", Body=b"")
    monitor = as_role(deployed, "prod", "monitor")
    monitor.client("s3").get_object(Bucket=captures, Key="captures/prod/x.jsonl")
    monitor.client("s3").put_object(Bucket=central, Key="executions/x/execution.json", Body=b"{}")
    assert denied(monitor.client("s3").delete_object, Bucket=central, Key="audit/0000000001.json")
    deployed.client("secretsmanager").create_secret(Name="theirs", SecretString="x")
    assert denied(monitor.client("secretsmanager").get_secret_value, SecretId="theirs")
    bridge = as_role(deployed, "prod", "bridge").client("events")
    event = {"Source": "watchkeeper", "DetailType": "alert", "Detail": "{}"}
    bridge.put_events(Entries=[{**event, "EventBusName": "watchkeeper-demo"}])
    assert denied(bridge.put_rule, Name="x", EventPattern="{}")
    starter = as_role(deployed, "prod", "starter")
    starter.client("s3").put_object(Bucket=captures, Key="manifests/x.json", Body=b"[]")
    assert denied(starter.client("s3").put_object, Bucket=captures, Key="captures/prod/z.jsonl", Body=b"")
    assert denied(starter.client("s3").get_object, Bucket=captures, Key="captures/prod/x.jsonl")
    due = deployed.client("sqs").create_queue(QueueName="watchkeeper-demo-prod-due")["QueueUrl"]
    other = deployed.client("sqs").create_queue(QueueName="another")["QueueUrl"]
    starter.client("sqs").send_message(QueueUrl=due, MessageBody="{}")
    assert denied(starter.client("sqs").send_message, QueueUrl=other, MessageBody="{}")
    retrain = as_role(deployed, "central", "retrain").client("s3")
    retrain.put_object(Bucket=central, Key="decisions/prod/x.json", Body=b"{}")
    assert denied(retrain.put_object, Bucket=central, Key="models/v1/model.json", Body=b"")
    reader = as_role(deployed, "prod", "reader").client("cloudwatch")
    reader.list_metrics()
    datum = {"MetricName": "x", "Value": 1.0}
    assert denied(reader.put_metric_data, Namespace="Watchkeeper", MetricData=[datum])


def test_who_is_denied_is_told_what_and_a_wrong_secret_is_refused(deployed: Doubles) -> None:
    held = as_role(deployed, "prod", "bridge").get_credentials().get_frozen_credentials()
    wrong = deployed.session(
        aws_access_key_id=held.access_key, aws_secret_access_key="wrong", aws_session_token=held.token
    )
    with pytest.raises(DeniedError, match="SignatureDoesNotMatch"):
        open_account("ap-southeast-1", wrong)
