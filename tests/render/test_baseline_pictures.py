"""Two baselines of a column in one picture."""

from xml.etree import ElementTree

import polars as pl
import pytest

from watchkeeper.monitors import data_quality
from watchkeeper.monitors.data_quality_diff import DataQualityBaseline, diff
from watchkeeper.render.baseline_pictures import diff_fragment, distribution, pictures


def baseline(**columns: list[str]) -> DataQualityBaseline:
    frame = pl.DataFrame(columns)
    schema = data_quality.inferred_schema(frame)
    statistics = data_quality.profile(frame, schema)
    return DataQualityBaseline(statistics, data_quality.suggest(statistics, schema))


BEFORE = baseline(area=[str(n % 50) for n in range(500)], town=["<b>", "x"] * 250, same=["1"] * 500)
AFTER = baseline(area=[str(n % 50 + 10) for n in range(500)], town=["x"] * 500, same=["1"] * 500)


def test_shares_are_over_the_same_bins_and_come_to_one() -> None:
    area, town, same = (
        distribution(before, now)
        for before, now in zip(BEFORE.statistics.features, AFTER.statistics.features, strict=True)
    )
    assert area is not None
    assert (area.edges[0], area.edges[-1]) == (0.0, 59.0)
    assert sum(area.baseline) == pytest.approx(1.0)
    assert sum(area.window) == pytest.approx(1.0)
    assert (area.baseline[-1], area.window[0]) == (0.0, 0.0)
    assert town is not None
    assert (town.labels, town.baseline, town.window) == (("<b>", "x"), (0.5, 0.5), (0.0, 1.0))
    assert same is None


def test_only_columns_that_differ_are_drawn() -> None:
    assert [each.heading for each in pictures(BEFORE, AFTER)] == ["area", "town"]
    assert pictures(BEFORE, BEFORE) == ()


def test_words_and_pictures_are_one_escaped_fragment() -> None:
    fragment = diff_fragment(diff(BEFORE, AFTER), BEFORE, AFTER)
    tree = ElementTree.fromstring(f"<div>{fragment}</div>")  # noqa: S314 - our own page
    assert len(tree.findall("figure")) == 2
    assert [item.text for item in tree.findall("ul/li/b")].count("town") == 2
    assert "&lt;b&gt;" in fragment
    assert len(fragment) < 60_000
    assert diff_fragment((), BEFORE, BEFORE) == "<p>Nothing would change.</p>"
