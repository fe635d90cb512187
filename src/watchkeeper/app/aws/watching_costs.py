"""What watching costs in a month: alarms, metrics in CloudWatch and in Prometheus, the collector, monitors'
jobs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from watchkeeper.app.aws.landscape import Landscape
from watchkeeper.app.aws.names import is_central
from watchkeeper.app.aws.series import expected_series
from watchkeeper.app.aws.units import HOURS, Units, executions_in_month
from watchkeeper.app.setup.aws_sections import CENTRAL
from watchkeeper.app.stack.files import watched_of
from watchkeeper.render.cloudwatch_alarms import alarm_resources
from watchkeeper.render.cloudwatch_exporter import OF_ENDPOINT
from watchkeeper.render.collector import INTERVALS

QUEUE_ALARMS = 2  # times that were not started, alerts that were not carried
_JOB = 10 / 60  # hours of a monitor's job, its machine's start included
_VCPUS, _GIGABYTES = 0.5, 2  # of the collector's task


def watching_units(landscape: Landscape, scope: str, now: datetime) -> Iterator[Units]:
    """A month of a scope from `now` on, by kind."""
    yield from _central(landscape) if is_central(scope) else _of_environment(landscape, scope, now)


def _of_environment(landscape: Landscape, scope: str, now: datetime) -> Iterator[Units]:
    of = watched_of(landscape.project, scope)
    queries = [
        query for each in alarm_resources(of, "any")[0].values() for query in each["Properties"]["Metrics"]
    ]
    plain = sum("MetricStat" in each for each in queries)
    searched = sum("SELECT" in each.get("Expression", "") for each in queries)
    yield Units("alarm-metrics", scope, plain + QUEUE_ALARMS, "alarms on endpoints and queues")
    yield Units("insights-metrics", scope, searched, "alarms that look through what monitors found")
    paid = sum(each.custom_metrics for each in expected_series(landscape) if each.environment == scope)
    yield Units("custom-metrics", scope, paid, "what monitors found")
    monitors = landscape.project.environment(scope).monitors.values()
    runs = sum(len(executions_in_month(each.schedule, now)) for each in monitors)
    if not runs:
        return
    kind = f"job-hours/{landscape.section(scope).instances.processing}"
    yield Units(kind, scope, runs * _JOB, f"{runs} executions of monitors, ten minutes each")


def _central(landscape: Landscape) -> Iterator[Units]:
    """Each series is asked for at each scrape, whether it has changed or not."""
    yield Units("fargate-vcpu-hours", CENTRAL, _VCPUS * HOURS, "the collector")
    yield Units("fargate-gigabyte-hours", CENTRAL, _GIGABYTES * HOURS, "the collector")
    environments = len(landscape.project.environments)
    found = sum(each.custom_metrics for each in expected_series(landscape))
    scrapes = {job: HOURS * 3600 / seconds for job, seconds in INTERVALS.items()}
    asked = environments * len(OF_ENDPOINT) * scrapes["endpoints"] + found * scrapes["monitors"]
    statistics = sum(len(each[2]) for each in OF_ENDPOINT)
    samples = environments * statistics * scrapes["endpoints"] + found * scrapes["monitors"]
    yield Units("metric-requests", CENTRAL, asked, "the exporters ask CloudWatch at each scrape")
    yield Units("prometheus-samples", CENTRAL, samples, "what the collector writes")
