"""Metrics that the container puts into CloudWatch itself, where no Model Monitor reads its file of them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from datetime import datetime

from watchkeeper.core.errors import InputError

PutMetrics = Callable[[str, str, datetime], int]
_PLACE = "watchkeeper.adapters.aws.metrics"


def in_cloudwatch(namespace: str, lines: str, now: datetime) -> int:
    """Put the lines there, as whoever runs this; how many they were.

    Raises InputError without boto3, PlatformError when they are not taken.
    """
    try:
        found = importlib.import_module(_PLACE)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("boto3", "botocore"):
            raise
        raise InputError(f"put metrics: want {error.name} (pip install 'watchkeeper[aws]')") from None
    sent: int = found.put_metrics(namespace, lines, now)
    return sent
