"""A month of monitoring on the doubles, counted as a bill counts it and held against the plan."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.app.loop import Loop
from tests.aws.doubles import Doubles
from tests.aws.projects import ANA
from tests.aws.running import Deployed, deployed_project
from tests.training.history import sales
from watchkeeper.adapters.memory.clock import MovedClock
from watchkeeper.app.aws.costs import Traffic, monthly_units
from watchkeeper.app.aws.series import expected_series
from watchkeeper.app.aws.target import target_of
from watchkeeper.app.aws.units import HOURS, executions_in_month
from watchkeeper.app.monitoring.run import run_monitor
from watchkeeper.app.monitoring.schedule import MonitorRun
from watchkeeper.app.registry.schemas import schema
from watchkeeper.core.values import GroundTruth, Status
from watchkeeper.render.records import ground_truth_line
from watchkeeper.serving.calls import Call

DAILY = (
    ('data-quality: {schedule: "cron(0 0 1 * ? *)"', 'data-quality: {schedule: "cron(0 0 * * ? *)"'),
    (
        '    schedule: "cron(0 0 1 * ? *)"\n    min_rows: 20\n    labels: {delay: 1 month',
        '    schedule: "cron(0 0 * * ? *)"\n    min_rows: 20\n    labels: {delay: 1 day',
    ),
)
DAYS = HOURS // 24 if os.environ.get("WATCHKEEPER_SOAK") else 12  # of the month that are lived through
START = datetime(2026, 11, 1, tzinfo=UTC)
REQUESTS = 6  # a day, each in an hour of its own, so that each is a capture file of its own
ROWS = 10  # of a request
KINDS = {"PutObject": "s3-puts", "ListObjectsV2": "s3-puts", "GetObject": "s3-gets", "HeadObject": "s3-gets"}


@dataclass
class Month:
    """What was billed so far, by kind, and how each execution ended."""

    deployed: Deployed
    doubles: Doubles
    billed: Counter[str]
    ended: Counter[Status]
    series: Counter[str]

    def day(self, start: datetime) -> None:
        """A day's requests and their labels, then what its end brings."""
        rows = sales().tail(REQUESTS * ROWS)
        endpoint, captures = self.deployed.endpoint, self.doubles.client("s3")
        bucket = self.deployed.landscape.bucket("dev")
        names = [column.name for column in schema(self.deployed.landscape.central_store(), 1).inputs]
        labels = b""
        for number in range(REQUESTS):
            part = rows[number * ROWS : (number + 1) * ROWS]
            name, time = f"{start:%d}-{number}", start + timedelta(hours=9 + number)
            body = part.select(names).write_csv(include_header=False).encode()
            call = Call(event_id=name, time=time, body=body, content_type="text/csv", inference_id=name)
            endpoint.variant.answer(call)
            labels += ground_truth_line(GroundTruth(name, tuple(map(float, part["price"]))), time)
        endpoint.ship()
        captures.put_object(
            Bucket=bucket, Key=f"ground-truth/dev/demo-dev/{start:%Y/%m/%d}/20/labels.jsonl", Body=labels
        )
        self.billed["s3-puts"] += REQUESTS  # by SageMaker, a file a request here
        self.executions(start + timedelta(days=1))

    def executions(self, at: datetime) -> None:
        for monitor in self.deployed.landscape.project.environment("dev").monitors:
            self.doubles.calls.clear()
            target = target_of(self.deployed.landscape, "dev", self.deployed.folder, MovedClock(at))
            execution = run_monitor(target, MonitorRun(monitor, "dev", at), ANA)
            self.ended[execution.status] += 1
            self.series[execution.schedule] = max(self.series[execution.schedule], len(execution.samples))
            self.billed.update(KINDS[name] for service, name, _ in self.doubles.calls if service == "s3")


@pytest.mark.soak
def test_the_plan_s_units_are_those_of_a_month_within_a_tenth(
    doubles: Doubles, tmp_path: Path, trained: Loop
) -> None:
    deployed = deployed_project(doubles, tmp_path, trained, *DAILY)
    month = Month(deployed, doubles, Counter(), Counter(), Counter())
    daily = deployed.landscape.project.environment("dev").monitors["data-quality"].schedule
    assert len(executions_in_month(daily, START)) == HOURS // 24
    for day in range(DAYS):
        month.day(START + timedelta(days=day))
    traffic = Traffic(requests_a_day=REQUESTS, hours_a_day=24, bytes_a_request=1000)
    planned: Counter[str] = Counter()
    for units in monthly_units(deployed.landscape, traffic, START):
        if units.scope == "dev":
            planned[units.kind] += units.quantity * DAYS / (HOURS // 24)  # type: ignore[assignment]
    assert month.ended == {Status.COMPLETED: 2 * DAYS - 1, Status.NO_TRAFFIC: 1}, (
        "labels of a day before the first"
    )
    for kind in ("s3-puts", "s3-gets"):
        assert abs(planned[kind] - month.billed[kind]) < 0.1 * month.billed[kind], (
            f"{kind}: planned {planned[kind]:,.0f}, billed {month.billed[kind]:,}"
        )
    expected = {
        each.schedule: each.count for each in expected_series(deployed.landscape) if each.environment == "dev"
    }
    assert expected == month.series
