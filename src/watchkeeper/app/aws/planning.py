"""A plan: what would change, which permissions that needs, what it costs, and which series will be there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

import yaml

from watchkeeper.app.aws.costs import MonthlyCost, Prices, Traffic, monthly_cost
from watchkeeper.app.aws.deploying import Choice, LayerPlan, plan_layers
from watchkeeper.app.aws.landscape import Landscape
from watchkeeper.app.aws.layers import planned_outputs
from watchkeeper.app.aws.series import Series, expected_series
from watchkeeper.app.aws.site import Site, templates_folder
from watchkeeper.app.setup.aws_sections import CENTRAL

CALLS = (  # our own, beside those that CloudFormation makes in our name
    "cloudformation:CreateChangeSet",
    "cloudformation:DeleteChangeSet",
    "cloudformation:DeleteStack",
    "cloudformation:DescribeChangeSet",
    "cloudformation:DescribeStackEvents",
    "cloudformation:DescribeStacks",
    "cloudformation:ExecuteChangeSet",
    "cloudformation:ListStackResources",
    "iam:PassRole",
    "s3:GetObject",
    "s3:ListBucket",
    "s3:PutObject",
    "sts:GetCallerIdentity",
)


@dataclass(frozen=True, slots=True)
class AwsPlan:
    """Everything that a person wants to know before `watchkeeper aws deploy`."""

    layers: tuple[LayerPlan, ...]
    permissions: tuple[str, ...]
    vpc_endpoints: tuple[str, ...]
    cost: MonthlyCost
    series: tuple[Series, ...]

    @property
    def changes(self) -> int:
        """How many resources would change."""
        return sum(len(each.changes.changes) for each in self.layers if each.changes)


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What a plan is told that the project file does not say."""

    traffic: Traffic
    prices: Prices
    now: datetime


def aws_plan(landscape: Landscape, choice: Choice, told: Assumptions) -> AwsPlan:
    """Plan the scopes; nothing is changed, and no stack stays behind."""
    return AwsPlan(
        layers=plan_layers(landscape, choice),
        permissions=permissions_of(landscape, choice),
        vpc_endpoints=vpc_endpoints(landscape.section(CENTRAL).region),
        cost=monthly_cost(landscape, told.traffic, told.prices, told.now),
        series=tuple(expected_series(landscape)),
    )


def permissions_of(landscape: Landscape, choice: Choice) -> tuple[str, ...]:
    """The IAM actions that whoever deploys these layers needs: ours, and those of each resource's
    handlers."""
    outputs = planned_outputs(landscape)
    needs = yaml.safe_load((templates_folder() / "needs.yaml").read_text(encoding="utf-8"))
    types = {
        type_
        for scope, layer in choice.layers(landscape)
        for type_ in re.findall(r"Type: (AWS::[\w:]+)", layer.text(Site(landscape, scope, outputs)))
    }
    return tuple(sorted({*CALLS, *(action for type_ in types for action in needs[type_])}))


def vpc_endpoints(region: str) -> tuple[str, ...]:
    """The services that jobs and models in private subnets have to reach, as an agency's network needs
    them."""
    text = (templates_folder() / "network.yaml").read_text(encoding="utf-8")
    found = re.findall(r"ServiceName: !Sub (\S+)", text)
    return tuple(sorted(name.replace("${AWS::Region}", region) for name in found))
