"""A project's stacks as CloudFormation would resolve them, without making any: for what policies say of
each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.aws.templates import Stack, parse
from watchkeeper.adapters.aws.account import Account
from watchkeeper.app.aws.central_layers import PIPELINE
from watchkeeper.app.aws.environment_layers import ENDPOINT
from watchkeeper.app.aws.landscape import Landscape
from watchkeeper.app.aws.layers import layers_of
from watchkeeper.app.aws.site import Site
from watchkeeper.app.setup.project import Project

REGION = "ap-southeast-1"
VERSION = {
    "ModelPackageArn": f"arn:aws:sagemaker:{REGION}:111111111111:model-package/watchkeeper-demo/1",
    "ModelVersion": "1",
    "BaselineVersions": "data-quality=1",
    "SchemaVersion": "1",
}


def stacks_of(project: Project, caller: str = "111111111111") -> dict[tuple[str, str], Stack]:
    """Every stack by scope and layer, each told what those before it say."""
    account = Account(None, REGION, caller, f"arn:aws:iam::{caller}:user/ana")
    landscape, made = Landscape(project, account), dict[tuple[str, str], Stack]()

    def outputs(scope: str, layer: str) -> Mapping[str, str]:
        return made[scope, layer].outputs()

    for scope in landscape.scopes:
        for layer in layers_of(landscape, scope):
            site = Site(landscape, scope, outputs)
            told = layer.told(site)
            if layer is PIPELINE:
                told["DefinitionKey"] = "pipeline/definitions/0.json"
            if layer is ENDPOINT:
                told |= VERSION
            told |= dict.fromkeys(layer.codes, "functions/0.zip")
            told |= {image: f"registry/{image}@sha256:{0:064d}" for image in layer.images}
            name, number = landscape.names.stack(scope, layer.name), landscape.number(scope)
            made[scope, layer.name] = Stack(
                parse(layer.text(site)),
                told,
                name,
                number,
                REGION,
                text=layer.text(site),
                source=layer.template,
            )
    return made


def texts_of(project: Project) -> dict[str, str]:
    """Every template with its slots filled, by its path below deploy/aws."""
    return {stack.source: stack.text for stack in stacks_of(project).values()}


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy document, and where it is: of a role what it may do, of a resource who may do what to it."""

    name: str
    account: str
    role: str  # its ARN, or "" for a resource's
    resource: str  # its ARN, or "" for a role's
    document: dict[str, Any]


def policies_of(stacks: Mapping[tuple[str, str], Stack]) -> list[Policy]:
    """Every policy of every stack."""
    return [
        policy
        for (scope, _), stack in stacks.items()
        for logical, resource in stack.resources().items()
        for policy in policy_of(f"{scope} {logical}", stack, logical, resource.type, resource.properties)
    ]


def policy_of(name: str, stack: Stack, logical: str, type_: str, p: Mapping[str, Any]) -> list[Policy]:
    """The policies of one resource."""
    account = stack.account
    if type_ == "AWS::IAM::Role":
        arn = stack.arn(logical)
        return [
            Policy(f"{name} trust", account, "", arn, p["AssumeRolePolicyDocument"]),
            *(Policy(name, account, arn, "", each["PolicyDocument"]) for each in p["Policies"]),
        ]
    if type_ == "AWS::S3::BucketPolicy":
        return [Policy(name, account, "", f"arn:aws:s3:::{p['Bucket']}", p["PolicyDocument"])]
    if type_ == "AWS::Events::EventBusPolicy":
        document = {"Version": "2012-10-17", "Statement": [{"Sid": p["StatementId"], **p["Statement"]}]}
        return [Policy(name, account, "", stack.arn("EventBus"), document)]
    if type_ in ("AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"):
        about = str(p["PolicyDocument"]["Statement"][0]["Resource"])
        return [Policy(name, account, "", about, p["PolicyDocument"])]
    key = {
        "AWS::KMS::Key": "KeyPolicy",
        "AWS::ECR::Repository": "RepositoryPolicyText",
        "AWS::SageMaker::ModelPackageGroup": "ModelPackageGroupPolicy",
    }.get(type_)
    return [Policy(name, account, "", stack.arn(logical), p[key])] if key and key in p else []
