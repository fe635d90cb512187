"""Metrics in CloudWatch, from the lines that a monitoring container writes (contract 9.5)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import boto3
from botocore.config import Config

from watchkeeper import __version__
from watchkeeper.adapters.aws.errors import translated
from watchkeeper.core.errors import InputError

MOST = 1000  # data of a request
_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 5}, user_agent_extra=f"watchkeeper/{__version__}"
)


def put_metrics(namespace: str, lines: str, now: datetime, client: Any = None) -> int:
    """Send each line as a datum, as of `now`; how many there were.

    Not as of the window: CloudWatch takes nothing that is older than two weeks, and labels may come later
    than that. Raises InputError, nothing being sent, where a line is no metric; PlatformError where
    CloudWatch does not take them. Source:
    docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html.
    """
    data = [_datum(number, line, now) for number, line in enumerate(lines.splitlines(), start=1)]
    with translated(f"put {len(data)} metrics into CloudWatch's namespace {namespace}"):
        asked = client or boto3.Session().client("cloudwatch", config=_CONFIG)
        for first in range(0, len(data), MOST):
            asked.put_metric_data(Namespace=namespace, MetricData=data[first : first + MOST])
    return len(data)


def _datum(number: int, line: str, now: datetime) -> dict[str, Any]:
    try:
        metric = json.loads(line)
        figures = {key: metric[key] for key in ("Value", "StatisticValues") if key in metric}
        ((_, figure),) = figures.items()
        numbers = figure.values() if isinstance(figure, Mapping) else [figure]
        if not all(math.isfinite(each) for each in numbers):
            raise ValueError("want finite numbers")
        kept = {"MetricName": metric["MetricName"], "Dimensions": metric.get("Dimensions", [])}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"put metrics, line {number}: {error!r} in {line[:200]}") from None
    return {**kept, **figures, "Unit": metric.get("Unit", "None"), "Timestamp": now}
