"""The static gate: every template and policy by cfn-lint, our Guard rules and parliament, and each of them
has teeth."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.aws.doubles import program
from tests.aws.projects import project_on_aws
from tests.aws.shapes import operation
from tests.aws.stacks_of import Policy, policies_of, policy_of, stacks_of, texts_of
from tests.aws.templates import FOLDER, TEMPLATES, Stack, template
from tests.shared import CHECKOUT
from watchkeeper.app.aws.central_layers import CENTRAL_LAYERS
from watchkeeper.app.aws.environment_layers import ENVIRONMENT_LAYERS
from watchkeeper.core.statistics.types import Types
from watchkeeper.core.values import ColumnType
from watchkeeper.monitors.data_quality_values import DataQualityStatistics, FeatureStatistics
from watchkeeper.render.cloudwatch import MetricLabels, data_quality_metrics


def faults(asked: list[dict[str, Any]]) -> dict[str, list[str]]:
    command = [program("python"), str(CHECKOUT / "tests" / "aws" / "static.py"), str(FOLDER / "rules.guard")]
    lines = "".join(f"{json.dumps(each)}\n" for each in asked)
    ran = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    found: dict[str, list[str]] = json.loads(ran.stdout.splitlines()[-1])
    return found


def text_of(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def test_every_template_is_clean(tmp_path: Path) -> None:
    texts = {name: text_of(name) for name in TEMPLATES} | texts_of(project_on_aws(tmp_path))
    found = faults([{"name": name, "text": text} for name, text in texts.items()])
    assert found == {name: [] for name in TEMPLATES}
    assert len(TEMPLATES) == 17


def test_every_policy_is_clean(tmp_path: Path) -> None:
    policies = policies_of(stacks_of(project_on_aws(tmp_path)))
    assert len([policy for policy in policies if policy.role]) == 4 + 1 + 3 * 6
    assert len([policy for policy in policies if policy.resource]) >= 4 + 4 + 1 + 1 + 3 * 3
    asked = [
        {"name": f"{policy.name} of {policy.role or policy.resource}", "policy": spelt_out(policy)}
        for policy in policies
    ]
    found = faults(asked)
    assert len(found) == len(policies)
    known = {name: [each for each in said if not each.startswith(SINCE)] for name, said in found.items()}
    others = {name: [each for each in said if not each.startswith(OF_KEYS)] for name, said in known.items()}
    assert {name: said for name, said in others.items() if said} == {}
    assert all(" Key of " in name for name, said in known.items() if said)


# What parliament says of every key's policy, though AWS's own pages have it so: an alias is made with a
# grant on its key too (kms/latest/developerguide/alias-access.html), and logs are admitted by an encryption
# context that is an ARN (AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html).
OF_KEYS = (
    "parliament RESOURCE_MISMATCH: [{'action': 'kms:CreateAlias'",
    "parliament UNKNOWN_CONDITION_FOR_ACTION: Unknown condition kms:EncryptionContext:aws:logs:arn",
    "parliament MISMATCHED_TYPE: Type mismatch: ArnLike requires a value of type Arn but given String",
)


# Actions that came after parliament's list of them: botocore has an operation of each name.
SINCE = ("parliament UNKNOWN_ACTION: Unknown action cloudwatch:ListAlarmMuteRules",)


def test_actions_that_parliament_does_not_know_yet_are_operations() -> None:
    assert all(operation("cloudwatch", each.rpartition(":")[2]).input_shape for each in SINCE)


def spelt_out(policy: Policy) -> dict[str, Any]:
    """A key's policy calls the key `*`, a repository's names no resource: it is what they are attached to."""
    if not policy.resource:
        return policy.document
    statements = [
        each | {"Resource": policy.resource} if each.get("Resource", "*") == "*" else each
        for each in policy.document["Statement"]
    ]
    return policy.document | {"Statement": statements}


# A planted mistake each: the template, what is replaced by what, and who says so.
MISTAKES = (
    ("central/foundation.yaml", "SSEAlgorithm: aws:kms", "SSEAlgorithm: AES256", "buckets_are_encrypted"),
    ("central/foundation.yaml", "VersioningConfiguration: {Status: Enabled}", "", "buckets_keep_versions"),
    (
        "environment/foundation.yaml",
        "BlockPublicPolicy: true",
        "BlockPublicPolicy: false",
        "buckets_are_private",
    ),
    (
        "environment/foundation.yaml",
        'aws:SecureTransport: "false"',
        'aws:SecureTransport: "true"',
        "tls_only",
    ),
    ("environment/foundation.yaml", "EnableKeyRotation: true", "EnableKeyRotation: false", "keys_rotate"),
    ("environment/foundation.yaml", "RetentionInDays: !Ref LogDays", "", "logs_are_encrypted_and_end"),
    ("environment/foundation.yaml", "DeletionPolicy: RetainExceptOnCreate", "", "outlive_their_stack"),
    (
        "central/foundation.yaml",
        "ImageTagMutability: IMMUTABLE",
        "ImageTagMutability: MUTABLE",
        "images_never",
    ),
    ("central/roles.yaml", "Action: aps:RemoteWrite", "Action: aps:*", "roles_have_no_wildcard_action"),
    ("central/roles.yaml", "Action: aps:RemoteWrite", "Action: aps:RemoteWrites", "cfn-lint W3037"),
    ("environment/roles.yaml", "Action: events:PutEvents", 'Action: "*"', "roles_have_no_wildcard_action"),
    (
        "environment/roles.yaml",
        "PermissionsBoundary: !If [HasBoundary, !Ref PermissionsBoundary, !Ref AWS::NoValue]",
        "",
        "roles_can_be_bounded",
    ),
    (
        "environment/endpoint.yaml",
        "EnableNetworkIsolation: true ",
        "EnableNetworkIsolation: false ",
        "private_subnets",
    ),
    (
        "environment/endpoint.yaml",
        "ExecutionRoleArn:",
        "ModelName: fixed\n      ExecutionRoleArn:",
        "no_fixed_name",
    ),
    ("environment/endpoint.yaml", "EnableCapture: true", "EnableCapturing: true", "cfn-lint E3002"),
    ("environment/endpoint.yaml", "!Ref ModelPackageArn", "!Ref ModelPackage", "cfn-lint E1020"),
    ("network.yaml", "SourceSecurityGroupId: !If", "CidrIp: !If", "groups_admit_no_stranger"),
    ("environment/alerting.yaml", "KmsMasterKeyId: !Ref KeyArn", "", "messages_are_encrypted"),
    (
        "environment/monitors.yaml",
        "KmsKeyArn: !Ref KeyArn\n      MemorySize",
        "MemorySize",
        "functions_are_encrypted",
    ),
    (
        "environment/monitors.yaml",
        "Mode: FLEXIBLE, MaximumWindowInMinutes",
        "Mode: OFF, MaximumWindowInMinutes",
        "what_cannot_be",
    ),
    ("environment/monitors.yaml", "[ReportBatchItemFailures]", "[]", "one_message_s_failure"),
    (
        "central/actions.yaml",
        "DeadLetterConfig: {Arn: !GetAtt Undecided.Arn}",
        "",
        "what_cannot_be_delivered",
    ),
    ("central/actions.yaml", "AuthType: AWS_IAM", "AuthType: NONE", "addresses_are_known_by_iam"),
    ("central/collector.yaml", "MaximumPercent: 100", "MaximumPercent: 200", "never_two_collectors"),
    ("central/prometheus.yaml", "LoggingConfiguration:", "X:", "metrics_outlive_their_stack"),
    (
        "audit.yaml",
        "EnableLogFileValidation: true",
        "EnableLogFileValidation: false",
        "trails_cannot_be_doubted",
    ),
    ("audit.yaml", "IsMultiRegionTrail: true", "IsMultiRegionTrail: false", "trails_cannot_be_doubted"),
    (
        "audit.yaml",
        "{Field: eventCategory, Equals: [Management]}",
        "{Field: eventCategory, Equals: [Insight]}",
        "trails_cannot_be_doubted",
    ),
    (
        "audit.yaml",
        "{Field: eventCategory, Equals: [Data]}",
        "{Field: eventCategory, Equals: [Insight]}",
        "trails_cannot_be_doubted",
    ),
    ("audit.yaml", "Mode: COMPLIANCE", "Mode: GOVERNANCE", "trails_are_locked"),
    ("network.yaml", "SourceSecurityGroupId: !If", "CidrIp: 0.0.0.0/0\n          X: !If", "cfn-lint E3002"),
)


def test_each_mistake_is_found() -> None:
    asked = []
    for number, (name, old, new, _) in enumerate(MISTAKES):
        assert old in text_of(name), old
        asked.append({"name": str(number), "text": text_of(name).replace(old, new, 1)})
    found = faults(asked)
    missed = [
        MISTAKES[int(number)] for number, said in found.items() if MISTAKES[int(number)][3] not in str(said)
    ]
    assert missed == []
    assert len(found) == len(MISTAKES)


POLICY = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"Action": "s3:GetObjects"}, "UNKNOWN_ACTION"),
        ({"Resource": "arn:aws:s3:::bucket"}, "RESOURCE_MISMATCH"),
        ({"Condition": {"StringEquals": {"s3:nothing": "x"}}}, "UNKNOWN_CONDITION_FOR_ACTION"),
        ({"Efect": "Allow"}, "MALFORMED"),
    ],
)
def test_parliament_finds_what_a_policy_has_wrong(changed: dict[str, Any], said: str) -> None:
    document = {"Version": "2012-10-17", "Statement": [POLICY | changed]}
    assert said in str(faults([{"name": "p", "policy": document}]))


def test_the_permissions_that_cloudformation_needs_are_those_of_the_registry() -> None:
    script = CHECKOUT / "tests" / "aws" / "needs.py"
    ran = subprocess.run([program("python"), str(script)], capture_output=True, text=True, check=True)
    assert ran.stdout == text_of("needs.yaml")
    assert "no handlers known of []" in ran.stderr


def drift_line() -> str:
    """What the analyzer writes of a column's drift."""
    empty = DataQualityStatistics(0, (FeatureStatistics("area", ColumnType.FRACTIONAL, 0, 0, Types()),))
    return data_quality_metrics(
        empty, {"area": 0.5}, MetricLabels(datetime(2026, 1, 1, tzinfo=UTC), "e", "s")
    )


