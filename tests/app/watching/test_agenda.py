"""Every time of every schedule is given once, also those that came while nothing ran."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.app.loop import KIM, Loop, bring_to_prod, new_loop, registered, train_in
from watchkeeper.app.monitoring.overdue import overdue_samples
from watchkeeper.app.monitoring.run import run_monitor
from watchkeeper.app.registry.executions import last_scheduled, newest_at, recorded
from watchkeeper.app.watching.agenda import CATCH_UP, Agenda
from watchkeeper.core.windows import add_months, month_start

HOURLY = ('data-quality: {schedule: "cron(0 0 1 * ? *)"', 'data-quality: {schedule: "cron(0 * * * ? *)"')
LATE = (
    'data-quality: {schedule: "cron(0 0 1 * ? *)"',
    'data-quality: {schedule: "cron(0 * * * ? *)", start_delay: 10m',
)


def serving(folder: Path, *changes: tuple[str, str]) -> Loop:
    """A model in every environment since the beginning of 2020-05."""
    loop = registered(new_loop(folder, *changes), 1)
    bring_to_prod(loop)
    return loop


def taken(
    agenda: Agenda, at: datetime, monitor: str = "data-quality", environment: str = "prod"
) -> list[datetime]:
    return [
        each.time for each in agenda.take(at) if (each.monitor, each.environment) == (monitor, environment)
    ]


def hours(loop: Loop, count: float) -> datetime:
    return loop.clock.now() + timedelta(hours=count)


def test_nothing_is_due_before_something_is_deployed_and_then_each_time_once(tmp_path: Path) -> None:
    loop = registered(new_loop(tmp_path, HOURLY), 1)
    agenda = Agenda(loop.target)
    assert agenda.take(hours(loop, 5)) == ()
    bring_to_prod(loop)
    assert taken(agenda, hours(loop, 0.5)) == []
    assert taken(agenda, hours(loop, 2.5)) == [hours(loop, 1), hours(loop, 2)]
    assert taken(agenda, hours(loop, 2.9)) == []
    assert taken(agenda, hours(loop, 3)) == [hours(loop, 3)]
    assert agenda.next_due() == hours(loop, 4)


def test_schedules_of_all_environments_and_monitors_come_in_order_of_time(tmp_path: Path) -> None:
    loop = serving(tmp_path, HOURLY)
    found = Agenda(loop.target).take(month_start("2020-06"))
    assert [each.time for each in found] == sorted(each.time for each in found)
    assert {(each.environment, each.monitor) for each in found} == {
        (environment, monitor)
        for environment in ("dev", "uat", "prod")
        for monitor in ("data-quality", "model-quality")
    }


def test_the_window_that_ends_is_estimated_beside_the_one_whose_labels_are_there(tmp_path: Path) -> None:
    loop = serving(tmp_path)
    found = [each for each in Agenda(loop.target).take(month_start("2020-06")) if each.environment == "prod"]
    runs = {each.monitor: [run.scheduled_at for run in each.runs] for each in found}
    assert runs == {
        "data-quality": [month_start("2020-06")],
        "model-quality": [month_start("2020-06"), month_start("2020-07")],
    }


def test_a_start_delay_is_waited_for_and_the_window_stays_the_schedule_s(tmp_path: Path) -> None:
    loop = serving(tmp_path, LATE)
    agenda = Agenda(loop.target)
    assert taken(agenda, hours(loop, 1 + 9 / 60)) == []
    assert agenda.next_due() == hours(loop, 1 + 10 / 60)
    assert taken(agenda, hours(loop, 1 + 10 / 60)) == [hours(loop, 1)]


def test_made_anew_it_goes_on_where_the_records_end_and_looks_at_the_last_once_more(tmp_path: Path) -> None:
    loop = new_loop(tmp_path, HOURLY)
    train_in(loop)
    bring_to_prod(loop)
    for due in Agenda(loop.target).take(hours(loop, 2)):
        for run in due.runs:
            run_monitor(loop.target, run, KIM)
    assert taken(Agenda(loop.target), hours(loop, 4)) == [hours(loop, 2), hours(loop, 3), hours(loop, 4)]


def test_after_a_long_time_the_newest_are_caught_up_with_and_the_others_are_told(tmp_path: Path) -> None:
    loop = serving(tmp_path, HOURLY)
    agenda = Agenda(loop.target)
    times = taken(agenda, hours(loop, 100))
    assert times == [hours(loop, each) for each in range(100 - CATCH_UP + 1, 101)]
    skipped = {(each.environment, each.first, each.until, each.times) for each in agenda.skipped}
    assert ("prod", hours(loop, 1), times[0], 100 - CATCH_UP) in skipped


def test_where_another_service_serves_it_begins_with_the_first_capture(tmp_path: Path) -> None:
    loop = new_loop(tmp_path, HOURLY)
    agenda = Agenda(loop.target)
    assert agenda.take(hours(loop, 5)) == ()
    loop.store.write("captures/prod/schema-v1/demo-prod/AllTraffic/2020/05/01/02/00-01-u.jsonl", b"")
    assert taken(agenda, hours(loop, 4.5)) == [hours(loop, 3), hours(loop, 4)]
    assert {each.environment for each in agenda.take(hours(loop, 9))} == {"prod"}


def test_several_times_an_hour_are_executions_of_their_own(tmp_path: Path) -> None:
    loop = new_loop(tmp_path, (HOURLY[0], HOURLY[1].replace("0 * * * ? *", "0/15 * * * ? *")))
    train_in(loop)
    bring_to_prod(loop)
    for due in Agenda(loop.target).take(hours(loop, 1)):
        for run in due.runs:
            run_monitor(loop.target, run, KIM)
    found = recorded(loop.store, "demo-prod-data-quality")
    assert [(each.execution.scheduled_at.minute, each.revision) for each in found] == [
        (15, 1), (30, 1), (45, 1), (0, 1),
    ]  # fmt: skip
    start = loop.clock.now()
    assert (
        newest_at(loop.store, "demo-prod-data-quality", start + timedelta(minutes=30)) == found[1].execution
    )
    assert newest_at(loop.store, "demo-prod-data-quality", start) is None
    assert last_scheduled(loop.store, "demo-prod-data-quality", hours(loop, 0.6)) == start + timedelta(
        minutes=30
    )
    late = overdue_samples(loop.store, loop.target.project, hours(loop, 1.1))
    assert {each.value for each in late if dict(each.labels)["schedule"] == "demo-prod-data-quality"} == {0.0}


@pytest.mark.parametrize("months", [1, 7])
def test_it_is_the_rehearsal_s_own_schedule(tmp_path: Path, months: int) -> None:
    """Monthly, every month once, whatever the times it was asked at."""
    loop = serving(tmp_path)
    agenda, found = Agenda(loop.target), []
    for day in range(31 * months + 1):
        found += taken(agenda, loop.clock.now() + timedelta(days=day))
    assert found == [add_months(loop.clock.now(), each) for each in range(1, months + 1)]
