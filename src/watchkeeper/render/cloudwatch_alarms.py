"""Alert rules as CloudWatch alarms: a CloudFormation template with one alarm a rule and environment.

What our monitors found is looked for in a namespace of ours by Metrics Insights, over every series of the
environment, as a rule is about any of them. What SageMaker measures of its endpoints itself is taken from
there by metric math. A rule about what only our own server knows has no alarm, and is named.
Sources: docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-cloudwatch-alarm.html,
docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-metrics-insights-querylanguage.html,
docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from watchkeeper.core.metrics import METRIC_OF_SERIES, METRIC_PREFIX
from watchkeeper.core.rules import Comparison, Rule, Severity

PERIOD = 60  # seconds
OURS = (
    "bias_",
    "data_quality_",
    "estimated_quality_",
    "explainability_",
    "labels_",
    "model_quality_",
    "monitor_",
    "sla_",
)
_DESCRIBED = 1024  # characters of a description
_LONGEST = 86_400  # seconds that an alarm's periods may span
_SIGNS = {Comparison.ABOVE: "GreaterThanThreshold", Comparison.BELOW: "LessThanThreshold"}
_EXTREMES = {Comparison.ABOVE: "MAX", Comparison.BELOW: "MIN"}
_TOPICS = {Severity.CRITICAL: "PagingTopic", Severity.WARNING: "TicketTopic"}
ALERTS_TOPIC = "AlertsTopic"  # what is decided on alerts goes by it, whoever is told

# Of our endpoint's metrics those that SageMaker has too: its own, and what is made of them.
_OF_SAGEMAKER: Mapping[str, tuple[tuple[tuple[str, str], ...], str]] = {
    "endpoint_errors_4xx_ratio": (
        (("Invocation4XXErrors", "Sum"), ("Invocations", "Sum")),
        "IF(m2 > 0, m1 / m2, 0)",
    ),
    "endpoint_errors_5xx_ratio": (
        (("Invocation5XXErrors", "Sum"), ("Invocations", "Sum")),
        "IF(m2 > 0, m1 / m2, 0)",
    ),
    "endpoint_request_p95_seconds": (
        (("ModelLatency", "p95"), ("OverheadLatency", "p95")),
        "(m1 + m2) / 1000000",
    ),
}


class _Plain(yaml.SafeDumper):
    """YAML without aliases, which CloudFormation does not take."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True


@dataclass(frozen=True, slots=True)
class Watched:
    """An environment's rules, and the endpoint that SageMaker knows."""

    project: str
    environment: str
    endpoint: str
    rules: Sequence[Rule]


@dataclass(frozen=True, slots=True)
class AlarmTemplate:
    """The template as YAML; `left_out` are rules that CloudWatch has nothing for, by environment."""

    text: str
    alarms: tuple[str, ...]
    left_out: tuple[str, ...]


def alarm_template(watched: Sequence[Watched], namespace: str = "Watchkeeper") -> AlarmTemplate:
    """One alarm a rule. `namespace` is where monitors' metrics are put, their labels as dimensions."""
    resources: dict[str, Any] = {}
    left_out: list[str] = []
    for each in watched:
        made, lacking = alarm_resources(each, namespace)
        resources |= made
        left_out += [f"{name} in {each.environment}" for name in lacking]
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Alarms of the alert rules of a Watchkeeper project",
        "Parameters": {
            name: {"Type": "String", "Description": f"The ARN of the SNS topic of alarms that {what}"}
            for name, what in (
                ("PagingTopic", "page"),
                ("TicketTopic", "wait for the morning"),
                (ALERTS_TOPIC, "are decided on, which are all of them"),
            )
        },
        "Resources": resources,
    }
    return AlarmTemplate(alarm_yaml(template), tuple(resources), tuple(left_out))


