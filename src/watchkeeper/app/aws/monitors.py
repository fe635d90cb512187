"""Monitors on their schedules: what the function that starts their jobs is told, and its stack."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from watchkeeper.app.aws.functions.job import Schedule, StartPlan
from watchkeeper.app.aws.images import images
from watchkeeper.app.aws.pipeline import project_key
from watchkeeper.app.aws.site import Site, network_of
from watchkeeper.app.aws.zips import FunctionCode, function_code
from watchkeeper.app.judging.judges import JUDGES
from watchkeeper.app.setup.aws_sections import CENTRAL
from watchkeeper.core.cron import Cron
from watchkeeper.core.errors import InputError
from watchkeeper.core.ports import Store
from watchkeeper.core.windows import Duration

_NONE = "none"  # of a monitor that the environment has not
_SOME_TIME = datetime(2026, 1, 1, tzinfo=UTC)
_SPREAD = (1, 60)  # minutes over which starts are spread, at least and at most
_OF_MODEL_MONITOR = re.compile(r"cron\(0 (\*|\d+|\d+/\d+) \? \* \* \*\)")  # contract 8.6
_SECONDS = 4 * 3600  # that a job may take


def start_plan(site: Site, store: Store) -> StartPlan:
    """An environment's schedules and what their jobs are made of; the analyzer's image as it is on record."""
    landscape, scope = site.landscape, site.scope
    section, monitors = landscape.section(scope), landscape.project.environment(scope).monitors
    endpoint, network = landscape.project.endpoint(scope), network_of(site)
    return StartPlan(
        environment=scope,
        endpoint=endpoint,
        region=section.region,
        captures=site.of("foundation", "CaptureBucketName"),
        image=images(store)["analyzer"].uri,
        role=site.of("roles", "MonitorRoleArn"),
        instance=section.instances.processing,
        key=site.of("foundation", "KeyArn"),
        subnets=tuple(network["SubnetIds"].split(",")),
        security_groups=tuple(network["SecurityGroupIds"].split(",")),
        project=project_uri(site),
        namespace=section.namespace,
        seconds=_SECONDS,
        tags={"project": landscape.names.project, "environment": scope, "watchkeeper": "monitor"},
        schedules=tuple(
            Schedule(
                f"{endpoint}-{name}",
                name,
                monitor.schedule.text,
                monitor.labels.delay if JUDGES[name].needs_labels else Duration(),
                monitor.start_delay,
            )
            for name, monitor in monitors.items()
        ),
    )


def project_uri(site: Site) -> str:
    """The folder of the project file that jobs read."""
    folder = project_key(site.landscape.project.text.encode()).rpartition("/")[0]
    return f"s3://{site.of('foundation', 'ArtefactBucketName', CENTRAL)}/{folder}"


def start_code(site: Site, store: Store) -> FunctionCode:
    """The function that starts them."""
    return function_code("start", start_plan(site, store))


def told_of_schedules(site: Site) -> dict[str, str]:
    """Each monitor's expression, time zone and spread, as the stack's parameters have them.

    Raises InputError for a schedule that EventBridge Scheduler cannot say.
    """
    monitors = site.landscape.project.environment(site.scope).monitors
    told = {}
    for name in JUDGES:
        prefix = _prefix(name)
        section = monitors.get(name)
        expression, zone = (_NONE, "UTC") if section is None else _expression(name, section.schedule)
        told[f"{prefix}Schedule"] = expression
        told[f"{prefix}Timezone"] = zone
        told[f"{prefix}Spread"] = str(_SPREAD[0] if section is None else spread(section.schedule))
    return told


def told_of_model_monitor(site: Site) -> dict[str, str]:
    """Each monitor's expression, for Model Monitor's own schedules.

    Raises InputError for one that Model Monitor does not know: it has hours and days, in UTC, and no others.
    """
    monitors, told = site.landscape.project.environment(site.scope).monitors, {}
    for name in JUDGES:
        section, expression = monitors.get(name), _NONE
        if section is not None:
            expression, zone = _expression(name, section.schedule)
            expression = re.sub(r"\* \* \? \*\)$", "? * * *)", expression)
            if not _OF_MODEL_MONITOR.fullmatch(expression) or zone != "UTC":
                raise InputError(
                    f"schedule monitor {name} by Model Monitor: want each hour, each day, or each so many "
                    "hours, as cron(0 * ? * * *), cron(0 8 ? * * *) or cron(0 0/6 ? * * *) in UTC, got "
                    f"{section.schedule}; targets.aws.schedule: eventbridge knows every schedule"
                )
        told[f"{_prefix(name)}Schedule"] = expression
    return told


def spread(schedule: Cron) -> int:
    """Over how many minutes starts are spread: a quarter of the time between two, an hour at most.

    >>> spread(Cron.parse("cron(0 0 * * ? *)")), spread(Cron.parse("cron(0/15 * * * ? *)"))
    (60, 3)
    """
    first = schedule.next(_SOME_TIME)
    quarter = (schedule.next(first) - first) / 4
    least, most = _SPREAD
    return min(max(quarter // timedelta(minutes=1), least), most)


def _prefix(monitor: str) -> str:
    return monitor.title().replace("-", "")


def _expression(name: str, schedule: Cron) -> tuple[str, str]:
    try:
        return schedule.for_scheduler()
    except ValueError as error:
        raise InputError(f"schedule monitor {name} on AWS: {error}") from None
