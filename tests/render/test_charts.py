"""Charts are well-formed, inside their frame, and say in words what they draw."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core.windows import month_start, months_between
from watchkeeper.render.charts import (
    Bar,
    Cell,
    Distribution,
    Line,
    LineChart,
    Mark,
    Pair,
    Residuals,
    Span,
    Spot,
    Threshold,
    bars,
    histogram,
    line_chart,
    paired_bars,
    paired_dots,
    residual_plot,
    status_strip,
    timeline,
)
from watchkeeper.render.loop import Step as LoopStep
from watchkeeper.render.loop import loop_picture
from watchkeeper.render.scales import Style, TimeScale, scale
from watchkeeper.render.waterfall import Step, waterfall

HOSTILE = '<script>alert("town")</script> & co'
MONTHS = tuple(month_start(month) for month in months_between("2020-01", "2022-12"))
NUMBERS = st.floats(-1e12, 1e12, allow_nan=False)


def elements(drawing: str, name: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(drawing).iter(name))  # noqa: S314 - what we have just drawn


def titles(drawing: str) -> list[str]:
    return [found.text or "" for found in elements(drawing, "title")]


def chart(*values: float | None, zero: bool = False, threshold: Threshold | None = None) -> LineChart:
    points = tuple(zip(MONTHS, values, strict=False))
    return LineChart("RMSE by month", (Line("watched", "watched", points),), zero=zero, threshold=threshold)


def assert_sound(drawing: str) -> None:
    root = ElementTree.fromstring(drawing)  # noqa: S314 - what we have just drawn
    assert (root.get("role"), bool(root.get("aria-label"))) == ("img", True)
    assert not re.search(r"\b(nan|inf|None)\b", drawing)
    places = [float(m) for m in re.findall(r' (?:x|cx|x1|x2)="([-0-9.e+]+)%"', drawing)]
    assert all(-0.01 <= place <= 100.01 for place in places)


@given(st.lists(st.none() | NUMBERS, min_size=1, max_size=36), st.booleans(), st.none() | NUMBERS)
def test_any_line_stays_inside_its_chart(values: list[float | None], zero: bool, limit: float | None) -> None:
    shown = chart(*values, zero=zero, threshold=None if limit is None else Threshold(limit, "at most"))
    drawing = line_chart(shown)
    assert_sound(drawing)
    assert all(0 <= float(dot.get("cy") or -1) <= shown.height for dot in elements(drawing, "circle"))


def test_a_missing_value_interrupts_the_line_and_is_not_zero() -> None:
    drawing = line_chart(chart(1.0, 2.0, None, 3.0))
    (path,) = [path.get("d") or "" for path in elements(drawing, "path")]
    assert path.count("M") == 2
    assert titles(drawing) == [
        "watched, January 2020: 1.00",
        "watched, February 2020: 2.00",
        "watched, April 2020: 3.00",
    ]


def test_marks_say_what_happened_and_those_outside_the_time_axis_are_left_out() -> None:
    inside, outside = (
        Mark(MONTHS[1], "alert", "ModelQualityDegraded"),
        Mark(MONTHS[30], "promote", "version 2"),
    )
    said = titles(line_chart(replace(chart(1.0, 2.0, 3.0), marks=(inside, outside))))
    assert "1 Feb 2020: ModelQualityDegraded" in said
    assert not any("version 2" in title for title in said)


def test_a_threshold_is_in_sight_also_when_no_value_comes_near_it() -> None:
    drawing = line_chart(chart(1.0, 1.1, threshold=Threshold(5.0, "alert above 5")))
    assert "alert above 5" in drawing
    (line,) = [line for line in elements(drawing, "line") if line.get("class") == "threshold"]
    assert 0 <= float(line.get("y1") or -1) <= 230


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([0.47, 0.95], ["0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1.0"]),
        ([31_200, 108_000], ["20k", "40k", "60k", "80k", "100k", "120k"]),
        ([30_400, 34_217], ["30k", "31k", "32k", "33k", "34k", "35k"]),
        ([5.0, 5.0], ["2", "3", "4", "5", "6", "7", "8"]),
        ([0.0, 0.0], ["−0.6", "−0.4", "−0.2", "0.0", "0.2", "0.4", "0.6"]),
        ([-3.0, 2.0], ["−3", "−2", "−1", "0", "1", "2"]),
    ],
)
def test_axes_end_on_round_numbers(values: list[float], labels: list[str]) -> None:
    assert [tick.label for tick in scale(values).ticks()] == labels


def test_a_share_is_written_as_per_cent() -> None:
    assert [tick.label for tick in scale([0.0, 0.18], intervals=3).ticks(Style.SHARE)] == ["0%", "10%", "20%"]


@given(NUMBERS, NUMBERS)
def test_every_value_lies_between_the_ends_of_its_axis(one: float, other: float) -> None:
    axis = scale([one, other])
    assert all(-1e-6 <= axis.at(value) <= 1 + 1e-6 for value in (one, other))
    labels = [tick.label for tick in axis.ticks()]
    assert 2 <= len(labels) <= 8


@pytest.mark.parametrize(
    ("days", "labels"),
    [
        (0.5, ["1 Jan 2020, 00:00", "02:00", "04:00", "06:00", "08:00", "10:00", "12:00"]),
        (31, ["1 Jan 2020", "8 Jan", "15 Jan", "22 Jan", "29 Jan"]),
        (150, ["Jan 2020", "Feb", "Mar", "Apr", "May"]),
        (1080, ["Jan 2020", "Jul", "Jan 2021", "Jul", "Jan 2022", "Jul"]),
    ],
)
def test_time_axes_have_round_times(days: float, labels: list[str]) -> None:
    start = datetime(2020, 1, 1, tzinfo=UTC)
    assert [tick.label for tick in TimeScale(start, start + timedelta(days=days)).ticks()] == labels


@given(st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1)), st.integers(0, 20 * 365 * 24))
def test_time_ticks_are_few_and_inside(begin: datetime, hours: int) -> None:
    start = begin.replace(tzinfo=UTC)
    ticks = TimeScale(start, start + timedelta(hours=hours)).ticks()
    assert len(ticks) <= 8
    assert all(0 <= tick.at <= 1 for tick in ticks)


shares = st.floats(0, 1, allow_nan=False)


@given(st.lists(st.tuples(shares, shares), min_size=1, max_size=40))
def test_any_histogram_is_sound(pairs: list[tuple[float, float]]) -> None:
    baseline, window = tuple(zip(*pairs, strict=True))
    edges = tuple(float(n) for n in range(len(pairs) + 1))
    drawing = histogram(Distribution("floor_area_sqm", "numeric", baseline, window, edges=edges))
    assert_sound(drawing)
    assert len(titles(drawing)) == len(pairs)
    assert_sound(
        paired_bars(Distribution("t", "categorical", baseline, window, labels=tuple(map(str, edges[1:]))))
    )


def test_histograms_tell_both_shares_on_hover() -> None:
    shown = Distribution("floor_area_sqm", "numeric", (0.25, 0.75), (0.5, 0.5), edges=(30.0, 60.0, 130.0))
    assert titles(histogram(shown))[0] == "30.0 to 60.0: baseline 25.0%, window 50.0%"


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "numeric", "baseline": (1.0,), "window": (1.0,), "edges": (0.0,)},
        {"kind": "categorical", "baseline": (1.0,), "window": (0.5, 0.5), "labels": ("a",)},
        {"kind": "other", "baseline": (1.0,), "window": (1.0,), "labels": ("a",)},
    ],
)
def test_distributions_over_unlike_bins_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match='distribution of "town"'):
        Distribution("town", **wrong)  # type: ignore[arg-type]


def test_a_timeline_has_a_row_for_each_name_and_open_alerts_reach_its_end() -> None:
    until = MONTHS[10]
    spans = (
        Span("Errors", MONTHS[0], MONTHS[1], MONTHS[2], "resolved"),
        Span("Errors", MONTHS[3], MONTHS[4], None, "firing"),
        Span("Quality", MONTHS[9], None, None, "pending"),
    )
    drawing = timeline("Alerts", spans, until)
    assert_sound(drawing)
    assert [text.text for text in elements(drawing, "text")].count("Errors") == 1
    (firing,) = [rect for rect in elements(drawing, "rect") if rect.get("class") == "span-firing"]
    ends = sum(float((firing.get(key) or "").rstrip("%")) for key in ("x", "width"))
    assert ends == pytest.approx(100)


def test_an_alert_that_fired_at_the_very_end_is_still_in_sight() -> None:
    drawing = timeline("Alerts", [Span("Errors", MONTHS[0], MONTHS[1], None, "firing")], MONTHS[1])
    (firing,) = [rect for rect in elements(drawing, "rect") if rect.get("class") == "span-firing"]
    left, width = (float((firing.get(key) or "").rstrip("%")) for key in ("x", "width"))
    assert width > 0
    assert left + width <= 100.01


def test_the_loop_is_drawn_as_a_ring_and_as_a_list() -> None:
    steps = tuple(LoopStep(f"step {n}", f"figure {n}", HOSTILE) for n in range(12))
    drawing = f"<div>{loop_picture(steps, 'round again')}</div>"
    said = [text.text for text in elements(drawing, "text")]
    assert all(said.count(f"figure {n}") == 2 for n in range(12))
    with pytest.raises(ValueError, match="even count"):
        loop_picture(steps[:5], "round again")


@pytest.mark.parametrize(
    "drawing",
    [
        line_chart(LineChart(HOSTILE, ())),
        bars(HOSTILE, ()),
        status_strip(HOSTILE, ()),
        timeline(HOSTILE, (), MONTHS[0]),
        histogram(Distribution(HOSTILE, "numeric", (), (), edges=(0.0,))),
        paired_bars(Distribution(HOSTILE, "categorical", (), ())),
        residual_plot(Residuals((), 0)),
        paired_dots(HOSTILE, ()),
        waterfall(HOSTILE, 1.0, ()),
    ],
)
def test_without_values_a_chart_says_so(drawing: str) -> None:
    assert_sound(drawing)
    assert "Nothing to draw" in drawing


@pytest.mark.parametrize(
    "drawing",
    [
        bars("b", [Bar(HOSTILE, 1.0, HOSTILE, HOSTILE)]),
        status_strip("s", [Cell("ok", HOSTILE, HOSTILE)]),
        timeline("t", [Span(HOSTILE, MONTHS[0], None, None, HOSTILE)], MONTHS[1]),
        paired_bars(Distribution(HOSTILE, "categorical", (0.0,), (0.0,), labels=(HOSTILE,))),
        histogram(Distribution(HOSTILE, "categorical", (0.0,), (0.0,), labels=(HOSTILE,))),
        line_chart(
            LineChart(
                HOSTILE,
                (Line(HOSTILE, "watched", ((MONTHS[0], 1.0),)),),
                marks=(Mark(MONTHS[0], "alert", HOSTILE),),
            )
        ),
        residual_plot(Residuals(((1.0, 2.0),), 1, HOSTILE)),
        waterfall("w", 0.0, [Step(HOSTILE, 1.0, HOSTILE)]),
        paired_dots("d", [Pair(HOSTILE, None, Spot(1.0, 0.5, 1.5), HOSTILE)]),
    ],
)
def test_hostile_names_are_escaped(drawing: str) -> None:
    assert_sound(drawing)
    assert "<script" not in drawing
    assert "&lt;script&gt;" in drawing


spots = st.tuples(NUMBERS, NUMBERS, NUMBERS).map(sorted).map(lambda ends: Spot(ends[1], ends[0], ends[2]))


@given(st.lists(st.tuples(st.one_of(st.none(), spots), spots, st.booleans()), min_size=1, max_size=6))
def test_any_pairs_of_dots_stay_inside_and_have_one_line_at_zero(
    rows: list[tuple[Spot | None, Spot, bool]],
) -> None:
    pairs = [Pair(f"m{n}", before, now, "said", worse) for n, (before, now, worse) in enumerate(rows)]
    drawing = paired_dots("then and now", pairs)
    assert_sound(drawing)
    assert len([line for line in elements(drawing, "line") if line.get("class") == "zero"]) == 1
    drawn = sum(1 + (pair.before is not None) for pair in pairs)
    assert len(elements(drawing, "circle")) == drawn
    assert len(re.findall('class="tone-limit"', drawing)) == sum(pair.worse for pair in pairs)


@given(NUMBERS, st.lists(NUMBERS, min_size=1, max_size=8))
def test_a_waterfall_ends_where_its_steps_lead(start: float, added: list[float]) -> None:
    drawing = waterfall("steps", start, [Step(f"s{n}", each, "said") for n, each in enumerate(added)])
    assert_sound(drawing)
    bars_ = elements(drawing, "rect")
    assert len(bars_) == len(added)
    assert all(float((bar.get("width") or "0%").rstrip("%")) > 0 for bar in bars_)
