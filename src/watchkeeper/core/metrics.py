"""Every metric Watchkeeper exposes, declared once for exposition, rules, dashboards and checks of settings.

Names follow Prometheus: `watchkeeper_<thing>_<unit>` in base units. Every series carries the labels
`project`, `environment`, `endpoint`, and `schedule` where there is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class MetricType(StrEnum):
    """Prometheus' types, as the exposition format spells them."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric family. `unit` is empty for a plain number and for one in the label's own unit."""

    name: str
    type: MetricType
    unit: str
    help: str

    @property
    def series_names(self) -> tuple[str, ...]:
        """The names its samples carry: a histogram has three, every other metric its own."""
        if self.type is MetricType.HISTOGRAM:
            return tuple(f"{self.name}_{part}" for part in ("bucket", "sum", "count"))
        return (self.name,)


_GAUGE, _COUNTER, _HISTOGRAM = MetricType.GAUGE, MetricType.COUNTER, MetricType.HISTOGRAM

METRICS: tuple[Metric, ...] = (
    Metric(
        "watchkeeper_data_quality_violations",
        _GAUGE,
        "",
        "Data quality checks that did not hold in the newest window.",
    ),
    Metric(
        "watchkeeper_data_quality_drift_distance",
        _GAUGE,
        "",
        "Distance between a feature's distribution in the newest window and in the baseline, 0 to 1.",
    ),
    Metric(
        "watchkeeper_data_quality_completeness_ratio",
        _GAUGE,
        "ratio",
        "Share of rows of the newest window in which a feature holds a value.",
    ),
    Metric(
        "watchkeeper_data_quality_reconstruction_ratio",
        _GAUGE,
        "ratio",
        "Error of putting rows together from the baseline's principal components, over the baseline's own.",
    ),
    Metric(
        "watchkeeper_data_quality_classifier_auc",
        _GAUGE,
        "",
        "How well a classifier tells the newest window's rows from the baseline's, 0.5 when they are alike.",
    ),
    Metric(
        "watchkeeper_model_quality_violations",
        _GAUGE,
        "",
        "Model quality checks and promises that did not hold in the newest labelled window.",
    ),
    Metric(
        "watchkeeper_model_quality_rmse",
        _GAUGE,
        "",
        "Root mean squared error of the newest labelled window, in the label's unit.",
    ),
    Metric(
        "watchkeeper_model_quality_mae",
        _GAUGE,
        "",
        "Mean absolute error of the newest labelled window, in the label's unit.",
    ),
    Metric(
        "watchkeeper_model_quality_mape",
        _GAUGE,
        "ratio",
        "Mean absolute error as a share of the label, of the newest labelled window.",
    ),
    Metric(
        "watchkeeper_model_quality_r2",
        _GAUGE,
        "",
        "Coefficient of determination of the newest labelled window, at most 1.",
    ),
    Metric(
        "watchkeeper_model_quality_bias_ratio",
        _GAUGE,
        "ratio",
        "Mean of prediction minus label over the mean label, of the newest labelled window.",
    ),
    Metric(
        "watchkeeper_model_quality_bound",
        _GAUGE,
        "",
        "An end (the label bound) of the 95 % interval of a model quality figure (the label figure).",
    ),
    Metric(
        "watchkeeper_model_quality_rmse_baseline_ratio",
        _GAUGE,
        "ratio",
        "Root mean squared error of the newest labelled window over the baseline's.",
    ),
    Metric(
        "watchkeeper_estimated_quality_rmse",
        _GAUGE,
        "",
        "Root mean squared error to be expected of the newest window without labels, in the label's unit.",
    ),
    Metric(
        "watchkeeper_estimated_quality_mae",
        _GAUGE,
        "",
        "Mean absolute error to be expected of the newest window without labels, in the label's unit.",
    ),
    Metric(
        "watchkeeper_explainability_violations",
        _GAUGE,
        "",
        "Feature attribution checks that did not hold in the newest window.",
    ),
    Metric(
        "watchkeeper_explainability_ndcg",
        _GAUGE,
        "",
        "How well features keep the baseline's order of importance in the newest window, 1 for the same.",
    ),
    Metric(
        "watchkeeper_explainability_drift_p_value",
        _GAUGE,
        "",
        "Share of the baseline's own samples whose importances moved as far as the newest window's.",
    ),
    Metric(
        "watchkeeper_explainability_importance",
        _GAUGE,
        "",
        "A feature's global attribution in the newest window, in the label's unit without its level.",
    ),
    Metric(
        "watchkeeper_bias_violations",
        _GAUGE,
        "",
        "Bias metrics of the newest labelled window that are worse than the baseline's.",
    ),
    Metric(
        "watchkeeper_bias_metric",
        _GAUGE,
        "",
        "A bias metric of a facet's group in the newest labelled window, named by the label metric.",
    ),
    Metric(
        "watchkeeper_sla_violations",
        _GAUGE,
        "",
        "How often a promise about data or model quality was broken in the newest window, by the label sla.",
    ),
    Metric("watchkeeper_monitor_rows", _GAUGE, "", "Rows a monitor judged in its newest window."),
    Metric(
        "watchkeeper_monitor_window_end_timestamp_seconds",
        _GAUGE,
        "seconds",
        "End of the newest window a monitor reached a verdict on, since the Unix epoch.",
    ),
    Metric(
        "watchkeeper_monitor_status",
        _GAUGE,
        "",
        "1 for the status of a monitor's newest execution, named by the label status.",
    ),
    Metric(
        "watchkeeper_labels_coverage_ratio",
        _GAUGE,
        "ratio",
        "Share of the newest window's captured rows that have a label.",
    ),
    Metric(
        "watchkeeper_labels_oldest_missing_seconds",
        _GAUGE,
        "seconds",
        "Age of the newest window's oldest row without a label, when the monitor looked; absent without one.",
    ),
    Metric(
        "watchkeeper_endpoint_requests_total",
        _COUNTER,
        "",
        "Requests an endpoint has answered, by the label code.",
    ),
    Metric(
        "watchkeeper_endpoint_request_seconds",
        _HISTOGRAM,
        "seconds",
        "Time from a request's headers, once read, to its answer, before it is sent.",
    ),
    Metric(
        "watchkeeper_endpoint_errors_5xx_ratio",
        _GAUGE,
        "ratio",
        "Share of the requests of the last five minutes that were answered with a 5xx status.",
    ),
    Metric(
        "watchkeeper_endpoint_request_p95_seconds",
        _GAUGE,
        "seconds",
        "95 of 100 requests of the last five minutes were answered within this time; nearest rank.",
    ),
    Metric(
        "watchkeeper_endpoint_model_latency_seconds",
        _HISTOGRAM,
        "seconds",
        "Time the model took of a request that it answered, together with those of the same moment.",
    ),
    Metric(
        "watchkeeper_endpoint_overhead_latency_seconds",
        _HISTOGRAM,
        "seconds",
        "Time an answered request took beside the model's.",
    ),
    Metric(
        "watchkeeper_endpoint_in_flight_requests",
        _GAUGE,
        "",
        "Requests that are being answered.",
    ),
    Metric(
        "watchkeeper_endpoint_queued_requests",
        _GAUGE,
        "",
        "Requests that wait to be answered together with others of the same moment.",
    ),
    Metric(
        "watchkeeper_endpoint_capture_lag_seconds",
        _GAUGE,
        "seconds",
        "Age of the oldest capture file of the environment that is not in the store yet; 0 without one.",
    ),
    Metric(
        "watchkeeper_process_cpu_seconds_total",
        _COUNTER,
        "seconds",
        "CPU time of the server's process, with the label project alone.",
    ),
    Metric(
        "watchkeeper_process_resident_memory_bytes",
        _GAUGE,
        "bytes",
        "Resident memory of the server's process, with the label project alone.",
    ),
    Metric(
        "watchkeeper_process_spool_free_bytes",
        _GAUGE,
        "bytes",
        "Bytes that are free on the disk of the capture spool, with the label project alone.",
    ),
    Metric(
        "watchkeeper_endpoint_captured_records_total",
        _COUNTER,
        "",
        "Records of answered requests that are in the operating system's hands.",
    ),
    Metric(
        "watchkeeper_endpoint_dropped_records_total",
        _COUNTER,
        "",
        "Records that were to be captured and could not be written.",
    ),
    Metric(
        "watchkeeper_endpoint_capture_off",
        _GAUGE,
        "",
        "1 while records cannot be written and requests are answered all the same, else 0.",
    ),
    Metric(
        "watchkeeper_endpoint_model_info",
        _GAUGE,
        "",
        "1 for the model that is served, by the labels version and digest.",
    ),
    Metric(
        "watchkeeper_endpoint_capture_coverage_ratio",
        _GAUGE,
        "ratio",
        "Share of the requests to be captured, all sampled ones, that were; since the server started.",
    ),
    Metric(
        "watchkeeper_endpoint_unseen_categories_total",
        _COUNTER,
        "",
        "Values in requests that the model's training rows did not have, by the label feature.",
    ),
)

METRIC_OF_SERIES: Mapping[str, Metric] = MappingProxyType(
    {name: metric for metric in METRICS for name in metric.series_names}
)
