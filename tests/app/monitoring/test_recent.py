"""What a schedule's windows came to, one after the other, and which of its times nothing was run for."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.app.loop import Loop, bring_to_prod, new_loop, registered
from watchkeeper.app.monitoring.overdue import GRACE, LOOK_BACK, overdue_samples
from watchkeeper.app.monitoring.recent import recent_figures
from watchkeeper.app.registry.records import create_record
from watchkeeper.core.values import Execution, Status
from watchkeeper.core.windows import Window, hour_folder, month_start

HOURLY = ('data-quality: {schedule: "cron(0 0 1 * ? *)"', 'data-quality: {schedule: "cron(0 * * * ? *)"')
BAD, GOOD, SILENT = Status.VIOLATIONS, Status.COMPLETED, Status.NO_TRAFFIC
HOUR = timedelta(hours=1)
START = month_start("2020-05")


@pytest.fixture
def loop(tmp_path: Path) -> Loop:
    loop = registered(new_loop(tmp_path, HOURLY), 1)
    bring_to_prod(loop)
    return loop


def execution(at: datetime, status: Status) -> Execution:
    return Execution(
        key="k",
        schedule="demo-prod-data-quality",
        monitor="data-quality",
        environment="prod",
        endpoint="demo-prod",
        window=Window(at - HOUR, at),
        scheduled_at=at,
        status=status,
        reason="",
        rows=1,
        judgements=(),
        samples=(),
        inputs=(),
    )


def record(loop: Loop, statuses: list[Status | None]) -> Execution:
    """One window an hour, None for one that is not on record; the last one, which is not there yet."""
    for hour, status in enumerate(statuses[:-1], start=1):
        if status is not None:
            made = execution(START + hour * HOUR, status)
            key = f"executions/{made.schedule}/{hour_folder(made.scheduled_at)}/execution.json"
            create_record(loop.store, key, made)
    last = statuses[-1]
    assert last is not None
    return execution(START + len(statuses) * HOUR, last)


def figures(loop: Loop, statuses: list[Status | None]) -> dict[str, float]:
    return {each.metric: each.value for each in recent_figures(loop.target, record(loop, statuses))}


@pytest.mark.parametrize(
    ("statuses", "violated"),
    [
        ([BAD], 1),
        ([BAD, BAD, GOOD, GOOD], 1),
        ([GOOD, BAD, BAD], 2),
        ([BAD, BAD, BAD, BAD], 3),
        ([BAD, SILENT, SILENT, BAD], 2),  # windows without a verdict say nothing for or against
        ([BAD, None, BAD], 1),  # and beyond a hole nobody knows
    ],
)
def test_of_the_three_newest_verdicts(loop: Loop, statuses: list[Status | None], violated: int) -> None:
    assert figures(loop, statuses) == {
        "data_quality_violated_windows": violated,
        "monitor_windows_without_verdict": 0,
    }


@pytest.mark.parametrize(
    ("statuses", "silent"),
    [([SILENT], 1), ([GOOD, SILENT, SILENT], 2), ([SILENT] * 14, 10), ([SILENT, BAD, SILENT], 1)],
)
def test_windows_in_a_row_without_a_verdict(loop: Loop, statuses: list[Status | None], silent: int) -> None:
    assert figures(loop, statuses) == {"monitor_windows_without_verdict": silent}


def test_a_window_counts_by_what_was_said_of_it_last(loop: Loop) -> None:
    last = record(loop, [BAD, BAD])
    first = START + HOUR
    revised = replace(execution(first, GOOD), key="again")
    folder = f"executions/{revised.schedule}/{hour_folder(first)}/revision-2/"
    create_record(loop.store, f"{folder}execution.json", revised)
    found = {each.metric: each.value for each in recent_figures(loop.target, last)}
    assert found["data_quality_violated_windows"] == 1


def overdue(loop: Loop, after: timedelta) -> float:
    """Seconds of data quality in prod."""
    found = {
        dict(each.labels)["schedule"]: each.value
        for each in overdue_samples(loop.store, loop.target.project, START + after)
    }
    return found["demo-prod-data-quality"]


def test_a_time_is_open_from_then_on_and_not_before_a_run_could_have_ended(loop: Loop) -> None:
    assert overdue(loop, timedelta(minutes=30)) == 0
    assert overdue(loop, HOUR + GRACE / 2) == 0
    assert overdue(loop, HOUR + 2 * GRACE) == 600
    assert overdue(loop, 3 * HOUR + 2 * GRACE) == 2 * 3600 + 600


def test_what_was_run_is_not_open_whatever_it_came_to(loop: Loop) -> None:
    record(loop, [GOOD, SILENT, GOOD])
    assert overdue(loop, 2 * HOUR + 2 * GRACE) == 0
    assert overdue(loop, 4 * HOUR + 2 * GRACE) == 3600 + 600


def test_one_that_is_open_for_long_counts_from_as_far_as_it_is_looked_back(loop: Loop) -> None:
    assert overdue(loop, 500 * HOUR + 2 * GRACE) == (LOOK_BACK - 1) * 3600 + 600


def test_where_nothing_was_ever_served_or_run_nothing_is_overdue(tmp_path: Path) -> None:
    loop = new_loop(tmp_path, HOURLY)
    assert overdue_samples(loop.store, loop.target.project, START + 500 * HOUR) == ()
    record(loop, [GOOD, GOOD])  # another service serves, and it was watched once
    assert overdue(loop, 3 * HOUR + 2 * GRACE) == 3600 + 600
