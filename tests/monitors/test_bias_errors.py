"""Error gaps of groups against their plain formulas, and when there are none."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from watchkeeper.core.statistics.distances import Mode
from watchkeeper.core.values import Undefined
from watchkeeper.monitors import bias
from watchkeeper.monitors.bias import BiasSettings
from watchkeeper.monitors.bias_errors import error_gaps
from watchkeeper.monitors.bias_values import BiasConfig, Facet
from watchkeeper.readers.clarify import bias_analysis
from watchkeeper.render.clarify import bias_json

amounts = st.floats(0.5, 1e6).flatmap(lambda x: st.sampled_from([x, -x]))
rows = st.lists(st.tuples(amounts, amounts, st.booleans()), min_size=4, max_size=30)


@given(rows)
def test_a_gap_is_the_groups_mean_less_the_others(found: list[tuple[float, float, bool]]) -> None:
    in_group = [(p - y) / abs(y) for y, p, chosen in found if chosen]
    others = [(p - y) / abs(y) for y, p, chosen in found if not chosen]
    assume(in_group and others)
    labels, predictions, group = (np.array(each) for each in zip(*found, strict=True))
    size, signed = error_gaps(labels, predictions, group)
    assert signed.value == pytest.approx(np.mean(in_group) - np.mean(others), rel=1e-9, abs=1e-9)
    assert size.value == pytest.approx(
        np.mean(np.abs(in_group)) - np.mean(np.abs(others)), rel=1e-9, abs=1e-9
    )
    if min(len(in_group), len(others)) > 1:
        error = np.sqrt(np.var(in_group, ddof=1) / len(in_group) + np.var(others, ddof=1) / len(others))
        assert signed.standard_error == pytest.approx(error, rel=1e-9, abs=1e-12)
    else:
        assert isinstance(signed.standard_error, Undefined)


def test_no_share_of_a_label_of_nothing_and_no_gap_to_nobody() -> None:
    ones, nobody = np.ones(3), np.zeros(3, bool)
    for labels, group, said in ((np.zeros(3), ~nobody, "a label is 0"), (ones, nobody, "no row")):
        for each in error_gaps(labels, ones, group):
            assert isinstance(each.value, Undefined)
            assert said in each.value.reason


def test_only_amounts_have_gaps_and_the_contracts_files_none() -> None:
    random = np.random.default_rng(0)
    label = random.uniform(1, 9, 200)
    table = pl.DataFrame(
        {"y": label, "p": label * random.normal(1, 0.1, 200), "sex": random.choice(["m", "f"], 200)}
    )
    config = BiasConfig("y", ("5",), (Facet("sex", ("f",)),), "p")
    analysis = bias.statistics(table, config)
    (facet,) = analysis.facets
    assert [each.name for each in facet.error_gaps] == ["MAPED", "MPED"]
    assert bias_analysis(bias_json(analysis), "analysis.json").facets[0].error_gaps == facet.error_gaps
    compatible = bias.statistics(table, config, BiasSettings(Mode.COMPATIBLE))
    assert compatible.facets[0].error_gaps == ()
    assert "error_gaps" not in bias_json(compatible, Mode.COMPATIBLE)
    classes = table.with_columns(y=pl.col("y") > 5, p=pl.col("p") > 5).cast({"y": pl.Int64, "p": pl.Int64})
    assert bias.statistics(classes, BiasConfig("y", ("1",), config.facets, "p")).facets[0].error_gaps == ()


def test_a_group_that_is_erred_on_more_than_before_is_found() -> None:
    """Each sale of the group is now answered a tenth too low; parity at the threshold hardly moves."""
    random = np.random.default_rng(1)

    def window(too_low: float) -> pl.DataFrame:
        label, sex = random.uniform(100, 900, 1_000), random.choice(["m", "f"], 1_000)
        answer = label * random.normal(1, 0.05, 1_000) * np.where(sex == "f", 1 - too_low, 1)
        return pl.DataFrame({"y": label, "p": answer, "sex": sex})

    config = BiasConfig("y", ("10",), (Facet("sex", ("f",)),), "p")
    before, alike, worse = (bias.statistics(window(each), config) for each in (0.0, 0.0, 0.1))
    assert not bias.check(alike, before)
    assert {each.metric for each in bias.check(worse, before)} == {"MAPED", "MPED"}
