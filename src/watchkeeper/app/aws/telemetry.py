"""Texts of the stacks of metrics and alerts that are made of the project file: what fills their slots."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import yaml

from watchkeeper.app.aws.functions.bridge import BridgePlan
from watchkeeper.app.aws.functions.retrain import RetrainPlan
from watchkeeper.app.aws.images import images
from watchkeeper.app.aws.site import Site
from watchkeeper.app.aws.zips import FunctionCode, function_code
from watchkeeper.app.setup.aws_sections import CENTRAL
from watchkeeper.app.setup.project import Project
from watchkeeper.app.setup.sections import MonitorSection
from watchkeeper.app.stack.files import alerts_of, watched_of
from watchkeeper.core.cron import Cron
from watchkeeper.core.errors import InputError
from watchkeeper.core.metrics import METRIC_PREFIX, METRICS, Metric
from watchkeeper.core.ports import Store
from watchkeeper.render.cloudwatch_alarms import alarm_labels, alarm_name, alarm_resources, alarm_yaml
from watchkeeper.render.cloudwatch_exporter import Source, endpoint_config, monitor_config
from watchkeeper.render.collector import Collected, collector_yaml
from watchkeeper.render.managed_prometheus import Topics, alertmanager_config, definition
from watchkeeper.render.prometheus_rules import rules_yaml
from watchkeeper.render.recorded import recorded_yaml

TOPICS = ("paging", "tickets", "digest", "alerts")
EXPORTER_IMAGE, COLLECTOR_IMAGE = "cloudwatch-exporter", "aws-otel-collector"
_FIRST_PORT = 9106
_LATENESS = timedelta(hours=3)  # of a verdict after its window, beside the labels' delay
_SOME_TIME = datetime(2026, 1, 1, tzinfo=UTC)
_OF_ALL = ("monitor_",)


def prometheus_slots(site: Site) -> dict[str, str]:
    """Rules of every environment, recorded names, and where alerts go."""
    project = site.landscape.project
    alerts = [alerts_of(project, name) for name in project.environments]
    try:
        rules = rules_yaml({f"{each.project}-{each.environment}": each.rules for each in alerts})
    except ValueError as error:
        raise InputError(str(error)) from None
    config = alertmanager_config([(each, topics_of(site, each.environment)) for each in alerts])
    return {"alertmanager": definition(config), "rules": rules, "recorded": recorded_yaml()}


def topics_of(site: Site, environment: str) -> Topics:
    """An environment's topics, by the names that its stack gives them."""
    landscape = site.landscape
    account = landscape.number(environment)
    return Topics(
        landscape.names.region,
        {kind: landscape.names.topic(environment, kind, account) for kind in TOPICS},
    )


def collector_slots(site: Site) -> dict[str, str]:
    """The collector's configuration, and two exporters for each account that endpoints are in."""
    exporters = list(_exporters(site))
    containers = [_container(name, port, config) for name, port, config in exporters]
    of = Collected(
        site.landscape.project.name,
        site.landscape.project.environments,
        [f"localhost:{port}" for name, port, _ in exporters if name.startswith("endpoints")],
        [f"localhost:{port}" for name, port, _ in exporters if name.startswith("monitors")],
        site.landscape.section(CENTRAL).namespace,
    )
    return {"collector": collector_yaml(of), "exporters": "\n".join(containers)}


def _exporters(site: Site) -> Iterator[tuple[str, int, str]]:
    """Name, port and configuration of each exporter."""
    landscape, port = site.landscape, _FIRST_PORT
    accounts: dict[str, list[str]] = {}
    for name in landscape.project.environments:
        accounts.setdefault(landscape.number(name), []).append(name)
    for account, environments in accounts.items():
        section = landscape.section(environments[0])
        here = account == landscape.number(CENTRAL)
        source = Source(section.region, "" if here else reader_role(site, environments[0], account))
        endpoints = [landscape.project.endpoint(name) for name in environments]
        yield f"endpoints-{account}", port, endpoint_config(source, endpoints)
        wanted = monitored(site, environments)
        if wanted:
            config = monitor_config(source, section.namespace, wanted, by_feature=section.feature_metrics)
            yield f"monitors-{account}", port + 1, config
        port += 2


def reader_role(site: Site, environment: str, account: str) -> str:
    """The role by which the collector reads the metrics of another account."""
    path = site.landscape.section(environment).iam.path
    return f"arn:aws:iam::{account}:role{path}{site.landscape.names.role(environment, 'reader')}"


