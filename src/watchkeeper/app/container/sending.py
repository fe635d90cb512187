"""Metrics that the container puts into CloudWatch itself, where no Model Monitor reads its file of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import cast

from watchkeeper.app.setup.extras import loaded

PutMetrics = Callable[[str, str, datetime], int]


def in_cloudwatch(namespace: str, lines: str, now: datetime) -> int:
    """Put the lines there, as whoever runs this; how many they were.

    Raises InputError without boto3, PlatformError when they are not taken.
    """
    put = cast(PutMetrics, loaded("watchkeeper.adapters.aws.metrics:put_metrics", "put metrics"))
    return put(namespace, lines, now)
