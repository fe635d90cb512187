"""What `targets.aws` takes, and what is wrong with any other value."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.loop import PROJECT, write_project
from watchkeeper.app.setup.project import load_project
from watchkeeper.core.errors import InputError


def refusal(folder: Path, targets: str) -> str:
    with pytest.raises(InputError) as refused:
        load_project(write_project(folder, ("receivers:\n", f"targets: {{aws: {targets}}}\nreceivers:\n")))
    return str(refused.value)


def test_an_agency_s_account_is_read(tmp_path: Path) -> None:
    text = """targets:
  local: {}
  aws:
    region: ap-southeast-1
    accounts: {central: "111111111111", prod: "222222222222"}
    network: {vpc: vpc-0a, subnets: [subnet-1, subnet-2], security_groups: [sg-1], endpoints: existing}
    iam:
      permissions_boundary: arn:aws:iam::111111111111:policy/bound
      path: /agency/
      existing_roles: {monitor: "arn:aws:iam::111111111111:role/theirs"}
"""
    aws = load_project(write_project(tmp_path, ("receivers:\n", f"{text}receivers:\n"))).settings.targets.aws
    assert aws is not None
    assert (aws.network.whole, aws.schedule, aws.tracking) == (True, "eventbridge", "sagemaker")
    assert aws.instances.endpoint_count == 1


def test_an_environment_has_its_own_instances(tmp_path: Path) -> None:
    prod = "prod:\n    approval: required\n    targets: {aws: {instances: {endpoint_count: 3}}}"
    project = load_project(
        write_project(
            tmp_path,
            ("prod: {approval: required}", prod),
            ("receivers:\n", "targets: {aws: {region: eu-west-1}}\nreceivers:\n"),
        )
    )
    counts = {
        name: settings.targets.aws.instances.endpoint_count
        for name, settings in project.by_environment.items()
        if settings.targets.aws
    }
    assert counts == {**dict.fromkeys(project.environments, 1), "prod": 3}


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        ("{}", 'want a key "region" here'),
        ("{region: nowhere}", "region"),
        (
            "{region: eu-west-1, accounts: {test: '111111111111'}}",
            'unknown account "test"; want one of central, dev',
        ),
        (
            "{region: eu-west-1, accounts: {prod: '1'}}",
            'want the twelve digits of an account, in quotes, got "1"',
        ),
        ("{region: eu-west-1, network: {vpc: vpc-1, subnets: [a]}}", "want two at least with a vpc, got 1"),
        ("{region: eu-west-1, network: {subnets: [a, b]}}", "subnets: want vpc with it"),
        ("{region: eu-west-1, network: {endpoints: existing}}", "endpoints: existing ones are in a vpc"),
        ("{region: eu-west-1, iam: {path: agency}}", "path"),
        ("{region: eu-west-1, iam: {existing_roles: {monitors: x}}}", "did you mean"),
        ("{region: eu-west-1, iam: {existing_roles: {monitor: x}}}", 'want the ARN of a role, got "x"'),
        ("{region: eu-west-1, tracking: mlflow}", "tracking"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, targets: str, said: str) -> None:
    assert said in refusal(tmp_path, targets)


def test_an_environment_is_not_called_central(tmp_path: Path) -> None:
    assert "  dev: {}" in PROJECT
    with pytest.raises(InputError, match="want another name: central"):
        load_project(write_project(tmp_path, ("  dev: {}", "  dev: {}\n  central: {}")))
