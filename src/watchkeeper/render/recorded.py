"""Recording rules: one name for a figure, whether our server measured it or CloudWatch did.

Locally quantiles come from histograms, on AWS from CloudWatch's extended statistics, as the CloudWatch
exporter names them; its series carry `project` and `environment` where the collector has put them. Panels
read the recorded names. Sources: prometheus.io/docs/practices/rules for the names `level:metric:operation`;
docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html for units (microseconds) and dimensions;
github.com/prometheus/cloudwatch_exporter for the names of its series.
"""

from __future__ import annotations

from collections.abc import Iterator

import yaml

RECORDED = "recorded.yml"
QUANTILES = (0.5, 0.95, 0.99)
_BY = "project, environment, endpoint"
_LATENCIES = {
    "endpoint_request_seconds": ("model_latency", "overhead_latency"),  # what a caller waits for is both
    "endpoint_model_latency_seconds": ("model_latency",),
    "endpoint_overhead_latency_seconds": ("overhead_latency",),
}
_ERRORS = {"4xx": "invocation4_xxerrors", "5xx": "invocation5_xxerrors"}


def recorded_name(metric: str, share: float) -> str:
    """The name of a latency's quantile: `watchkeeper:endpoint_request_seconds:p95`."""
    return f"watchkeeper:{metric}:p{round(share * 100)}"


def recorded_rules() -> Iterator[tuple[str, str]]:
    """Each recorded name with its expression."""
    for metric, parts in _LATENCIES.items():
        for share in QUANTILES:
            buckets = f"sum by ({_BY}, le) (rate(watchkeeper_{metric}_bucket[5m]))"
            ours = f"histogram_quantile({share}, {buckets})"
            theirs = " + ".join(_of_aws(f"{part}_p{round(share * 100)}") for part in parts)
            yield recorded_name(metric, share), f"{ours} or ({theirs}) / 1e6"
    ours = f"sum by ({_BY}) (rate(watchkeeper_endpoint_requests_total[5m]))"
    yield "watchkeeper:endpoint_requests:rate", f"{ours} or {_of_aws('invocations_sum')} / 60"
    for kind, errors in _ERRORS.items():
        ours = f"max by ({_BY}) (watchkeeper_endpoint_errors_{kind}_ratio)"
        theirs = f"{_of_aws(f'{errors}_sum')} / ({_of_aws('invocations_sum')} > 0)"
        yield f"watchkeeper:endpoint_errors_{kind}:ratio", f"{ours} or {theirs}"


def recorded_yaml() -> str:
    """The rule file."""
    rules = [{"record": name, "expr": expression} for name, expression in recorded_rules()]
    return yaml.safe_dump(
        {"groups": [{"name": "watchkeeper-recorded", "rules": rules}]}, sort_keys=False, width=1000
    )


def _of_aws(metric: str) -> str:
    """A metric of SageMaker's endpoints, its variants added up, under our label for the endpoint."""
    series = f'label_replace(aws_sagemaker_{metric}, "endpoint", "$1", "endpoint_name", "(.+)")'
    return f"sum by ({_BY}) ({series})" if metric.endswith("_sum") else f"max by ({_BY}) ({series})"
