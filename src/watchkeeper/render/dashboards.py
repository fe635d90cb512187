"""What the dashboards show: panels as values, made into Grafana's JSON by `render.grafana`.

Queries are PromQL on declared metrics, with the variables `$project`, `$env`, `$endpoint` and `$schedule`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from watchkeeper.render.recorded import recorded_name

_ENDPOINT = 'project=~"$project",environment=~"$env",endpoint=~"$endpoint"'
_SCHEDULE = f'{_ENDPOINT},schedule=~"$schedule"'
_VERSION = "{{endpoint}} v{{model_version}}"


class Folder(StrEnum):
    """Whom a dashboard is for: Grafana's permissions are set by folder."""

    DATA_SCIENCE = "Data science"
    ENGINEERING = "ML engineering"
    OPERATIONS = "Operations"


class Unit(StrEnum):
    """Grafana's names of units."""

    NUMBER = "short"
    RATIO = "percentunit"
    SECONDS = "s"
    BYTES = "bytes"
    PER_SECOND = "reqps"
    MOMENT = "dateTimeFromNow"


class Kind(StrEnum):
    """How a panel draws its series."""

    LINES = "lines"
    NUMBERS = "numbers"
    HEATMAP = "heatmap"


@dataclass(frozen=True, slots=True)
class Query:
    """One expression, and how its series are called: Grafana's `{{label}}` names a label."""

    expression: str
    legend: str = "{{endpoint}}"


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart. `limit` is drawn as a line where the rules that ship with us have one."""

    title: str
    queries: tuple[Query, ...]
    unit: Unit = Unit.NUMBER
    kind: Kind = Kind.LINES
    description: str = ""
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A page of panels; where `marks`, the moments at which another model began to serve are drawn on all."""

    uid: str
    title: str
    folder: Folder
    description: str
    panels: tuple[Panel, ...]
    marks: bool = True


def _endpoint(metric: str, *more: str) -> str:
    return f"watchkeeper_{metric}{{{','.join([_ENDPOINT, *more])}}}"


def _schedule(metric: str, *more: str) -> str:
    return f"watchkeeper_{metric}{{{','.join([_SCHEDULE, *more])}}}"


def _rate(metric: str, by: str = "endpoint") -> str:
    return f"sum by ({by}) (rate({_endpoint(metric)}[$__rate_interval]))"


def _heat(buckets: str) -> str:
    return f"sum by (le) (increase({_endpoint(buckets)}[$__rate_interval]))"


def _quantile(metric: str, share: float) -> Query:
    return Query(f"{recorded_name(metric, share)}{{{_ENDPOINT}}}", f"{{{{endpoint}}}} p{round(share * 100)}")