def alarm_resources(of: Watched, namespace: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """An environment's alarms by their logical names, and the rules that have none."""
    found = {rule.name: alarm(of, rule, namespace) for rule in of.rules}
    made = {_logical(of.environment, name): each for name, each in found.items() if each is not None}
    return made, tuple(name for name, each in found.items() if each is None)


def alarm_yaml(value: Mapping[str, Any]) -> str:
    """As CloudFormation reads it."""
    return yaml.dump(dict(value), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=1000)


def alarm(of: Watched, rule: Rule, namespace: str) -> dict[str, Any] | None:
    """The resource of one rule; None where CloudWatch has not what it is about."""
    metric = rule.metric.removeprefix(METRIC_PREFIX)
    if metric in _OF_SAGEMAKER and rule.comparison is not None:
        queries = _of_sagemaker(of.endpoint, metric)
    elif metric.startswith(OURS):
        queries = [_of_ours(of, rule, metric, namespace)]
    else:
        return None
    periods = max(1, -(-min(_seconds(rule), _LONGEST) // PERIOD))
    topics = [{"Ref": _TOPICS[rule.severity]}, {"Ref": ALERTS_TOPIC}]
    missing = "notBreaching" if metric in _OF_SAGEMAKER else "ignore"  # a verdict holds until the next
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmName": alarm_name(of, rule),
            "AlarmDescription": _description(of, rule),
            "AlarmActions": topics,
            "OKActions": topics,
            "Metrics": queries,
            "ComparisonOperator": _SIGNS[rule.comparison] if rule.comparison else "LessThanThreshold",
            "Threshold": rule.threshold if rule.comparison else 1,
            "EvaluationPeriods": periods,
            "DatapointsToAlarm": periods,
            "TreatMissingData": missing if rule.comparison else "breaching",
        },
    }


def _of_ours(of: Watched, rule: Rule, metric: str, namespace: str) -> dict[str, Any]:
    """The highest of all series for above, the lowest for below, how many there are for absent."""
    made = _EXTREMES[rule.comparison] if rule.comparison else "COUNT"
    query = f"SELECT {made}({metric}) FROM \"{namespace}\" WHERE Endpoint = '{of.endpoint}'"  # noqa: S608 - no database is asked
    return {"Id": "q1", "Expression": query, "Period": PERIOD, "ReturnData": True}


def _of_sagemaker(endpoint: str, metric: str) -> list[dict[str, Any]]:
    parts, expression = _OF_SAGEMAKER[metric]
    dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "AllTraffic"}]
    found: list[dict[str, Any]] = [
        {
            "Id": f"m{number}",
            "MetricStat": {
                "Metric": {"Namespace": "AWS/SageMaker", "MetricName": name, "Dimensions": dimensions},
                "Period": PERIOD,
                "Stat": statistic,
            },
            "ReturnData": False,
        }
        for number, (name, statistic) in enumerate(parts, start=1)
    ]
    return [*found, {"Id": "e1", "Expression": expression, "Label": metric, "ReturnData": True}]


def _seconds(rule: Rule) -> int:
    return rule.lasting.months * 30 * 86_400 + rule.lasting.seconds


def alarm_name(of: Watched, rule: Rule) -> str:
    """What a message names the alarm by."""
    return f"{of.project}-{of.environment}-{rule.name}"


def alarm_labels(of: Watched, rule: Rule) -> dict[str, str]:
    """What an alarm is about, which its messages do not say."""
    return {
        "project": of.project,
        "environment": of.environment,
        "endpoint": of.endpoint,
        "alertname": rule.name,
        "severity": rule.severity.value,
        "action": rule.action.value,
        "incident": rule.incident or rule.name,
    }


def _description(of: Watched, rule: Rule) -> str:
    """Words for who reads the alarm, then its labels as JSON."""
    metric = METRIC_OF_SERIES[rule.metric]
    said = json.dumps({**alarm_labels(of, rule), "runbook_url": rule.runbook_url}, ensure_ascii=False)
    return f"{metric.help[: _DESCRIBED - len(said) - 1]} {said}"


def _logical(environment: str, rule: str) -> str:
    """A resource's name in the template: letters and digits alone."""
    words = "".join(part[:1].upper() + part[1:] for part in environment.split("-"))
    return f"{''.join(sign for sign in words if sign.isalnum())}{rule}"
