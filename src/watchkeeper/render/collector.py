"""Configuration of AWS's OpenTelemetry collector: it scrapes the exporters, gives series our names, and
writes them to Amazon Managed Prometheus, signed.

Every `$` of Prometheus' own is doubled, as the collector replaces single ones.
Sources: aws-otel.github.io/docs/getting-started/prometheus-remote-write-exporter,
github.com/open-telemetry/opentelemetry-collector-contrib, receiver/prometheusreceiver and
exporter/prometheusremotewriteexporter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from watchkeeper.core.metrics import METRIC_PREFIX
from watchkeeper.render.cloudwatch_exporter import STATISTIC, exported_name

ENDPOINTS, MONITORS = "endpoints", "monitors"
ADDRESS = "AWS_PROMETHEUS_ENDPOINT"  # the variable that holds where samples are written
INTERVALS = {ENDPOINTS: 60, MONITORS: 240}  # seconds; a series that is scraped less often goes stale between


@dataclass(frozen=True, slots=True)
class Collected:
    """A project's exporters by job: the addresses, and the namespace that monitors' metrics are in."""

    project: str
    environments: Sequence[str]
    endpoints: Sequence[str]
    monitors: Sequence[str]
    namespace: str


def scrape_config(of: Collected, intervals: dict[str, int] | None = None) -> dict[str, Any]:
    """Prometheus' configuration inside the collector's; `intervals` are seconds by job."""
    every = intervals or INTERVALS
    jobs = {ENDPOINTS: (of.endpoints, "endpoint_name"), MONITORS: (of.monitors, "endpoint")}
    return {
        "global": {"scrape_interval": "60s", "scrape_timeout": "30s"},
        "scrape_configs": [
            {
                "job_name": job,
                "scrape_interval": f"{every[job]}s",
                "scrape_timeout": f"{min(every[job], 30)}s",
                "honor_timestamps": False,
                "static_configs": [{"targets": list(targets)}],
                "metric_relabel_configs": [*_of_project(of, label), *(_names(of) if job == MONITORS else [])],
            }
            for job, (targets, label) in jobs.items()
            if targets
        ],
    }


def collector_yaml(of: Collected) -> str:
    """The collector's own configuration, as the container takes it from a variable."""
    prometheus = _doubled(scrape_config(of))
    found = {
        "extensions": {"health_check": None, "sigv4auth": {"region": "${env:AWS_REGION}"}},
        "receivers": {"prometheus": {"config": prometheus}},
        "processors": {"batch/metrics": {"timeout": "60s"}},
        "exporters": {
            "prometheusremotewrite": {
                "endpoint": f"${{env:{ADDRESS}}}",
                "auth": {"authenticator": "sigv4auth"},
                "add_metric_suffixes": False,
                "resource_to_telemetry_conversion": {"enabled": False},
            }
        },
        "service": {
            "extensions": ["health_check", "sigv4auth"],
            "pipelines": {
                "metrics": {
                    "receivers": ["prometheus"],
                    "processors": ["batch/metrics"],
                    "exporters": ["prometheusremotewrite"],
                }
            },
        },
    }
    return yaml.safe_dump(found, sort_keys=False, width=1000)


def _of_project(of: Collected, label: str) -> list[dict[str, Any]]:
    """Project and environment, which the endpoint's name has; of other projects' endpoints nothing."""
    ours = f"{re.escape(of.project)}-({'|'.join(map(re.escape, of.environments))})"
    return [
        {
            "source_labels": [label],
            "regex": f"{ours}|",
            "action": "keep",
        },  # what is of no endpoint is about the scrape
        {"source_labels": [label], "regex": ours, "target_label": "environment", "replacement": "$1"},
        {"source_labels": [label], "regex": ours, "target_label": "project", "replacement": of.project},
    ]


def _names(of: Collected) -> list[dict[str, Any]]:
    """Our names and labels in the place of the exporter's."""
    theirs = exported_name(of.namespace, "x", STATISTIC)
    prefix, suffix = theirs.split("_x_")
    return [
        {
            "source_labels": ["__name__"],
            "regex": f"{prefix}_(.+)_{suffix}",
            "target_label": "__name__",
            "replacement": f"{METRIC_PREFIX}$1",
        },
        {
            "source_labels": ["monitoring_schedule"],
            "regex": "(.+)",
            "target_label": "schedule",
            "replacement": "$1",
        },
        {"regex": "monitoring_schedule|exported_job|exported_instance", "action": "labeldrop"},
    ]


def _doubled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _doubled(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_doubled(each) for each in value]
    return value.replace("$", "$$") if isinstance(value, str) else value
