"""Times in columns: how they are read, the freshness of a column, rows by hour."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core.statistics import Freshness, Hours
from watchkeeper.core.statistics.cells import Cells
from watchkeeper.core.statistics.freshness import TimeSpan
from watchkeeper.core.statistics.hours import RowsByHour
from watchkeeper.core.statistics.times import moments
from watchkeeper.core.values import Undefined

FIVE = datetime(2022, 3, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2022-03-01T05:00:00Z", FIVE),
        ("2022-03-01 05:00:00", FIVE),
        ("2022-03-01T05:00", FIVE),
        ("2022-03-01T05:00Z", FIVE),
        ("2022-03-01T13:00:00+08:00", FIVE),
        ("2022-02-28T21:00-0800", FIVE),
        ("2022-03-01T05:00:00.25Z", FIVE + timedelta(milliseconds=250)),
        ("2022-03-01", datetime(2022, 3, 1, tzinfo=UTC)),
        ("2022-03", datetime(2022, 3, 1, tzinfo=UTC)),
        *[
            (text, None)
            for text in (
                "2022",
                "20220301",
                "2022-13",
                "2022-02-30",
                "0000-01-01",
                "2022-03-01T25:00",
                "soon",
            )
        ],
        ("9999-12-31T23:59:59-05:00", None),
        ("2022-03-01T05:00:00Z\n", None),
    ],
)
def test_a_text_is_the_time_it_spells_or_none(text: str, expected: datetime | None) -> None:
    assert moments(pl.Series([text])).to_list() == [expected]
    mixed = moments(pl.Series(["2022-03-01T05:00:00Z", None, text, "x"])).to_list()
    assert mixed == [FIVE, None, expected, None]


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)), st.sampled_from([" ", "T"]))
def test_every_time_python_spells_is_read_back(time: datetime, between: str) -> None:
    spelled = pl.Series([time.isoformat(between), time.replace(tzinfo=UTC).isoformat(between)])
    assert moments(spelled).to_list() == [time.replace(tzinfo=UTC)] * 2


def test_days_and_times_that_are_typed_are_themselves_and_numbers_are_none() -> None:
    assert moments(pl.Series([datetime(2022, 3, 1, 5)])).to_list() == [FIVE]
    zoned = pl.Series([FIVE]).dt.convert_time_zone("Asia/Singapore")
    assert moments(zoned).to_list() == [FIVE]
    assert moments(pl.Series([FIVE.date()])).to_list() == [datetime(2022, 3, 1, tzinfo=UTC)]
    assert moments(pl.Series([1646110800])).to_list() == [None]


def test_freshness_has_the_extremes_and_counts_what_is_no_time() -> None:
    months = pl.Series(["2017-02", "2017-01", "2017-02", "n/a", "n/a", None, ""])
    span = TimeSpan(datetime(2017, 1, 1, tzinfo=UTC), datetime(2017, 2, 1, tzinfo=UTC), 2)
    assert Freshness.of(months).value() == Freshness.of(Cells(months)).value() == span
    assert Freshness.of(pl.Series([FIVE, None])).value() == TimeSpan(FIVE, FIVE, 0)
    assert Freshness.of(pl.Series([5, None])) == Freshness(num_unreadable=1)
    assert Freshness.of(pl.Series(["n/a"])).value() == Undefined("no times")


@given(st.lists(st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1)), min_size=2), st.integers(0, 9))
def test_the_extremes_of_parts_are_those_of_the_whole(times: list[datetime], cut: int) -> None:
    texts = pl.Series([time.isoformat() for time in times])
    parts = Freshness.of(texts[:cut]).merge(Freshness.of(texts[cut:]))
    assert parts == Freshness.of(texts)
    assert (parts.earliest, parts.latest) == (min(times).replace(tzinfo=UTC), max(times).replace(tzinfo=UTC))


def test_rows_are_counted_by_the_hour_they_came_in() -> None:
    texts = pl.Series(["2022-03-01T05:00:00Z", "2022-03-01T05:59:59.9Z", "2022-03-01T07:00:00Z", None, "x"])
    expected = RowsByHour((("2022-03-01T05:00:00Z", 2), ("2022-03-01T07:00:00Z", 1)), 2, 0)
    assert Hours.of(texts).value() == expected
    assert Hours.of(moments(texts)).value() == expected


@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                ["2022-03-01T05", "2022-03-01T05:60:00Z", "2022-03-01T24:00:00Z", "2022-03-01T05:59:60Z"]
            ),
            st.datetimes(datetime(2022, 3, 1), datetime(2022, 3, 2)).map(lambda time: time.isoformat() + "Z"),
            st.datetimes(datetime(2022, 3, 1), datetime(2022, 3, 2)).map(
                lambda time: time.isoformat() + "+05:30"
            ),
        )
    )
)
def test_hours_are_those_of_the_times_read_one_by_one(texts: list[str]) -> None:
    column = pl.Series(texts, dtype=pl.String)
    assert Hours.of(column) == Hours.of(moments(column))


def test_hours_before_1970_begin_where_they_begin() -> None:
    assert Hours.of(pl.Series(["1969-12-31T23:30:00Z"])).value().hours == (("1969-12-31T23:00:00Z", 1),)
