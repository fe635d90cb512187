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
    """One metric family. `unit` is empty for a plain number and for one in the label's own unit.

    `labels` are those of its series beside `project`, `environment`, `endpoint` and `schedule`, for metrics
    of monitors.
    """

    name: str
    type: MetricType
    unit: str
    help: str
    labels: tuple[str, ...] = ()

    @property
    def series_names(self) -> tuple[str, ...]:
        """The names its samples carry: a histogram has three, every other metric its own."""
        if self.type is MetricType.HISTOGRAM:
            return tuple(f"{self.name}_{part}" for part in ("bucket", "sum", "count"))
        return (self.name,)


METRIC_PREFIX = "watchkeeper_"
SCRAPE_LABELS = ("job", "instance")  # what Prometheus adds to every series that it scrapes


def _gauge(name: str, text: str, unit: str = "", *labels: str) -> Metric:
    return Metric(METRIC_PREFIX + name, MetricType.GAUGE, unit, text, labels)


def _judged(name: str, text: str, unit: str = "", *labels: str) -> Metric:
    """Of one model version's rows."""
    return _gauge(name, text, unit, *labels, "model_version")


def _counter(name: str, text: str, unit: str = "") -> Metric:
    return Metric(METRIC_PREFIX + name, MetricType.COUNTER, unit, text)


def _histogram(name: str, text: str, unit: str) -> Metric:
    return Metric(METRIC_PREFIX + name, MetricType.HISTOGRAM, unit, text)


