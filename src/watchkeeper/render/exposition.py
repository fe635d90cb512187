"""Samples as Prometheus reads them: text exposition format 0.0.4.

Format: prometheus.io/docs/instrumenting/exposition_formats. No timestamps are written: a sample
stands for the newest verdict at the time it is read, and the window it speaks of is a metric of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from watchkeeper.core.metrics import METRIC_OF_SERIES, METRICS, Metric, MetricType
from watchkeeper.core.values import Sample, newest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition(samples: Sequence[Sample]) -> str:
    """The newest sample of each series, grouped by metric in the order of `core.metrics.METRICS`.

    No samples give the empty text. Raises ValueError for a metric that is not declared and for a
    value that is not finite.

    >>> from datetime import UTC, datetime
    >>> rows = Sample("watchkeeper_monitor_rows", (("project", "p"),), 2.0, datetime(2020, 1, 1, tzinfo=UTC))
    >>> print(exposition([rows]))
    # HELP watchkeeper_monitor_rows Rows a monitor judged in its newest window.
    # TYPE watchkeeper_monitor_rows gauge
    watchkeeper_monitor_rows{project="p"} 2
    <BLANKLINE>
    """
    families: dict[Metric, list[Sample]] = {}
    for sample in newest(samples):
        families.setdefault(_declared(sample), []).append(sample)
    return "".join(_family(metric, families[metric]) for metric in METRICS if metric in families)


def number_text(value: float) -> str:
    """A finite number so that reading it gives the same number, whole ones without a fraction.

    >>> number_text(2.0), number_text(0.1)
    ('2', '0.1')
    """
    if not math.isfinite(value):
        raise ValueError(f"write a sample: want a finite value, got {value}")
    return repr(float(value)).removesuffix(".0")


def _declared(sample: Sample) -> Metric:
    if sample.metric not in METRIC_OF_SERIES:
        raise ValueError(f'write a sample: want a metric declared in core.metrics, got "{sample.metric}"')
    return METRIC_OF_SERIES[sample.metric]


def _family(metric: Metric, samples: Sequence[Sample]) -> str:
    ordered = sorted(samples, key=_bucket_order) if metric.type is MetricType.HISTOGRAM else samples
    lines = [f"# HELP {metric.name} {_escape_help(metric.help)}", f"# TYPE {metric.name} {metric.type}"]
    return "\n".join([*lines, *map(_line, ordered)]) + "\n"


def _bucket_order(sample: Sample) -> tuple[tuple[tuple[str, str], ...], str, float]:
    """One histogram after the other, its buckets by their upper bound, which text does not sort by."""
    others = tuple(pair for pair in sample.labels if pair[0] != "le")
    bound = dict(sample.labels).get("le", "+Inf")
    return others, sample.metric, float(bound)


def _line(sample: Sample) -> str:
    labels = ",".join(f'{name}="{_escape_label(value)}"' for name, value in sample.labels)
    return f"{sample.metric}{f'{{{labels}}}' if labels else ''} {number_text(sample.value)}"


def _escape_label(text: str) -> str:
    return _escape_help(text).replace('"', r"\"")


def _escape_help(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")
