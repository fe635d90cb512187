"""Model Monitor's schedules and job definitions as SageMaker describes them.

Sources: docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeMonitoringSchedule.html and
API_DescribeDataQualityJobDefinition.html, with its three kin.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MONITORS: Mapping[str, str] = {
    "DataQuality": "data-quality",
    "ModelQuality": "model-quality",
    "ModelBias": "bias",
    "ModelExplainability": "explainability",
}
_OFFSET = re.compile(r"-PT?(\d+)([HD])")
_HOURS = {"H": 1, "D": 24}


@dataclass(frozen=True, slots=True)
class CustomerSchedule:
    """One schedule of Model Monitor: what it judges of which endpoint, when, by which files.

    `offset_hours` is how far its window's end lies before its time; `constraints` and `statistics` are places
    in S3, empty without them. `extras` are settings that ours have no place for, in words.
    """

    name: str
    monitor: str
    endpoint: str
    expression: str
    image: str
    offset_hours: int
    constraints: str
    statistics: str
    ground_truth: str
    status: str
    extras: tuple[str, ...]


def customer_schedule(schedule: Mapping[str, Any], definition: Mapping[str, Any]) -> CustomerSchedule:
    """What a schedule and its job definition come to.

    Raises ValueError for a type of monitoring that there is not, and for one of a batch transform, which
    has no endpoint.
    """
    config, kind = schedule["MonitoringScheduleConfig"], schedule.get("MonitoringType", "DataQuality")
    name = schedule["MonitoringScheduleName"]
    if kind not in MONITORS:
        raise ValueError(f"schedule {name}: want one of {', '.join(MONITORS)}, got {kind}")
    given = definition[f"{kind}JobInput"]
    if "EndpointInput" not in given:
        raise ValueError(
            f"schedule {name}: it watches a batch transform; ours judge what an endpoint captured"
        )
    baseline = definition.get(f"{kind}BaselineConfig") or {}
    specification = definition[f"{kind}AppSpecification"]
    return CustomerSchedule(
        name=name,
        monitor=MONITORS[kind],
        endpoint=given["EndpointInput"]["EndpointName"],
        expression=(config.get("ScheduleConfig") or {}).get("ScheduleExpression", ""),
        image=specification.get("ImageUri", ""),
        offset_hours=_hours(given["EndpointInput"].get("EndTimeOffset", "")),
        constraints=(baseline.get("ConstraintsResource") or {}).get("S3Uri", ""),
        statistics=(baseline.get("StatisticsResource") or {}).get("S3Uri", ""),
        ground_truth=(given.get("GroundTruthS3Input") or {}).get("S3Uri", ""),
        status=schedule["MonitoringScheduleStatus"],
        extras=tuple(_extras(specification, given["EndpointInput"])),
    )


def _hours(offset: str) -> int:
    """`-PT6H` and `-P1D` as whole hours; nothing is none."""
    match = _OFFSET.fullmatch(offset)
    return int(match[1]) * _HOURS[match[2]] if match else 0


def _extras(specification: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    found = [
        f"{key}: {specification[key]}"
        for key in ("RecordPreprocessorSourceUri", "PostAnalyticsProcessorSourceUri", "ContainerEntrypoint")
        if specification.get(key)
    ]
    attributes = (
        "FeaturesAttribute",
        "InferenceAttribute",
        "ProbabilityAttribute",
        "ExcludeFeaturesAttribute",
    )
    return [*found, *(f"{key}: {given[key]}" for key in attributes if given.get(key))]
