"""Schedules come due when AWS, Unix and the clocks of the place say so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core.cron import Cron
from watchkeeper.core.windows import month_start, parse_utc

TIMES = st.datetimes(min_value=datetime(2019, 1, 1), max_value=datetime(2031, 1, 1), timezones=st.just(UTC))


@pytest.mark.parametrize(
    ("expression", "after", "due"),
    [
        ("cron(0 0 1 * ? *)", "2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z"),
        ("cron(0 * ? * * *)", "2020-01-01T00:00:00Z", "2020-01-01T01:00:00Z"),
        ("cron(0 6/8 ? * * *)", "2020-01-01T07:00:00Z", "2020-01-01T14:00:00Z"),
        ("cron(30 9 ? * MON-FRI *)", "2020-01-03T10:00:00Z", "2020-01-06T09:30:00Z"),
        ("cron(0 0 29 2 ? *)", "2020-03-01T00:00:00Z", "2024-02-29T00:00:00Z"),
        ("cron(0 0 29 2 ? *)", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"),
        ("cron(0 0 1 JAN,JUL ? *)", "2020-01-01T00:00:00Z", "2020-07-01T00:00:00Z"),
        ("cron(0 0 1 1 ? 2022-2023)", "2020-01-01T00:00:00Z", "2022-01-01T00:00:00Z"),
        ("cron(0 0 L * ? *)", "2020-02-01T00:00:00Z", "2020-02-29T00:00:00Z"),
        ("cron(0 0 L-3 * ? *)", "2020-02-01T00:00:00Z", "2020-02-26T00:00:00Z"),
        ("cron(0 0 15W * ? *)", "2020-02-01T00:00:00Z", "2020-02-14T00:00:00Z"),  # the 15th is a Saturday
        ("cron(0 0 1W * ? *)", "2020-01-31T00:00:00Z", "2020-02-03T00:00:00Z"),  # not in the month before
        ("cron(0 0 LW * ? *)", "2020-02-01T00:00:00Z", "2020-02-28T00:00:00Z"),
        ("cron(0 0 ? * 6L *)", "2020-01-01T00:00:00Z", "2020-01-31T00:00:00Z"),
        ("cron(0 0 ? * FRIL *)", "2020-01-01T00:00:00Z", "2020-01-31T00:00:00Z"),
        ("cron(0 0 ? * MON#1 *)", "2020-01-07T00:00:00Z", "2020-02-03T00:00:00Z"),
        ("cron(0 0 ? * 3#5 *)", "2020-01-01T00:00:00Z", "2020-03-31T00:00:00Z"),  # months with five Tuesdays
        ("cron(0 0 1,L * ? *)", "2020-02-01T00:00:00Z", "2020-02-29T00:00:00Z"),
        ("0 0 1 * *", "2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z"),
        ("*/20 * * * *", "2020-01-01T00:05:00Z", "2020-01-01T00:20:00Z"),
        ("30 9 * * 1-5", "2020-01-03T10:00:00Z", "2020-01-06T09:30:00Z"),
        ("0 0 * * 7", "2020-01-01T00:00:00Z", "2020-01-05T00:00:00Z"),
        ("0 0 * * SUN", "2020-01-01T00:00:00Z", "2020-01-05T00:00:00Z"),
        ("0 0 13 * 5", "2020-01-11T00:00:00Z", "2020-01-13T00:00:00Z"),  # either of the two
        ("@daily", "2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z"),
        ("@weekly Europe/Berlin", "2020-01-01T00:00:00Z", "2020-01-04T23:00:00Z"),
        ("cron(0 8 * * ? *) Asia/Singapore", "2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z"),
        ("cron(0 0 1 * ? *) Asia/Singapore", "2020-01-15T00:00:00Z", "2020-01-31T16:00:00Z"),
        ("30 2 * * * Europe/Berlin", "2020-03-28T12:00:00Z", "2020-03-30T00:30:00Z"),  # the 29th has no 2:30
        ("30 2 * * * Europe/Berlin", "2020-10-24T12:00:00Z", "2020-10-25T00:30:00Z"),  # of two the first
        ("30 2 * * * Europe/Berlin", "2020-10-25T00:30:00Z", "2020-10-26T01:30:00Z"),
    ],
)
def test_schedules_come_due(expression: str, after: str, due: str) -> None:
    cron = Cron.parse(expression)
    assert cron.next(parse_utc(after)) == parse_utc(due)
    assert cron.previous(parse_utc(due) + timedelta(minutes=1)) == parse_utc(due)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("0 0 1 *", "want a schedule"),
        ("cron(0 0)", "want a schedule"),
        ("", "want a schedule"),
        ("every day", "want a schedule"),
        ("cron(61 0 1 * ? *)", "field minute: want numbers from 0 to 59"),
        ("cron(0 0 1 FOO ? *)", "field month"),
        ("cron(0 5-2 1 * ? *)", "field hour"),
        ("cron(0 0 1 * ? 20)", "field year"),
        ("cron(0 0 32W * ? *)", "field day of month"),
        ("cron(0 0 ? * 8#1 *)", "field day of week"),
        ("cron(0 0 ? * MON#6 *)", "field day of week"),
        ("0 0 * * 8", "field weekday: want numbers from 0 to 7"),
        ("0 0 L * *", "field day of month"),
        ("*/0 * * * *", "field minute"),
        ("0 0 1 * * Mars/Olympus", "want the name of a time zone such as Asia/Singapore"),
        ("0 0 1 * * ../../etc/passwd", "want the name of a time zone"),
    ],
)
def test_a_schedule_that_cannot_be_read_names_its_field(expression: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Cron.parse(expression)


def test_a_schedule_that_never_comes_due_says_so() -> None:
    with pytest.raises(ValueError, match="never comes due"):
        Cron.parse("cron(0 0 30 2 ? *)").next(month_start("2020-01"))
    with pytest.raises(ValueError, match="never came due"):
        Cron.parse("cron(0 0 30 2 ? *)").previous(month_start("2020-01"))


@pytest.mark.parametrize("year", [1, 9999])
def test_beyond_the_years_that_there_are_nothing_comes_due(year: int) -> None:
    yearly, edge = Cron.parse("@yearly"), datetime(year, 12 if year > 1 else 1, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="never"):
        (yearly.next if year > 1 else yearly.previous)(edge)


@given(TIMES)
def test_previous_is_the_last_time_before(time: datetime) -> None:
    cron = Cron.parse("cron(15 3 1 * ? *)")
    last = cron.previous(time)
    assert last < time <= cron.next(last)


@given(
    time=TIMES,
    minutes=st.sets(st.integers(0, 59), min_size=1, max_size=3),
    hours=st.sets(st.integers(0, 23), min_size=1, max_size=3),
    weekdays=st.sets(st.integers(1, 7), min_size=1, max_size=6),
    zone=st.sampled_from(["", " Europe/Berlin", " America/New_York", " Asia/Kathmandu", " Pacific/Apia"]),
)
def test_forwards_and_backwards_meet_in_every_zone(
    time: datetime, minutes: set[int], hours: set[int], weekdays: set[int], zone: str
) -> None:
    lists = [",".join(map(str, sorted(each))) for each in (minutes, hours, weekdays)]
    cron = Cron.parse(f"cron({lists[0]} {lists[1]} ? * {lists[2]} *){zone}")
    following = cron.next(time)
    assert cron.previous(following) <= time < following
    assert cron.previous(cron.next(following)) == following


@given(time=TIMES, hours=st.sets(st.integers(0, 23), min_size=1, max_size=4), minute=st.integers(0, 59))
def test_it_is_what_a_walk_through_the_minutes_finds(time: datetime, hours: set[int], minute: int) -> None:
    walked = time.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while walked.hour not in hours or walked.minute != minute:
        walked += timedelta(minutes=1)
    assert Cron.parse(f"{minute} {','.join(map(str, hours))} * * *").next(time) == walked
