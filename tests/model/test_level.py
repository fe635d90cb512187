"""The level of a market is found apart from what is sold in it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core.encoding import decode, encode
from watchkeeper.core.errors import InputError
from watchkeeper.core.windows import months_between
from watchkeeper.model.level import Level, LevelSpec

SPEC = LevelSpec("month", ("town",))


def test_a_month_of_dear_kinds_is_no_dear_month() -> None:
    columns = {"month": ["1"] * 4 + ["2"] * 4, "town": ["A", "A", "A", "B", "A", "B", "B", "B"]}
    worth = np.array([1.0 if town == "A" else 10.0 for town in columns["town"]])
    risen = np.where(np.array(columns["month"]) == "2", 1.2, 1.0)
    level = Level.fit(SPEC, columns, worth * risen)
    assert level.months["2"] / level.months["1"] == pytest.approx(1.2, rel=1e-3)


def test_months_outside_have_the_nearest_known_level_before_them() -> None:
    level = Level(SPEC, {"2020-01": 0.9, "2020-03": 1.1})
    asked = {"month": ["2019-12", "2020-01", "2020-02", "2020-03", "2021-01", None, ""]}
    assert level.of(asked).tolist() == [0.9, 0.9, 0.9, 1.1, 1.1, 1.1, 1.1]


def rising(months: int, growth: float = 0.01) -> tuple[dict[str, list[str | None]], np.ndarray]:
    """Two towns that rise alike, one of them ten times as dear."""
    names = [month for month in months_between("2020-01", "2021-12")[:months] for _ in range(4)]
    columns: dict[str, list[str | None]] = {"month": [*names], "town": ["A", "B", "A", "B"] * months}
    steps = np.repeat(np.arange(months), 4)
    return columns, np.tile([1.0, 10.0, 1.0, 10.0], months) * np.exp(growth * steps)


def test_a_damped_trend_goes_on_by_less_each_month() -> None:
    columns, target = rising(12)
    level = Level.fit(LevelSpec("month", ("town",), damping=0.5), columns, target)
    assert level.growth == pytest.approx(0.01)
    ahead = level.of({"month": ["2020-12", "2021-01", "2021-02", "2023-12"]})
    assert np.diff(np.log(ahead)) == pytest.approx([0.005, 0.0025, 0.01 - 0.0075], rel=1e-6)
    flat = Level.fit(SPEC, columns, target)
    assert flat.of({"month": ["2020-12", "2023-12"]}).tolist() == [flat.months["2020-12"]] * 2


def test_one_month_has_no_trend_and_a_month_of_few_rows_hardly_any_say() -> None:
    spec = LevelSpec("month", ("town",), damping=0.9)
    assert Level.fit(spec, *rising(1)).growth == 0.0
    columns, target = rising(6, growth=0.0)
    odd = {"month": [*columns["month"], "2020-07"], "town": [*columns["town"], "A"]}
    assert 0 < Level.fit(spec, odd, np.append(target, 1.1)).growth < 0.01


def test_months_that_are_none_are_refused_where_they_have_to_be_counted() -> None:
    spec = LevelSpec("month", ("town",), damping=0.9)
    with pytest.raises(InputError, match='level: want a month as YYYY-MM, got "1"'):
        Level.fit(spec, {"month": ["1", "1"], "town": ["A", "B"]}, np.array([1.0, 2.0]))
    with pytest.raises(InputError, match='read column month: want a month as YYYY-MM, got "soon"'):
        Level.fit(spec, *rising(3)).of({"month": ["soon"]})
    with pytest.raises(ValueError, match="want damping from 0 to below 1, got 1"):
        LevelSpec("month", ("town",), damping=1.0)


def test_a_target_that_has_no_logarithm_is_refused() -> None:
    with pytest.raises(ValueError, match="want targets above 0, got 1 that are not"):
        Level.fit(SPEC, {"month": ["1", "1"], "town": ["A", "B"]}, np.array([1.0, 0.0]))


@given(
    st.lists(
        st.tuples(st.sampled_from("123"), st.sampled_from("AB"), st.floats(0.5, 2)), min_size=1, max_size=30
    )
)
def test_levels_are_around_one_and_survive_their_json(rows: list[tuple[str, str, float]]) -> None:
    columns = {"month": [row[0] for row in rows], "town": [row[1] for row in rows]}
    level = Level.fit(SPEC, columns, np.array([row[2] for row in rows]))
    assert np.log(list(level.months.values())).mean() == pytest.approx(0, abs=1e-9)
    assert decode(Level, encode(level)) == level
    assert (level.of(columns) > 0).all()