def test_the_stack_that_stands_alone_tells_its_five_parts() -> None:
    name = "monitoring-observability-stack.yaml"
    found = template(name)["Resources"]
    parts = ["BaselineBucket", "MonitoringRole", "MonitoringSchedule", "DriftAlarm", "Trail"]
    assert [each for each in found if each in parts] == parts
    for number, part in enumerate(parts, start=1):
        assert re.search(rf"#   {number} {part} ", text_of(name)), part
        assert re.search(rf"^  # {number} \w", text_of(name), re.MULTILINE), part
    alarm = found["DriftAlarm"]["Properties"]
    (line,) = [json.loads(each) for each in drift_line().splitlines()]
    assert alarm["MetricName"]["Fn::Sub"].replace("${Feature}", "area") == line["MetricName"]
    assert [each["Name"] for each in alarm["Dimensions"]] == [each["Name"] for each in line["Dimensions"]]
    told = {key: "x" for key, each in template(name)["Parameters"].items() if "Default" not in each}
    told["KeyArn"] = "arn:aws:kms:ap-southeast-1:123456789012:key/1"
    stack = Stack(template(name), told, "watch")
    policies = [
        {"name": each.name, "policy": spelt_out(each)}
        for logical, resource in stack.resources().items()
        for each in policy_of(logical, stack, logical, resource.type, resource.properties)
    ]
    assert len(policies) == 3
    assert faults(policies) == {each["name"]: [] for each in policies}


