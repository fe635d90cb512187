"""CloudWatch alarms of the rules that ship with us, held against botocore's own shapes."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from typing import Any

import pytest
import yaml

from tests.clients import ENVIRONMENT, program
from tests.shared import CHECKOUT
from watchkeeper.app.setup.init import template_folder
from watchkeeper.app.setup.project import load_project
from watchkeeper.app.stack.files import alarms_of
from watchkeeper.core.windows import Duration
from watchkeeper.render.cloudwatch_alarms import Watched, alarm

EXAMPLE = load_project(template_folder("resale-price"))
OF = Watched("resale-price", "prod", "resale-price-prod", EXAMPLE.rules("prod"))
RULES = {rule.name: rule for rule in OF.rules}
TOPIC = "arn:aws:sns:ap-southeast-1:123456789012:page"


def properties(name: str, **changes: Any) -> dict[str, Any]:
    made = alarm(OF, replace(RULES[name], **changes), "Watchkeeper")
    assert made is not None
    found: dict[str, Any] = made["Properties"]
    return found


def test_every_alarm_has_the_shape_that_cloudwatch_takes() -> None:
    made = alarms_of(EXAMPLE, EXAMPLE.environments, "Watchkeeper")
    assert not any(isinstance(each, yaml.AliasEvent) for each in yaml.parse(made.text))
    template = yaml.safe_load(made.text)
    asked = [
        {**each["Properties"], "AlarmActions": [TOPIC, TOPIC], "OKActions": [TOPIC, TOPIC]}
        for each in template["Resources"].values()
    ]
    broken = [{**asked[0], "EvaluationPeriods": 0, "Nonsense": 1}]
    command = [program("python"), str(CHECKOUT / "tests" / "clients" / "shapes.py")]

    def said(alarms: list[dict[str, Any]]) -> str:
        return subprocess.run(
            command, input=json.dumps(alarms), capture_output=True, text=True, check=True, env=ENVIRONMENT
        ).stdout

    assert said(asked) == ""
    assert "EvaluationPeriods" in said(broken)
    assert len({each["AlarmName"] for each in asked}) == len(asked) == len(made.alarms)


def test_each_rule_has_an_alarm_or_is_named() -> None:
    made = alarms_of(EXAMPLE, ("prod",), "Watchkeeper")
    left_out = {each.removesuffix(" in prod") for each in made.left_out}
    assert left_out == {"EndpointDown", "CaptureIncomplete", "CaptureLagging", "EndpointIdle", "DiskFilling"}
    assert {f"Prod{name}" for name in RULES} - {f"Prod{name}" for name in left_out} == set(made.alarms)


def test_a_rule_of_ours_is_about_any_series_of_its_environment() -> None:
    found = properties("ModelQualityDegraded")
    (query,) = found["Metrics"]
    assert query["Expression"] == (
        'SELECT MAX(model_quality_rmse_baseline_ratio) FROM "Watchkeeper" '
        "WHERE Endpoint = 'resale-price-prod'"
    )
    assert (found["ComparisonOperator"], found["Threshold"]) == ("GreaterThanThreshold", 1.2)
    assert (found["EvaluationPeriods"], found["TreatMissingData"]) == (1, "ignore")
    assert found["AlarmActions"] == [{"Ref": "PagingTopic"}, {"Ref": "AlertsTopic"}]
    below = properties("LabelsMissing")
    assert below["Metrics"][0]["Expression"].startswith("SELECT MIN(labels_coverage_ratio)")
    assert (below["ComparisonOperator"], below["AlarmActions"]) == (
        "LessThanThreshold",
        [{"Ref": "TicketTopic"}, {"Ref": "AlertsTopic"}],
    )
    absent = properties("LabelsMissing", comparison=None)
    assert absent["Metrics"][0]["Expression"].startswith("SELECT COUNT(")
    assert (absent["Threshold"], absent["TreatMissingData"]) == (1, "breaching")


def test_what_sagemaker_measures_is_taken_from_there() -> None:
    found = properties("EndpointErrors")
    assert found["EvaluationPeriods"] == found["DatapointsToAlarm"] == 5  # for: 5m
    assert [each["Id"] for each in found["Metrics"]] == ["m1", "m2", "e1"]
    assert found["Metrics"][2]["Expression"] == "IF(m2 > 0, m1 / m2, 0)"
    metric = found["Metrics"][0]["MetricStat"]["Metric"]
    assert (metric["Namespace"], metric["MetricName"]) == ("AWS/SageMaker", "Invocation5XXErrors")
    assert {each["Name"]: each["Value"] for each in metric["Dimensions"]} == {
        "EndpointName": "resale-price-prod",
        "VariantName": "AllTraffic",
    }
    slow = properties("EndpointSlow")
    assert slow["Metrics"][2]["Expression"] == "(m1 + m2) / 1000000"  # microseconds


@pytest.mark.parametrize(("lasting", "periods"), [("90s", 2), ("2 days", 1440), ("1 month", 1440)])
def test_how_long_is_in_whole_minutes_and_at_most_a_day(lasting: str, periods: int) -> None:
    assert properties("EndpointErrors", lasting=Duration.parse(lasting))["EvaluationPeriods"] == periods


def test_its_description_carries_the_labels_that_messages_lack() -> None:
    said = properties("DriftPersists")["AlarmDescription"]
    labels = json.loads(said[said.index("{") :])
    assert labels == {
        "project": "resale-price",
        "environment": "prod",
        "endpoint": "resale-price-prod",
        "alertname": "DriftPersists",
        "severity": "warning",
        "action": "review",
        "incident": "drift",
        "runbook_url": "docs/runbooks/DriftPersists.md",
    }
    assert len(said) <= 1024