DASHBOARDS: tuple[Dashboard, ...] = (
    Dashboard(
        "watchkeeper-fleet",
        "Fleet",
        Folder.ENGINEERING,
        "Every endpoint at a glance: what it serves, how it answers, what its monitors last found.",
        (
            Panel(
                "Model that serves",
                (Query(_endpoint("endpoint_model_info"), "{{endpoint}} v{{version}}"),),
                kind=Kind.NUMBERS,
            ),
            Panel("Requests", (Query(_rate("endpoint_requests_total")),), Unit.PER_SECOND),
            Panel(
                "Answered with 5xx", (Query(_endpoint("endpoint_errors_5xx_ratio")),), Unit.RATIO, limit=0.01
            ),
            Panel("p95 latency", (Query(_endpoint("endpoint_request_p95_seconds")),), Unit.SECONDS),
            Panel(
                "Violations in the newest window",
                (
                    Query(_schedule("data_quality_violations"), "{{endpoint}} data quality"),
                    Query(_schedule("model_quality_violations"), "{{endpoint}} model quality"),
                    Query(_schedule("explainability_violations"), "{{endpoint}} explainability"),
                    Query(_schedule("bias_violations"), "{{endpoint}} bias"),
                ),
            ),
            Panel(
                "RMSE over the baseline's",
                (Query(_schedule("model_quality_rmse_baseline_ratio"), _VERSION),),
                limit=1.2,
            ),
            Panel(
                "Last verdict",
                (
                    Query(
                        f"max by (schedule) ({_schedule('monitor_window_end_timestamp_seconds')}) * 1000",
                        "{{schedule}}",
                    ),
                ),
                Unit.MOMENT,
                Kind.NUMBERS,
                "End of the newest window with a verdict.",
            ),
        ),
    ),
    Dashboard(
        "watchkeeper-endpoint",
        "Endpoint health",
        Folder.OPERATIONS,
        "Is it up, how much is asked of it, how fast and how well does it answer.",
        (
            Panel(
                "Requests by code",
                (Query(_rate("endpoint_requests_total", "endpoint, code"), "{{endpoint}} {{code}}"),),
                Unit.PER_SECOND,
            ),
            Panel(
                "Answered with 5xx", (Query(_endpoint("endpoint_errors_5xx_ratio")),), Unit.RATIO, limit=0.01
            ),
            Panel("p95 latency", (Query(_endpoint("endpoint_request_p95_seconds")),), Unit.SECONDS),
            Panel("In flight", (Query(_endpoint("endpoint_in_flight_requests")),)),
            Panel("Queued", (Query(_endpoint("endpoint_queued_requests")),)),
            Panel(
                "CPU",
                (
                    Query(
                        'rate(watchkeeper_process_cpu_seconds_total{project=~"$project"}[$__rate_interval])',
                        "{{project}} {{worker}}",
                    ),
                ),
                Unit.RATIO,
            ),
            Panel(
                "Memory",
                (
                    Query(
                        'watchkeeper_process_resident_memory_bytes{project=~"$project"}',
                        "{{project}} {{worker}}",
                    ),
                ),
                Unit.BYTES,
            ),
        ),
    ),
    Dashboard(
        "watchkeeper-traffic",
        "Traffic and latency",
        Folder.OPERATIONS,
        "How latency is distributed, and where in a request the time goes.",
        (
            Panel("Requests", (Query(_rate("endpoint_requests_total")),), Unit.PER_SECOND),
            Panel(
                "Latency",
                (
                    Query(
                        _heat("endpoint_request_seconds_bucket"),
                        "{{le}}",
                    ),
                ),
                Unit.SECONDS,
                Kind.HEATMAP,
            ),
            Panel(
                "Latency, quantiles",
                tuple(_quantile("endpoint_request_seconds", each) for each in (0.5, 0.95, 0.99)),
                Unit.SECONDS,
            ),
            Panel(
                "Model, quantiles",
                tuple(_quantile("endpoint_model_latency_seconds", each) for each in (0.5, 0.95)),
                Unit.SECONDS,
            ),
            Panel(
                "Overhead, quantiles",
                tuple(_quantile("endpoint_overhead_latency_seconds", each) for each in (0.5, 0.95)),
                Unit.SECONDS,
            ),
        ),
    ),
    Dashboard(
        "watchkeeper-errors",
        "Errors",
        Folder.OPERATIONS,
        "What was refused, what failed, and what could not be kept.",
        (
            Panel("Share of 5xx", (Query(_endpoint("endpoint_errors_5xx_ratio")),), Unit.RATIO, limit=0.01),
            Panel(
                "Answers by code",
                (Query(_rate("endpoint_requests_total", "endpoint, code"), "{{endpoint}} {{code}}"),),
                Unit.PER_SECOND,
            ),
            Panel(
                "Records that could not be written",
                (Query(_rate("endpoint_dropped_records_total")),),
                Unit.PER_SECOND,
            ),
            Panel(
                "Capture off",
                (Query(_endpoint("endpoint_capture_off")),),
                description="1 while records cannot be written.",
            ),
        ),
    ),
    Dashboard(
        "watchkeeper-data-quality",
        "Data quality",
        Folder.DATA_SCIENCE,
        "What the newest windows hold, against the baseline.",
        (
            Panel(
                "Checks that did not hold", (Query(_schedule("data_quality_violations"), _VERSION),), limit=0
            ),
            Panel(
                "Distance from the baseline",
                (Query(_schedule("data_quality_drift_distance"), "{{endpoint}} {{feature}}"),),
            ),
            Panel(
                "Completeness",
                (Query(_schedule("data_quality_completeness_ratio"), "{{endpoint}} {{feature}}"),),
                Unit.RATIO,
            ),
            Panel("Rows judged", (Query(_schedule("monitor_rows"), "{{schedule}}"),)),
        ),
    ),
    Dashboard(
        "watchkeeper-model-quality",
        "Model quality",
        Folder.DATA_SCIENCE,
        "How far the answers are from what came true; lines mark where another model began to serve.",
        (
            Panel(
                "RMSE over the baseline's",
                (Query(_schedule("model_quality_rmse_baseline_ratio"), _VERSION),),
                limit=1.2,
            ),
            Panel(
                "RMSE, MAE",
                (
                    Query(_schedule("model_quality_rmse"), f"RMSE {_VERSION}"),
                    Query(_schedule("model_quality_mae"), f"MAE {_VERSION}"),
                ),
            ),
            Panel("MAPE", (Query(_schedule("model_quality_mape"), _VERSION),), Unit.RATIO),
            Panel("R²", (Query(_schedule("model_quality_r2"), _VERSION),)),
            Panel(
                "Mean error over the mean label",
                (Query(_schedule("model_quality_bias_ratio"), _VERSION),),
                Unit.RATIO,
            ),
            Panel(
                "95 % intervals",
                (
                    Query(
                        _schedule("model_quality_bound", 'figure="rmse"'), "{{endpoint}} {{figure}} {{bound}}"
                    ),
                ),
            ),
            Panel(
                "Rows with a label", (Query(_schedule("labels_coverage_ratio"), "{{schedule}}"),), Unit.RATIO
            ),
            Panel("Promises broken", (Query(_schedule("sla_violations"), "{{endpoint}} {{sla}}"),)),
        ),
    ),
    Dashboard(
        "watchkeeper-attribution",
        "Attribution and bias",
        Folder.DATA_SCIENCE,
        "What the model looks at, and how it treats groups.",
        (
            Panel(
                "Order of importance kept", (Query(_schedule("explainability_ndcg"), _VERSION),), limit=0.9
            ),
            Panel(
                "Shift by chance alone",
                (Query(_schedule("explainability_drift_p_value"), _VERSION),),
                Unit.RATIO,
            ),
            Panel("Importance", (Query(_schedule("explainability_importance"), "{{endpoint}} {{feature}}"),)),
            Panel("Bias", (Query(_schedule("bias_metric"), "{{facet}} {{facet_value}} {{metric}}"),)),
            Panel("Worse than the baseline", (Query(_schedule("bias_violations"), _VERSION),), limit=0),
        ),
    ),
    Dashboard(
        "watchkeeper-schedules",
        "Schedules",
        Folder.ENGINEERING,
        "Which monitors ran, on what, and how they ended.",
        (
            Panel(
                "Newest status",
                (Query(f"{_schedule('monitor_status')} == 1", "{{schedule}} {{status}}"),),
                kind=Kind.NUMBERS,
            ),
            Panel(
                "Age of the newest verdict",
                (
                    Query(
                        f"time() - max by (schedule) ({_schedule('monitor_window_end_timestamp_seconds')})",
                        "{{schedule}}",
                    ),
                ),
                Unit.SECONDS,
            ),
            Panel("Rows judged", (Query(_schedule("monitor_rows"), "{{schedule}}"),)),
            Panel(
                "Rows with a label", (Query(_schedule("labels_coverage_ratio"), "{{schedule}}"),), Unit.RATIO
            ),
        ),
        marks=False,
    ),
    Dashboard(
        "watchkeeper-capture",
        "Capture",
        Folder.ENGINEERING,
        "Whether what is asked and answered is kept.",
        (
            Panel("Coverage", (Query(_endpoint("endpoint_capture_coverage_ratio")),), Unit.RATIO, limit=0.99),
            Panel("Captured", (Query(_rate("endpoint_captured_records_total")),), Unit.PER_SECOND),
            Panel("Lag", (Query(_endpoint("endpoint_capture_lag_seconds")),), Unit.SECONDS),
            Panel("Could not be written", (Query(_endpoint("endpoint_dropped_records_total")),)),
            Panel(
                "Free on the spool's disk",
                (Query('watchkeeper_process_spool_free_bytes{project=~"$project"}', "{{project}}"),),
                Unit.BYTES,
            ),
        ),
        marks=False,
    ),
    Dashboard(
        "watchkeeper-correlation",
        "Correlation",
        Folder.DATA_SCIENCE,
        "Error, latency, failures and drift on one time axis, deployments as lines: what moved first.",
        (
            Panel(
                "RMSE over the baseline's",
                (Query(_schedule("model_quality_rmse_baseline_ratio"), _VERSION),),
                limit=1.2,
            ),
            Panel(
                "Largest drift", (Query(f"max by (endpoint) ({_schedule('data_quality_drift_distance')})"),)
            ),
            Panel("p95 latency", (Query(_endpoint("endpoint_request_p95_seconds")),), Unit.SECONDS),
            Panel("Share of 5xx", (Query(_endpoint("endpoint_errors_5xx_ratio")),), Unit.RATIO),
            Panel(
                "Model that serves", (Query(_endpoint("endpoint_model_info"), "{{endpoint}} v{{version}}"),)
            ),
        ),
    ),
)