def monitored(site: Site, environments: list[str]) -> list[tuple[Metric, int]]:
    """Each metric that monitors of these environments expose, with the seconds its newest value counts for:
    until the next may be there."""
    longest: dict[str, int] = {}
    for environment in environments:
        for name, section in site.landscape.project.environment(environment).monitors.items():
            seconds = counts_for(section)
            for prefix in (f"{name.replace('-', '_')}_", *_OF_ALL, *_ALSO.get(name, ())):
                longest[prefix] = max(longest.get(prefix, 0), seconds)
    return [
        (metric, max(found))
        for metric in METRICS
        if (
            found := [
                seconds
                for prefix, seconds in longest.items()
                if metric.name.removeprefix(METRIC_PREFIX).startswith(prefix)
            ]
        )
    ]


_ALSO = {"model-quality": ("estimated_quality_", "labels_", "sla_"), "data-quality": ("sla_",)}


def counts_for(section: MonitorSection) -> int:
    """Seconds from one verdict of a schedule to the next, late as it may be.

    >>> counts_for(MonitorSection(schedule="cron(0 * * * ? *)")) // 3600
    4
    """
    late = section.start_delay.after(_SOME_TIME) - _SOME_TIME + _LATENESS
    return int((longest_period(section.schedule) + late).total_seconds())


def longest_period(schedule: Cron) -> timedelta:
    """The longest time between two of the next thirteen times of a schedule: a year of months."""
    times = [schedule.next(_SOME_TIME)]
    for _ in range(12):
        times.append(schedule.next(times[-1]))
    return max(later - earlier for earlier, later in pairwise(times))


def _container(name: str, port: int, config: str) -> str:
    """An exporter as the task's template has it. Its image takes its configuration from a file, which it
    writes itself from what it is told."""
    told = {
        "Name": name,
        "Essential": True,
        "EntryPoint": ["sh", "-c"],
        "Command": [
            f'printf "%s" "$EXPORTER_CONFIG" > /tmp/config.yml && '
            f"exec java -jar /cloudwatch_exporter.jar {port} /tmp/config.yml"
        ],
        "Environment": [{"Name": "EXPORTER_CONFIG", "Value": config}],
    }
    lines = yaml.safe_dump([told], sort_keys=False, width=1000).rstrip("\n")
    return f"{lines}\n  Image: !Ref ExporterImage\n{_LOG}"


_LOG = """\
  LogConfiguration:
    LogDriver: awslogs
    Options:
      awslogs-group: !Sub /watchkeeper/${Project}/central
      awslogs-region: !Ref AWS::Region
      awslogs-stream-prefix: exporter"""


def alarm_slots(site: Site) -> dict[str, str]:
    """Each rule that CloudWatch can say, as an alarm."""
    of = watched_of(site.landscape.project, site.scope)
    return {"alarms": alarm_yaml(alarm_resources(of, site.landscape.section(site.scope).namespace)[0])}


def has_alarms(project: Project, environment: str) -> bool:
    """Whether any rule of an environment is one that CloudWatch can say."""
    return bool(alarm_resources(watched_of(project, environment), "any")[0])


def alerting_slots(site: Site) -> dict[str, str]:
    """Who is told, as subscriptions."""
    alerts = site.landscape.section(site.scope).alerts
    told = [("Paging", each) for each in alerts.paging] + [("Digest", each) for each in alerts.digest]
    lines = [
        f"{topic}Subscription{number}:\n"
        "  Type: AWS::SNS::Subscription\n"
        "  Properties:\n"
        f"    TopicArn: !Ref {topic}Topic\n"
        f"    Protocol: {'https' if place.startswith('https:') else 'email'}\n"
        f"    Endpoint: {yaml.safe_dump(place, default_style=chr(34)).strip()}"
        for number, (topic, place) in enumerate(told, start=1)
    ]
    return {"subscriptions": "\n\n".join(lines) or "# nobody yet"}


def bridge_code(site: Site, store: Store) -> FunctionCode:  # noqa: ARG001 - as every function's
    """The function that carries an environment's alerts, and what each of its alarms is about."""
    of = watched_of(site.landscape.project, site.scope)
    alarms = {alarm_name(of, rule): alarm_labels(of, rule) for rule in of.rules}
    return function_code("bridge", BridgePlan(site.of("foundation", "EventBusArn", CENTRAL), alarms))


def retrain_plan(site: Site, store: Store) -> RetrainPlan:
    """Each environment's policy; the commit is that of the images that train."""
    project, known = site.landscape.project, images(store)
    return RetrainPlan(
        environments=project.environments,
        policies={name: project.retrain_policy(name) for name in project.environments},
        bucket=site.of("foundation", "ArtefactBucketName"),
        pipeline=site.landscape.names.pipeline,
        commit=known["training"].commit if "training" in known else "unknown",
    )


def retrain_code(site: Site, store: Store) -> FunctionCode:
    """The function that decides on alerts."""
    return function_code("retrain", retrain_plan(site, store))


def approve_code(site: Site, store: Store) -> FunctionCode:
    """The function that takes a person's word."""
    return function_code("approve", retrain_plan(site, store))