METRICS: tuple[Metric, ...] = (
    _judged("data_quality_violations", "Data quality checks that did not hold in the newest window."),
    _judged(
        "data_quality_drift_distance",
        "Distance between a feature's distribution in the newest window and in the baseline, 0 to 1.",
        "",
        "feature",
    ),
    _judged(
        "data_quality_completeness_ratio",
        "Share of rows of the newest window in which a feature holds a value.",
        "ratio",
        "feature",
    ),
    _judged(
        "data_quality_reconstruction_ratio",
        "Error of putting rows together from the baseline's principal components, over the baseline's own.",
        "ratio",
    ),
    _judged(
        "data_quality_classifier_auc",
        "How well a classifier tells the newest window's rows from the baseline's, 0.5 when they are alike.",
    ),
    _judged(
        "model_quality_violations",
        "Model quality checks and promises that did not hold in the newest labelled window.",
    ),
    _judged(
        "model_quality_rmse", "Root mean squared error of the newest labelled window, in the label's unit."
    ),
    _judged("model_quality_mae", "Mean absolute error of the newest labelled window, in the label's unit."),
    _judged(
        "model_quality_mape",
        "Mean absolute error as a share of the label, of the newest labelled window.",
        "ratio",
    ),
    _judged("model_quality_r2", "Coefficient of determination of the newest labelled window, at most 1."),
    _judged(
        "model_quality_bias_ratio",
        "Mean of prediction minus label over the mean label, of the newest labelled window.",
        "ratio",
    ),
    _judged(
        "model_quality_bound",
        "An end (the label bound) of the 95 % interval of a model quality figure (the label figure).",
        "",
        "bound",
        "figure",
    ),
    _judged(
        "model_quality_rmse_baseline_ratio",
        "Root mean squared error of the newest labelled window over the baseline's.",
        "ratio",
    ),
    _judged(
        "model_quality_rmse_baseline_ratio_low",
        "The low end of the 95 % interval of the newest labelled window's root mean squared error over the "
        "baseline's: what chance alone does not explain.",
        "ratio",
    ),
    _judged(
        "estimated_quality_rmse",
        "Root mean squared error to be expected of the newest window without labels, in the label's unit.",
    ),
    _judged(
        "estimated_quality_mae",
        "Mean absolute error to be expected of the newest window without labels, in the label's unit.",
    ),
    _judged(
        "explainability_violations", "Feature attribution checks that did not hold in the newest window."
    ),
    _judged(
        "explainability_ndcg",
        "How well features keep the baseline's order of importance in the newest window, 1 for the same.",
    ),
    _judged(
        "explainability_drift_p_value",
        "Share of the baseline's own samples whose importances moved as far as the newest window's.",
    ),
    _judged(
        "explainability_importance",
        "A feature's global attribution in the newest window, in the label's unit without its level.",
        "",
        "feature",
    ),
    _judged(
        "bias_violations", "Bias metrics of the newest labelled window that are worse than the baseline's."
    ),
    _judged(
        "bias_metric",
        "A bias metric of a facet's group in the newest labelled window, named by the label metric.",
        "",
        "facet",
        "facet_value",
        "metric",
    ),
    _judged(
        "sla_violations",
        "How often a promise about data or model quality was broken in the newest window, by the label sla.",
        "",
        "sla",
    ),
    *(
        _gauge(
            f"{monitor}_violated_windows",
            f"How many of the three newest windows broke a check of {words}, each by its newest verdict.",
        )
        for monitor, words in (
            ("data_quality", "data quality"),
            ("model_quality", "model quality"),
            ("explainability", "feature attribution"),
            ("bias", "bias"),
        )
    ),
    _gauge(
        "monitor_windows_without_verdict",
        "How many windows in a row, up to the newest, a monitor ended without a verdict; at most 10.",
    ),
    _gauge(
        "monitor_overdue_seconds",
        "How long ago the oldest time of a schedule came that nothing was run for; 0 when none is open.",
        "seconds",
    ),
    _gauge(
        "monitor_baseline_age_seconds",
        "Age of the baseline that the newest window was judged by.",
        "seconds",
    ),
    _gauge("monitor_rows", "Rows a monitor judged in its newest window."),
    _gauge(
        "monitor_window_end_timestamp_seconds",
        "End of the newest window a monitor reached a verdict on, since the Unix epoch.",
        "seconds",
    ),
    _gauge(
        "monitor_revision",
        "Which revision of its newest window a verdict is: 1, and one more each time that inputs changed.",
    ),
    _gauge(
        "monitor_status",
        "1 for the status of a monitor's newest execution, named by the label status.",
        "",
        "status",
    ),
    _gauge("labels_coverage_ratio", "Share of the newest window's captured rows that have a label.", "ratio"),
    _gauge(
        "labels_oldest_missing_seconds",
        "Age of the newest window's oldest row without a label, when the monitor looked; absent without one.",
        "seconds",
    ),
    _counter("endpoint_requests_total", "Requests an endpoint has answered, by the label code."),
    _histogram(
        "endpoint_request_seconds",
        "Time from a request's headers, once read, to its answer, before it is sent.",
        "seconds",
    ),
    _gauge(
        "endpoint_idle_seconds",
        "Time since the last request was answered, or since the server started when none was.",
        "seconds",
    ),
    _gauge(
        "endpoint_errors_4xx_ratio",
        "Share of the requests of the last five minutes that were answered with a 4xx status.",
        "ratio",
    ),
    _gauge(
        "endpoint_errors_5xx_ratio",
        "Share of the requests of the last five minutes that were answered with a 5xx status.",
        "ratio",
    ),
    _gauge(
        "endpoint_request_p95_seconds",
        "95 of 100 requests of the last five minutes were answered within this time; nearest rank.",
        "seconds",
    ),
    _histogram(
        "endpoint_model_latency_seconds",
        "Time the model took of a request that it answered, together with those of the same moment.",
        "seconds",
    ),
    _histogram(
        "endpoint_overhead_latency_seconds", "Time an answered request took beside the model's.", "seconds"
    ),
    _gauge("endpoint_in_flight_requests", "Requests that are being answered."),
    _gauge(
        "endpoint_queued_requests",
        "Requests that wait to be answered together with others of the same moment.",
    ),
    _gauge(
        "endpoint_capture_lag_seconds",
        "Age of the oldest capture file of the environment that is not in the store yet; 0 without one.",
        "seconds",
    ),
    _counter(
        "process_cpu_seconds_total",
        "CPU time of the server's process, with the label project alone.",
        "seconds",
    ),
    _gauge(
        "process_resident_memory_bytes",
        "Resident memory of the server's process, with the label project alone.",
        "bytes",
    ),
    _gauge(
        "process_spool_free_bytes",
        "Bytes that are free on the disk of the capture spool, with the label project alone.",
        "bytes",
    ),
    _counter(
        "endpoint_captured_records_total",
        "Records of answered requests that are in the operating system's hands.",
    ),
    _counter("endpoint_dropped_records_total", "Records that were to be captured and could not be written."),
    _gauge(
        "endpoint_capture_off",
        "1 while records cannot be written and requests are answered all the same, else 0.",
    ),
    _gauge(
        "endpoint_spool_free_ratio",
        "Share of the capture spool's disk that is free.",
        "ratio",
    ),
    _gauge("endpoint_model_info", "1 for the model that is served, by the labels version and digest."),
    _gauge(
        "endpoint_capture_coverage_ratio",
        "Share of the requests to be captured, all sampled ones, that were; since the server started.",
        "ratio",
    ),
    _counter(
        "endpoint_unseen_categories_total",
        "Values in requests that the model's training rows did not have, by the label feature.",
    ),
)

METRIC_OF_SERIES: Mapping[str, Metric] = MappingProxyType(
    {name: metric for metric in METRICS for name in metric.series_names}
)
