"""What a month is billed for, by kind: counted from the project file, priced by a table with its date."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.aws.projects import project_on_aws
from tests.aws.stacks_of import REGION, stacks_of
from watchkeeper.adapters.aws.account import Account
from watchkeeper.app.aws.costs import (
    Prices,
    Traffic,
    interface_endpoints,
    monthly_cost,
    monthly_units,
    read_prices,
)
from watchkeeper.app.aws.landscape import Landscape
from watchkeeper.app.aws.units import executions_in_month
from watchkeeper.core.cron import Cron
from watchkeeper.core.errors import InputError

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def landscape(tmp_path: Path) -> Landscape:
    account = Account(None, REGION, "111111111111", "arn:aws:iam::111111111111:user/ana")
    return Landscape(project_on_aws(tmp_path), account)


def counted(landscape: Landscape, kind: str, traffic: Traffic) -> float:
    return sum(each.quantity for each in monthly_units(landscape, traffic, NOW) if each.kind == kind)


def test_what_stands_there_is_what_the_templates_make(landscape: Landscape) -> None:
    stacks = stacks_of(landscape.project)
    made = [resource.type for stack in stacks.values() for resource in stack.resources().values()]
    traffic = Traffic()
    assert counted(landscape, "kms-keys", traffic) == made.count("AWS::KMS::Key")
    endpoints = made.count("AWS::EC2::VPCEndpoint") - 1  # the gateway of S3 costs nothing
    assert interface_endpoints() == endpoints
    assert counted(landscape, "vpc-endpoint-hours", traffic) == endpoints * 2 * 730
    metrics = [
        metric
        for stack in stacks.values()
        for resource in stack.resources().values()
        if resource.type == "AWS::CloudWatch::Alarm"
        for metric in resource.properties.get("Metrics", [{"MetricStat": "its one metric"}])
    ]
    plain = [metric for metric in metrics if "MetricStat" in metric]
    queries = [metric for metric in metrics if "SELECT" in metric.get("Expression", "")]
    assert counted(landscape, "alarm-metrics", traffic) == len(plain)
    assert counted(landscape, "insights-metrics", traffic) == len(queries)


@pytest.mark.parametrize(
    ("schedule", "times"), [("cron(0 * ? * * *)", 730), ("cron(0 0 ? * * *)", 30), ("cron(0 0 1 * ? *)", 0)]
)
def test_a_schedule_is_counted_as_it_comes_due(schedule: str, times: int) -> None:
    assert len(executions_in_month(Cron.parse(schedule), NOW)) == times


def test_without_requests_nothing_is_captured_and_executions_still_run(landscape: Landscape) -> None:
    assert counted(landscape, "s3-gigabytes", Traffic(requests_a_day=0)) == 0
    busy, idle = (counted(landscape, "s3-puts", Traffic(count)) for count in (1_000_000, 0))
    assert busy - idle == 3 * 730 * 60, "a file a minute in each environment, however many requests"


def test_old_prices_another_region_and_a_kind_without_one_are_said(landscape: Landscape) -> None:
    prices = Prices(read_prices().date, "us-east-1", {"kms-keys": 1.0})
    cost = monthly_cost(landscape, Traffic(), prices, NOW)
    assert (cost.total, cost.costs[0].kind) == (4.0, "kms-keys")
    said = "\n".join(cost.warnings)
    assert "prices are those of us-east-1, not of ap-southeast-1" in said
    assert "no price is known of endpoint-hours/ml.m5.large" in said
    assert "days old" not in said
    later = monthly_cost(landscape, Traffic(), prices, datetime(2026, 11, 29, tzinfo=UTC))
    assert "394 days old" in later.warnings[0]


def test_every_kind_that_is_counted_has_a_price(landscape: Landscape) -> None:
    known = read_prices().by_kind
    assert {each.kind for each in monthly_units(landscape, Traffic(), NOW)} <= set(known)


def test_a_table_that_is_none_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "prices.yaml"
    for text in ("", "date: 2025-01-01", "date: 2025-01-01\nregion: x\nkinds: {a: {price: dear}}"):
        table.write_text(text)
        with pytest.raises(InputError, match="want date, region and kinds with a price each"):
            read_prices(table)
    with pytest.raises(InputError, match="1 to 24 hours a day"):
        Traffic(hours_a_day=25)
