"""Durations, months, windows and schedules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core.windows import (
    Duration,
    Window,
    add_months,
    hour_folder,
    month_of,
    month_start,
    months_between,
    parse_utc,
    shift_month,
    utc_text,
)

times = st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("5m", Duration(seconds=300)),
        ("5s", Duration(seconds=5)),
        ("12 hours", Duration(seconds=43200)),
        ("1 month", Duration(months=1)),
        ("36 months", Duration(months=36)),
        ("2 years", Duration(months=24)),
        ("7 days", Duration(seconds=7 * 86400)),
    ],
)
def test_durations_are_read_and_written_back(text: str, duration: Duration) -> None:
    assert Duration.parse(text) == duration
    assert Duration.parse(str(duration)) == duration


@pytest.mark.parametrize(
    "text", ["", "s", "5", "months", "-1 day", "1.5 hours", "3 fortnights", "5ms", "5ss"]
)
def test_other_texts_are_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="want a duration"):
        Duration.parse(text)


def test_a_duration_of_months_and_seconds_says_both() -> None:
    assert str(Duration(months=1, seconds=7200)) == "1 month and 2 hours"
    assert str(Duration()) == "0 months"


@pytest.mark.parametrize("text", ["x", "2020-01-01T00:00:00", "0001-01-01T00:00:00+10:00"])
def test_other_texts_are_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"want a time with a zone such as .*, got "):
        parse_utc(text)


def test_the_last_day_of_a_month_stays_the_last_day() -> None:
    assert add_months(datetime(2020, 1, 31, tzinfo=UTC), 1) == datetime(2020, 2, 29, tzinfo=UTC)
    assert add_months(datetime(2020, 12, 31, tzinfo=UTC), -1) == datetime(2020, 11, 30, tzinfo=UTC)


@given(times, st.integers(-600, 600))
def test_months_move_by_calendar(time: datetime, months: int) -> None:
    moved = add_months(time, months)
    assert (moved.year * 12 + moved.month) - (time.year * 12 + time.month) == months
    assert shift_month(month_of(time), months) == month_of(moved)


def test_months_between_holds_both_ends() -> None:
    assert months_between("2019-11", "2020-02") == ("2019-11", "2019-12", "2020-01", "2020-02")
    assert months_between("2020-02", "2020-01") == ()


@pytest.mark.parametrize("text", ["2020-13", "2020", "2020-1", "20-01", "2020-01-01"])
def test_other_texts_are_no_month(text: str) -> None:
    with pytest.raises(ValueError, match="want a month"):
        month_start(text)


@given(times)
def test_a_time_survives_its_text(time: datetime) -> None:
    assert parse_utc(utc_text(time)) == time


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        parse_utc("2020-01-01T00:00:00")
    with pytest.raises(ValueError, match="zone"):
        utc_text(datetime(2020, 1, 1))  # the fault under test


def test_folders_are_in_utc() -> None:
    assert hour_folder(datetime(2020, 1, 1, 7, 30, tzinfo=timezone(timedelta(hours=8)))) == "2019/12/31/23"


def test_a_window_holds_its_start_and_not_its_end() -> None:
    window = Window(month_start("2020-01"), month_start("2020-02"))
    assert window.start in window
    assert window.end not in window
    assert len(list(window.hours())) == 31 * 24
    with pytest.raises(ValueError, match="end after its start"):
        Window(window.end, window.start)