def test_outputs_are_those_that_layers_promise() -> None:
    for layer in (*CENTRAL_LAYERS, *ENVIRONMENT_LAYERS):
        assert set(layer.outputs) <= set(template(layer.template)["Outputs"]), layer.template


def test_every_template_and_resource_says_what_it_is_for() -> None:
    """People read these: each begins with why it is there, and is small enough to be sent along."""
    for name in TEMPLATES:
        text = text_of(name)
        assert text.startswith("# "), name
        assert len(text.encode()) < 51_200
        assert len(re.findall(r"^ *#|  # ", text, re.MULTILINE)) >= 4, name


def test_the_monitor_is_denied_other_keys_and_every_secret(tmp_path: Path) -> None:
    stacks = stacks_of(project_on_aws(tmp_path))
    role = stacks["prod", "roles"].resources()["MonitorRole"].properties
    denied: list[Mapping[str, Any]] = [
        each for each in role["Policies"][0]["PolicyDocument"]["Statement"] if each["Effect"] == "Deny"
    ]
    assert {"secretsmanager:GetSecretValue", "ssm:GetParameter"} <= set(denied[1]["Action"])
    keys = {stacks[scope, "foundation"].outputs()["KeyArn"] for scope in ("prod", "central")}
    assert set(denied[0]["NotResource"]) == keys


def test_dockerfiles_are_clean() -> None:
    files = sorted((CHECKOUT / "deploy" / "containers").glob("*/Dockerfile"))
    assert len(files) == 3
    ran = subprocess.run(
        [program("hadolint"), "--format", "json", *map(str, files)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert json.loads(ran.stdout) == []
