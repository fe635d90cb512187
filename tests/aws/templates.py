"""Our templates, read and resolved as CloudFormation would: conditions, references and functions, for one
account.

Knows the functions that our templates use and refuses others, so that none is passed over in silence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import yaml

from tests.shared import CHECKOUT

FOLDER = CHECKOUT / "deploy" / "aws"
NO_TEMPLATES = ("buildspec.yaml", "prices.yaml", "needs.yaml")
TEMPLATES = sorted(
    path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.yaml") if path.name not in NO_TEMPLATES
)
NO_VALUE = object()
_ZONES = ("a", "b", "c")


class _Loader(yaml.SafeLoader):
    pass


def _tagged(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    """`!Sub text` as `{"Fn::Sub": text}`."""
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    if name == "Fn::GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {name: value}


_Loader.add_multi_constructor("!", _tagged)


@cache
def parse(text: str) -> dict[str, Any]:
    """A template's text with its functions in their long form; not to be changed."""
    found = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader with CloudFormation's tags
    assert isinstance(found, dict)
    return found


def template(name: str) -> dict[str, Any]:
    """One of ours, by its path below deploy/aws."""
    return parse((FOLDER / name).read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of a stack with its functions resolved."""

    logical: str
    type: str
    physical: str
    properties: dict[str, Any]
    deletion_policy: str


@dataclass(frozen=True)
class Stack:
    """A template with its parameters in an account; `physical` overrides what resources are called."""

    document: Mapping[str, Any]
    parameters: Mapping[str, str]
    name: str = "stack"
    account: str = "123456789012"
    region: str = "ap-southeast-1"
    attributes: Mapping[tuple[str, str], str] = field(default_factory=dict)
    text: str = ""
    source: str = ""

    def values(self) -> dict[str, Any]:
        """Each parameter as it is referred to. Raises ValueError for a missing or unknown one."""
        declared = self.document.get("Parameters", {})
        if unknown := sorted(set(self.parameters) - set(declared)):
            raise ValueError(f"Parameters: {unknown} do not exist in the template")
        found = {}
        for name, section in declared.items():
            if name not in self.parameters and "Default" not in section:
                raise ValueError(f"Parameters: [{name}] must have values")
            text = str(self.parameters.get(name, section.get("Default")))
            _check(name, section, text)
            listed = section["Type"] == "CommaDelimitedList"
            found[name] = text.split(",") if listed else text
        return found

    def resources(self) -> dict[str, Resource]:
        """Those whose condition holds."""
        found = {}
        for logical, section in self.document["Resources"].items():
            if "Condition" in section and not self.holds(section["Condition"]):
                continue
            properties = self.resolve(section.get("Properties", {}))
            found[logical] = Resource(
                logical,
                section["Type"],
                self.physical(logical),
                properties,
                section.get("DeletionPolicy", "Delete"),
            )
        return found

    def outputs(self) -> dict[str, str]:
        return {
            name: self.resolve(section["Value"]) for name, section in self.document.get("Outputs", {}).items()
        }

    def holds(self, condition: str) -> bool:
        return bool(self._condition(self.document["Conditions"][condition]))

    def physical(self, logical: str) -> str:
        """What `Ref` gives: the name that the template says, or one of CloudFormation's making."""
        section = self.document["Resources"][logical]
        properties, type_ = section.get("Properties", {}), section["Type"]
        for key in _NAMES.get(type_, ()):
            if key in properties:
                return self._referred(type_, str(self.resolve(properties[key])))
        return self.attributes.get((logical, "Ref"), f"{self.name}-{logical}-1A2B3C")

    def _referred(self, type_: str, name: str) -> str:
        """Of some types `Ref` is not the name."""
        here = f"{self.region}:{self.account}"
        match type_:
            case "AWS::SNS::Topic":
                return f"arn:aws:sns:{here}:{name}"
            case "AWS::SQS::Queue":
                return f"https://sqs.{self.region}.amazonaws.com/{self.account}/{name}"
        return name

    def arn(self, logical: str) -> str:
        type_, name = self.document["Resources"][logical]["Type"], self.physical(logical)
        if type_ == "AWS::SQS::Queue":
            name = name.rpartition("/")[2]
        if type_ == "AWS::S3::Bucket":
            return f"arn:aws:s3:::{name}"
        if type_ == "AWS::IAM::Role":
            path = self.resolve(self.document["Resources"][logical]["Properties"].get("Path", "/"))
            return f"arn:aws:iam::{self.account}:role{path}{name}"
        if type_ == "AWS::Events::Rule":
            bus = self.document["Resources"][logical]["Properties"].get("EventBusName")
            name = f"{self.resolve(bus)}/{name}" if bus else name
        if type_ in _ARNS:
            service, kind = _ARNS[type_]
            return f"arn:aws:{service}:{self.region}:{self.account}:{kind.format(name)}"
        raise ValueError(f"no ARN is known of a {type_}")

    def resolve(self, value: Any) -> Any:
        """A value without functions; what is `AWS::NoValue` goes away."""
        if isinstance(value, list):
            made = [self.resolve(each) for each in value]
            return [each for each in made if each is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref":
                return self._ref(argument)
            if name.startswith("Fn::"):
                return self._call(name, argument)
        held = {key: self.resolve(each) for key, each in value.items()}
        return {key: each for key, each in held.items() if each is not NO_VALUE}

    def _ref(self, name: str) -> Any:
        pseudo = {
            "AWS::AccountId": self.account,
            "AWS::Region": self.region,
            "AWS::Partition": "aws",
            "AWS::StackName": self.name,
            "AWS::NoValue": NO_VALUE,
        }
        if name in pseudo:
            return pseudo[name]
        if name in self.document.get("Parameters", {}):
            return self.values()[name]
        if name in self.document["Resources"]:
            return self.physical(name)
        raise ValueError(f"Unresolved resource dependencies [{name}]")

    def _attribute(self, logical: str, attribute: str) -> str:
        if (logical, attribute) in self.attributes:
            return self.attributes[logical, attribute]
        name = self.physical(logical)
        if attribute == "QueueName":
            return str(self.resolve(self.document["Resources"][logical]["Properties"]["QueueName"]))
        if attribute == "PrometheusEndpoint":
            return f"https://aps-workspaces.{self.region}.amazonaws.com/workspaces/{name}/"
        if attribute == "FunctionUrl":
            return f"https://{self.name}.lambda-url.{self.region}.on.aws/"
        if attribute in ("Arn", "ModelPackageGroupArn", "TrackingServerArn"):
            return self.arn(logical)
        if attribute == "RepositoryUri":
            return f"{self.account}.dkr.ecr.{self.region}.amazonaws.com/{name}"
        if attribute in (
            "JobDefinitionName",
            "ModelName",
            "EndpointConfigName",
            "EndpointName",
            "GroupId",
            "WorkspaceId",
        ):
            return name
        raise ValueError(f"no attribute {attribute} is known of {logical}")

    def _call(self, function: str, argument: Any) -> Any:
        match function:
            case "Fn::Sub" if isinstance(argument, list):
                text, given = argument[0], {key: self.resolve(each) for key, each in argument[1].items()}
                return re.sub(r"\$\{([^}]+)\}", lambda m: given.get(m[1]) or self._within(m[1]), text)
            case "Fn::Sub":
                return re.sub(r"\$\{([^}]+)\}", lambda found: self._within(found[1]), argument)
            case "Fn::GetAtt":
                return self._attribute(*argument)
            case "Fn::If":
                return self.resolve(argument[1 if self.holds(argument[0]) else 2])
            case "Fn::Join":
                return argument[0].join(self.resolve(argument[1]))
            case "Fn::Select":
                return self.resolve(argument[1])[int(argument[0])]
            case "Fn::GetAZs":
                return [self.region + each for each in _ZONES]
            case "Fn::Cidr":
                return [f"{self.resolve(argument[0])}#{n}" for n in range(int(argument[1]))]
        raise ValueError(f"our templates do not use {function}")

    def _within(self, name: str) -> str:
        if name in self.document["Resources"] or "." not in name:
            return str(self._ref(name))
        return self._attribute(*name.split(".", 1))

    def _condition(self, value: Any) -> bool:
        ((name, argument),) = value.items()
        match name:
            case "Condition":
                return self.holds(argument)
            case "Fn::Equals":
                left, right = (str(self.resolve(each)) for each in argument)
                return left == right
            case "Fn::Not":
                return not self._condition(argument[0])
            case "Fn::And":
                return all(map(self._condition, argument))
            case "Fn::Or":
                return any(map(self._condition, argument))
        raise ValueError(f"our templates do not use {name}")


_ARNS = {  # service, and how the resource is named
    "AWS::KMS::Key": ("kms", "key/{}"),
    "AWS::Events::EventBus": ("events", "event-bus/{}"),
    "AWS::Events::Rule": ("events", "rule/{}"),
    "AWS::ECR::Repository": ("ecr", "repository/{}"),
    "AWS::SQS::Queue": ("sqs", "{}"),
    "AWS::Lambda::Function": ("lambda", "function:{}"),
    "AWS::Logs::LogGroup": ("logs", "log-group:{}:*"),
    "AWS::APS::Workspace": ("aps", "workspace/{}"),
    "AWS::CloudTrail::Trail": ("cloudtrail", "trail/{}"),
    "AWS::SageMaker::ModelPackageGroup": ("sagemaker", "model-package-group/{}"),
    "AWS::SageMaker::MlflowTrackingServer": ("sagemaker", "mlflow-tracking-server/{}"),
}
_NAMES: dict[str, tuple[str, ...]] = {
    "AWS::S3::Bucket": ("BucketName",),
    "AWS::IAM::Role": ("RoleName",),
    "AWS::KMS::Alias": ("AliasName",),
    "AWS::ECR::Repository": ("RepositoryName",),
    "AWS::Events::EventBus": ("Name",),
    "AWS::Logs::LogGroup": ("LogGroupName",),
    "AWS::CloudWatch::Alarm": ("AlarmName",),
    "AWS::CloudTrail::Trail": ("TrailName",),
    "AWS::SQS::Queue": ("QueueName",),
    "AWS::SNS::Topic": ("TopicName",),
    "AWS::Lambda::Function": ("FunctionName",),
    "AWS::Events::Rule": ("Name",),
    "AWS::Scheduler::ScheduleGroup": ("Name",),
    "AWS::Scheduler::Schedule": ("Name",),
    "AWS::ECS::Cluster": ("ClusterName",),
    "AWS::SageMaker::ModelPackageGroup": ("ModelPackageGroupName",),
    "AWS::SageMaker::Pipeline": ("PipelineName",),
    "AWS::SageMaker::Endpoint": ("EndpointName",),
    "AWS::SageMaker::MlflowTrackingServer": ("TrackingServerName",),
}


def _check(name: str, section: Mapping[str, Any], text: str) -> None:
    pattern, allowed = section.get("AllowedPattern"), section.get("AllowedValues")
    if pattern and not re.fullmatch(pattern, text):
        raise ValueError(f"Parameter {name} failed to satisfy constraint: must match pattern {pattern}")
    if allowed and text not in map(str, allowed):
        raise ValueError(f"Parameter '{name}' must be one of AllowedValues")
    if section["Type"] == "Number":
        number = float(text)
        if not section.get("MinValue", number) <= number <= section.get("MaxValue", number):
            raise ValueError(f"Parameter '{name}' must be a number within its bounds")
    if len(text) > section.get("MaxLength", len(text)):
        raise ValueError(f"Parameter '{name}' must contain at most {section['MaxLength']} characters")
