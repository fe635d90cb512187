"""What a month on AWS is billed for, by kind of unit, and what that costs by a table of list prices.

Units are counted from the project file: what stands there by the hour, what schedules and requests make
happen. They are what a bill lists; prices are a table with its date, as they change without us.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import yaml

from watchkeeper.app.aws.landscape import Landscape
from watchkeeper.app.aws.layers import layers_of
from watchkeeper.app.aws.names import is_central
from watchkeeper.app.aws.site import templates_folder
from watchkeeper.app.aws.units import HOURS, Units, executions_in_month
from watchkeeper.app.aws.watching_costs import watching_units
from watchkeeper.app.judging.judges import JUDGES
from watchkeeper.app.setup.aws_sections import CENTRAL
from watchkeeper.core.errors import InputError
from watchkeeper.core.windows import Window

STALE = 180  # days after which prices are said to be old
_MINUTE = 60
CAPTURE_FILES = 60  # an hour, while requests come: a file is closed after a minute
PROCESSING_JOBS = 4  # of an execution of the pipeline that makes a model
# Requests to S3 of an execution of a monitor, as a month of calls counts them (tests/aws/test_month.py):
_LISTED = 11  # models, approvals, deployments, schemas, variants, baselines twice, executions four times
_READ = 13  # a model, a schema, a baseline with two files, two executions before it, six of the audit log
_READ_BY_ENVIRONMENT = 3  # approvals of the version and of its baseline, and its deployment
_WRITTEN = 8  # statistics, constraints, the record; lease, head and entry of the audit log
GIGABYTE = 10**9


@dataclass(frozen=True, slots=True)
class Traffic:
    """What requests are expected of each environment: how many a day, in how many of its hours, how large."""

    requests_a_day: int = 1000
    hours_a_day: int = 24
    bytes_a_request: int = 1000

    def __post_init__(self) -> None:
        if self.requests_a_day < 0 or not 1 <= self.hours_a_day <= 24 or self.bytes_a_request < 0:
            raise InputError(f"count units: want requests of 0 or more in 1 to 24 hours a day, got {self}")


@dataclass(frozen=True, slots=True)
class Prices:
    """A table of prices by kind, of one region and date."""

    date: date
    region: str
    by_kind: Mapping[str, float]

    def age(self, now: datetime) -> int:
        """Days since they were noted down."""
        return (now.date() - self.date).days


@dataclass(frozen=True, slots=True)
class Cost:
    """Units of one kind over all scopes, and what they cost; None where the table has no price."""

    kind: str
    quantity: float
    cost: float | None


@dataclass(frozen=True, slots=True)
class MonthlyCost:
    """A month by kind, the dearest first; `warnings` are about what the table does not know."""

    costs: tuple[Cost, ...]
    total: float
    prices_of: str
    region: str
    warnings: tuple[str, ...]


def monthly_cost(landscape: Landscape, traffic: Traffic, prices: Prices, now: datetime) -> MonthlyCost:
    """What the project costs a month once it is all deployed."""
    quantities: dict[str, float] = {}
    for units in monthly_units(landscape, traffic, now):
        quantities[units.kind] = quantities.get(units.kind, 0.0) + units.quantity
    costs = [
        Cost(kind, quantity, quantity * prices.by_kind[kind] if kind in prices.by_kind else None)
        for kind, quantity in quantities.items()
    ]
    costs.sort(key=lambda each: (-(each.cost or 0.0), each.kind))
    return MonthlyCost(
        tuple(costs),
        sum(each.cost or 0.0 for each in costs),
        prices.date.isoformat(),
        prices.region,
        tuple(_warnings(landscape, costs, prices, now)),
    )


def _warnings(landscape: Landscape, costs: list[Cost], prices: Prices, now: datetime) -> Iterator[str]:
    if (age := prices.age(now)) > STALE:
        yield f"prices are of {prices.date}, {age} days old: look them up before you rely on them"
    region = landscape.section(CENTRAL).region
    if region != prices.region:
        yield f"prices are those of {prices.region}, not of {region}"
    for each in costs:
        if each.cost is None:
            yield f"no price is known of {each.kind}: {each.quantity:,.0f} units are not in the total"


def monthly_units(landscape: Landscape, traffic: Traffic, now: datetime) -> tuple[Units, ...]:
    """What a month from `now` on is billed for, by kind and scope; training is counted once a month."""
    return tuple(
        units
        for scope in landscape.scopes
        for units in (
            *_standing(landscape, scope),
            *(() if is_central(scope) else _running(landscape, scope, traffic, now)),
            *watching_units(landscape, scope, now),
            *(_training(landscape) if is_central(scope) else ()),
        )
    )


def _standing(landscape: Landscape, scope: str) -> Iterator[Units]:
    """What is there by the hour or month, whatever happens."""
    section, layers = landscape.section(scope), {layer.name for layer in layers_of(landscape, scope)}
    yield Units("kms-keys", scope, 1, "the scope's own key")
    if "network" in layers and section.network.endpoints == "create":
        zones = len(section.network.subnets) or 2
        tracks = is_central(scope) and section.tracking == "sagemaker"
        count = interface_endpoints() if tracks else interface_endpoints() - 1
        yield Units("vpc-endpoint-hours", scope, count * zones * HOURS, f"{count} endpoints in {zones} zones")
    if "tracking" in layers:
        yield Units("tracking-hours/Small", scope, HOURS, "MLflow's server")
    if not is_central(scope):
        kind = f"endpoint-hours/{section.instances.endpoint}"
        yield Units(kind, scope, section.instances.endpoint_count * HOURS, "the endpoint")
        yield Units("alarm-metrics", scope, 3, "guardrails: errors of two metrics, latency of one")


def _running(landscape: Landscape, scope: str, traffic: Traffic, now: datetime) -> Iterator[Units]:
    """What requests and schedules make happen in a month."""
    settings = landscape.project.environment(scope)
    sampling = settings.environments[scope].capture.sampling / 100
    hours = traffic.hours_a_day * HOURS / 24 if traffic.requests_a_day * sampling else 0.0
    requests = traffic.requests_a_day * HOURS / 24 * sampling
    files = min(requests, hours * CAPTURE_FILES)
    yield Units("s3-puts", scope, files, "capture files, one a minute in which requests come")
    yield Units(
        "s3-gigabytes", scope, requests * traffic.bytes_a_request / GIGABYTE, "a month of captures, once"
    )
    asked = Counter[str]()
    for name, monitor in settings.monitors.items():
        labelled = JUDGES[name].needs_labels
        for at in executions_in_month(monitor.schedule, now):
            asked.update(_of_execution(monitor.window(at), at if labelled else None, files / (HOURS * 3600)))
    of_registry = _READ + _READ_BY_ENVIRONMENT * len(landscape.project.environments)
    runs = asked["executions"]
    yield Units("s3-puts", scope, runs * (_WRITTEN + _LISTED) + asked["days"], "executions write and list")
    yield Units("s3-gets", scope, runs * of_registry + asked["objects"], "executions read")


def _of_execution(window: Window, labels_until: datetime | None, files_a_second: float) -> dict[str, int]:
    """Days that are listed and objects that are read of captures, and of labels, one file a day of them."""
    days, seconds = _days(window.start, window.end), (window.end - window.start).total_seconds()
    labels = _days(window.start, labels_until) if labels_until else 0
    return {"executions": 1, "days": days + labels, "objects": round(seconds * files_a_second) + labels}


def _days(start: datetime, end: datetime) -> int:
    """How many calendar days a range touches."""
    return (end - timedelta(microseconds=1)).toordinal() - start.toordinal() + 1


def _training(landscape: Landscape) -> Iterator[Units]:
    """One execution of the pipeline: trials and the final fit, and the processing jobs, ten minutes each."""
    section, training = landscape.section(CENTRAL), landscape.project.settings.training
    jobs = training.search.trials + 1
    yield Units(
        f"job-hours/{section.instances.training}", CENTRAL, jobs * 10 / _MINUTE, f"{jobs} training jobs"
    )
    processing, hours = f"job-hours/{section.instances.processing}", PROCESSING_JOBS * 10 / _MINUTE
    yield Units(processing, CENTRAL, hours, f"{PROCESSING_JOBS} processing jobs")


def interface_endpoints() -> int:
    """How many VPC endpoints are paid for by the hour, MLflow's included; the gateway of S3 is not."""
    text = (templates_folder() / "network.yaml").read_text(encoding="utf-8")
    return text.count("VpcEndpointType: Interface")


def read_prices(path: Path | None = None) -> Prices:
    """A table of prices; ours unless another is named. Raises InputError for one that is none."""
    file = path or templates_folder() / "prices.yaml"
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
        by_kind = {kind: float(each["price"]) for kind, each in found["kinds"].items()}
        return Prices(found["date"], found["region"], by_kind)
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"read prices {file}: want date, region and kinds with a price each: {error}"
        ) from None
