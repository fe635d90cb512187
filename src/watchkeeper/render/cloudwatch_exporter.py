"""Configuration of Prometheus' CloudWatch exporter: what it asks CloudWatch for, and what it calls the
answer.

Two of them run beside each other, as an exporter asks CloudWatch each time that it is scraped: what SageMaker
measures of endpoints is of every minute, what monitors find is of every hour at most.
Sources: github.com/prometheus/cloudwatch_exporter, README; for the limit of a request
docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from watchkeeper.core.metrics import Metric
from watchkeeper.render.cloudwatch import cloudwatch_name, dimensions_of

STATISTIC = "Maximum"  # a verdict is one value
_MOST = 1_440  # values of a request
_MINUTE, _DAY = 60, 86_400
_COARSE = (
    (63 * _DAY, 3_600),
    (15 * _DAY, 300),
    (0, _MINUTE),
)  # older than, in seconds: kept at these periods
OF_ENDPOINT: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("ModelLatency", "aws_extended_statistics", ("p50", "p95", "p99")),
    ("OverheadLatency", "aws_extended_statistics", ("p50", "p95", "p99")),
    ("Invocations", "aws_statistics", ("Sum",)),
    ("Invocation4XXErrors", "aws_statistics", ("Sum",)),
    ("Invocation5XXErrors", "aws_statistics", ("Sum",)),
)


@dataclass(frozen=True, slots=True)
class Source:
    """An account's CloudWatch: its region, and the role that reads there; empty for the exporter's own."""

    region: str
    role: str = ""


def endpoint_config(source: Source, endpoints: Sequence[str]) -> str:
    """What SageMaker measures of endpoints, newest minute first."""
    metrics = [
        {
            "aws_namespace": "AWS/SageMaker",
            "aws_metric_name": name,
            "aws_dimensions": ["EndpointName", "VariantName"],
            "aws_dimension_select": {"EndpointName": list(endpoints)},
            kind: list(statistics),
        }
        for name, kind, statistics in OF_ENDPOINT
    ]
    times = {"delay_seconds": 2 * _MINUTE, "range_seconds": 5 * _MINUTE, "period_seconds": _MINUTE}
    return _config(source, times, metrics)


def monitor_config(
    source: Source, namespace: str, wanted: Iterable[tuple[Metric, int]], *, by_feature: bool = False
) -> str:
    """What monitors find, each metric with the seconds for which its newest value counts.

    All dimensions of a metric have to be named, or the exporter finds nothing.
    """
    metrics = [
        {
            "aws_namespace": namespace,
            "aws_metric_name": cloudwatch_name(metric.name),
            "aws_dimensions": list(dimensions_of(metric, by_feature=by_feature)),
            "aws_statistics": [STATISTIC],
            "range_seconds": seconds,
            "period_seconds": period_of(seconds),
        }
        for metric, seconds in wanted
    ]
    return _config(source, {"delay_seconds": 0}, metrics)


def period_of(seconds: int) -> int:
    """The shortest period that CloudWatch has over such a range, and answers at once.

    >>> period_of(3 * 3600), period_of(8 * 86400), period_of(33 * 86400)
    (60, 480, 2100)
    """
    step = next(period for older, period in _COARSE if seconds > older)
    least = -(-seconds // _MOST)
    return -(-least // step) * step


def exported_name(namespace: str, metric: str, statistic: str) -> str:
    """What the exporter calls a series.

    >>> exported_name("AWS/SageMaker", "Invocation4XXErrors", "Sum")
    'aws_sagemaker_invocation4_xxerrors_sum'
    """
    return _safe(f"{namespace.lower()}_{_snake(metric)}") + f"_{_snake(statistic)}"


def exported_label(dimension: str) -> str:
    """What the exporter calls a dimension.

    >>> exported_label("MonitoringSchedule")
    'monitoring_schedule'
    """
    return _safe(_snake(dimension))


def _snake(text: str) -> str:
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", text).lower()


def _safe(text: str) -> str:
    return re.sub(r"__+", "_", re.sub(r"[^a-zA-Z0-9:_]", "_", text))


def _config(source: Source, times: dict[str, int], metrics: Sequence[dict[str, Any]]) -> str:
    """Values are as of the scrape: what is stamped with the past, Prometheus finds no more after five
    minutes."""
    own = {"role_arn": source.role} if source.role else {}
    found = {"region": source.region, **own, **times, "set_timestamp": False, "metrics": list(metrics)}
    return yaml.safe_dump(found, sort_keys=False, width=1000)
