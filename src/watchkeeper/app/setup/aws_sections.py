"""The sections on where the loop runs: this machine, and an account of AWS with its rules."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from watchkeeper.app.setup.section import OneOf, Section, said

CENTRAL = "central"  # the scope of what all environments share; no environment may be called so


_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class Job(StrEnum):
    """What runs under a role of its own."""

    PIPELINE = "pipeline"
    ENDPOINT = "endpoint"
    MONITOR = "monitor"
    COLLECTOR = "collector"
    RETRAIN = "retrain"
    BRIDGE = "bridge"
    STARTER = "starter"
    READER = "reader"
    DEPLOYER = "deployer"


JobName = Annotated[str, AfterValidator(OneOf(tuple(Job), "job"))]


class NetworkSection(Section):
    """Private subnets for jobs and models: the agency's, or ones that are made."""

    vpc: str = Field(default="", pattern=r"^(vpc-[0-9a-f]+)?$")
    subnets: list[str] = []
    route_tables: list[str] = []
    security_groups: list[str] = []
    endpoints: Literal["create", "existing"] = "create"

    @model_validator(mode="after")
    def _whole(self) -> NetworkSection:
        if self.vpc and len(self.subnets) < 2:
            raise said(f"subnets: want two at least with a vpc, got {len(self.subnets)}", "subnets")
        for key in ("subnets", "route_tables", "security_groups"):
            if getattr(self, key) and not self.vpc:
                raise said(f"{key}: want vpc with it", key)
        if self.endpoints == "existing" and not self.vpc:
            raise said("endpoints: existing ones are in a vpc that exists; want vpc with it", "endpoints")
        return self

    @property
    def whole(self) -> bool:
        """Whether nothing of a network has to be made."""
        return bool(self.vpc and self.security_groups and self.endpoints == "existing")


class IamSection(Section):
    """Roles: how ours are made, the agency's own in their place, and who deploys."""

    permissions_boundary: str = Field(default="", pattern=r"^(arn:aws[a-z-]*:iam::[0-9]{12}:policy/.+)?$")
    path: str = Field(default="/", pattern=r"^/([\w.,@=+-]+/)*$")
    existing_roles: dict[JobName, str] = {}
    deploy_role: str | None = None
    deployers: list[str] = []

    @field_validator("existing_roles")
    @classmethod
    def _arns(cls, roles: dict[str, str]) -> dict[str, str]:
        for job, arn in roles.items():
            if not arn.startswith("arn:") or ":role/" not in arn:
                raise said(f'want the ARN of a role, got "{arn}"', job)
        return roles


class InstancesSection(Section):
    """What jobs and endpoints run on."""

    endpoint: str = Field(default="ml.m5.large", pattern=r"^ml\.")
    endpoint_count: int = Field(default=1, ge=1)
    training: str = Field(default="ml.m5.xlarge", pattern=r"^ml\.")
    processing: str = Field(default="ml.m5.large", pattern=r"^ml\.")


class LocalSection(Section):
    """This machine; there is nothing to set."""


class AwsAlertsSection(Section):
    """Who is told by SNS, beside the receivers: HTTPS addresses and mail addresses, which have to confirm."""

    paging: list[str] = []
    digest: list[str] = []

    @field_validator("paging", "digest")
    @classmethod
    def _reachable(cls, places: list[str]) -> list[str]:
        for number, place in enumerate(places):
            if not place.startswith("https://") and not _MAIL.fullmatch(place):
                raise said(f'want https://… or a mail address, got "{place}"', number)
        return places


class AwsSection(Section):
    """Where on AWS, by which of the agency's rules, and on what."""

    region: str = Field(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")
    accounts: dict[str, str] = {}
    schedule: Literal["eventbridge", "model-monitor"] = "eventbridge"
    network: NetworkSection = NetworkSection()
    iam: IamSection = IamSection()
    trail: Literal["create", "existing"] = "create"
    tracking: str = Field(default="sagemaker", pattern=r"^(sagemaker|https?://.+)$")
    namespace: str = Field(default="Watchkeeper", pattern=r"^[^:]{1,255}$")
    feature_metrics: bool = False  # a series for each feature, where else the worst stands for all
    instances: InstancesSection = InstancesSection()
    alerts: AwsAlertsSection = AwsAlertsSection()

    @field_validator("accounts")
    @classmethod
    def _numbers(cls, accounts: dict[str, str]) -> dict[str, str]:
        for name, number in accounts.items():
            if len(number) != 12 or not number.isdecimal():
                raise said(f'want the twelve digits of an account, in quotes, got "{number}"', name)
        return accounts


class TargetsSection(Section):
    """Where the loop may run."""

    local: LocalSection | None = None
    aws: AwsSection | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Those that the file has."""
        return tuple(name for name in ("local", "aws") if getattr(self, name) is not None)
