"""Bias: AWS's own run to 1e-9, every metric by another way, verdicts that chance does not give."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special
from scipy.spatial import distance

from tests.shared import shared
from watchkeeper.core.errors import InputError
from watchkeeper.core.statistics.distances import Mode
from watchkeeper.core.values import Undefined
from watchkeeper.monitors import bias
from watchkeeper.monitors.bias import BiasSettings, is_continuous
from watchkeeper.monitors.bias_metrics import POST_TRAINING, PRE_TRAINING, divide
from watchkeeper.monitors.bias_values import BiasAnalysis, BiasConfig, Facet
from watchkeeper.readers import clarify as read
from watchkeeper.render.clarify import bias_json, bias_violations_json

COMPATIBLE = BiasSettings(Mode.COMPATIBLE)
SEX = BiasConfig("y", ("1",), (Facet("sex", ("0",)),), "p", "age")
RUN = "fixtures/model-monitor/clarify-bias-endpoint-json"


def aws_rows() -> pl.DataFrame:
    """The rows of the one merged record that AWS's notebook prints, in Clarify's columns."""
    record = json.loads((shared(RUN) / "merged-record.json").read_text())
    captured = record["captureData"]
    asked = json.loads(captured["endpointInput"]["data"])["instances"]
    answers = json.loads(captured["endpointOutput"]["data"])["predictions"]
    truth = json.loads(record["groundTruthData"]["data"])["instances"]
    config = json.loads(
        (shared("fixtures/model-monitor/clarify-analysis-config") / "bias_analysis_config.json").read_text()
    )
    names = config["headers"][1:]
    return pl.DataFrame([each["features"] for each in asked], schema=names, orient="row").with_columns(
        pl.Series("Target", [each["label"] for each in truth]),
        pl.Series("predicted", [each["predicted_label"] for each in answers]),
    )


def aws_config() -> BiasConfig:
    path = shared("fixtures/model-monitor/clarify-analysis-config") / "bias_analysis_config.json"
    return read.bias_config(path.read_bytes(), path.name, predicted="predicted")


def test_awss_run_comes_out_with_its_metrics_and_just_its_violations() -> None:
    current = bias.statistics(aws_rows(), aws_config(), COMPATIBLE)
    baseline = read.bias_analysis((shared(RUN) / "baseline.analysis.json").read_bytes(), "analysis.json")
    written = json.loads(bias_violations_json(bias.check(current, baseline, Mode.COMPATIBLE)))["violations"]
    theirs = json.loads((shared(RUN) / "constraint_violations.json").read_text())["violations"]
    ours = {each["metric_name"]: each for each in written}
    assert ours.keys() == {each["metric_name"] for each in theirs}
    for each in theirs:
        mine = ours[each["metric_name"]]
        assert {**mine, "description": ""} == {**each, "description": ""}
        for place in (2, -1):
            value, wanted = (float(said["description"].split()[place]) for said in (mine, each))
            assert value == pytest.approx(wanted, abs=1e-9)


def test_awss_analysis_comes_back_to_the_byte() -> None:
    text = (shared(RUN) / "baseline.analysis.json").read_text()
    assert bias_json(read.bias_analysis(text, "analysis.json"), Mode.COMPATIBLE) == text.rstrip("\n")


rows = st.lists(
    st.tuples(*[st.integers(0, 1)] * 3, st.integers(20, 23), st.integers(0, 50)), min_size=4, max_size=80
).filter(lambda found: len({row[0] for row in found}) == 2 and len({row[1] for row in found}) == 2)


def frame(found: Sequence[tuple[int, ...]]) -> pl.DataFrame:
    return pl.DataFrame(found, schema=["sex", "y", "p", "age", "hours"], orient="row")


def by_hand(table: pl.DataFrame) -> dict[str, float]:
    """Every metric from the rows themselves, by the formulas of 7.4 written out."""
    d, y, p, group = (table[name].to_numpy() for name in ("sex", "y", "p", "age"))
    d = d == 0
    a, n = ~d, len(d)
    q = {"a": y[a].mean(), "d": y[d].mean()}
    left, right = np.array([1 - q["a"], q["a"]]), np.array([1 - q["d"], q["d"]])
    both = (left > 0) & (right > 0)

    def count(side: Any, label: int | None, said: int | None) -> float:
        hits = side.copy()
        hits &= True if label is None else y == label
        hits &= True if said is None else p == said
        return float(hits.sum())

    def disparity(outcome: np.ndarray) -> float:
        total = 0.0
        for value in set(group.tolist()):
            own = group == value
            rejected, accepted = own & (outcome == 0), own & (outcome == 1)
            share = (rejected & d).sum() / rejected.sum() if rejected.any() else 0.0
            total += own.sum() * (share - ((accepted & d).sum() / accepted.sum() if accepted.any() else 0.0))
        return float(total / n)

    def rate(side: Any, label: int | None, said: int | None, of: tuple[int | None, int | None]) -> float:
        return divide(count(side, label, said), count(side, *of))

    points = table.select("age", "hours").to_numpy().astype(float)
    nearest = distance.cdist(points[d], points[a])
    certain = np.array(
        [len({int(p[a][k]) for k in np.flatnonzero(row == row.min())}) == 1 for row in nearest]
    )
    seen = p[a][nearest.argmin(axis=1)]
    flips = float(((p[d] == 1) & (seen == 0)).sum() - ((p[d] == 0) & (seen == 1)).sum()) / d.sum()
    benefit = (p - y + 1).astype(float)
    te = [divide(count(side, 1, 0), count(side, 0, 1)) for side in (d, a)]
    entropy = float((((benefit / benefit.mean()) ** 2 - 1).sum()) / (2 * n)) if benefit.any() else math.nan
    return {
        "CI": (a.sum() - d.sum()) / n,
        "DPL": q["a"] - q["d"],
        "KL": float(special.rel_entr(left[both], right[both]).sum()),
        "JS": float(distance.jensenshannon(left, right) ** 2),
        "LP": float(np.linalg.norm(left - right)),
        "TVD": float(np.abs(left - right).sum() / 2),
        "KS": float(np.abs(left - right).max()),
        "CDDL": disparity(y),
        "AD": float((y == p)[a].mean() - (y == p)[d].mean()),
        "CDDPL": disparity(p),
        "DAR": rate(a, 1, 1, (None, 1)) - rate(d, 1, 1, (None, 1)),
        "DCA": difference(rate(a, 1, None, (None, 1)), rate(d, 1, None, (None, 1))),
        "DCR": difference(rate(d, 0, None, (None, 0)), rate(a, 0, None, (None, 0))),
        "DI": divide(float(p[d].mean()), float(p[a].mean())),
        "DPPL": float(p[a].mean() - p[d].mean()),
        "DRR": rate(d, 0, 0, (None, 0)) - rate(a, 0, 0, (None, 0)),
        "RD": rate(a, 1, 1, (1, None)) - rate(d, 1, 1, (1, None)),
        "SD": rate(d, 0, 0, (0, None)) - rate(a, 0, 0, (0, None)),
        "TE": difference(*te),
        "GE": entropy,
        "FT": flips if certain.all() else math.nan,
    }


def difference(left: float, right: float) -> float:
    return 0.0 if left == right else left - right


@settings(deadline=None)
@given(rows)
def test_every_metric_is_what_its_formula_says(found: list[tuple[int, ...]]) -> None:
    table = frame(found)
    (facet,) = bias.statistics(table, SEX, COMPATIBLE).facets
    wanted = by_hand(table)
    assert wanted.keys() == PRE_TRAINING.keys() | POST_TRAINING.keys()
    for metric in (*facet.pre_training, *facet.post_training):
        if isinstance(metric.value, Undefined) or math.isnan(wanted[metric.name]):
            continue  # no benefit for anybody, or neighbours that are equally near
        assert metric.value == pytest.approx(wanted[metric.name], abs=1e-9), metric.name
    assert facet.rows == sum(row[0] == 0 for row in found)


@settings(max_examples=8, deadline=None)
@given(rows)
def test_files_come_back_as_they_were(found: list[tuple[int, ...]]) -> None:
    for mode in Mode:
        analysis = bias.statistics(frame(found), SEX, BiasSettings(mode))
        written = bias_json(analysis, mode)
        assert "NaN" not in written
        assert bias_json(read.bias_analysis(written, "analysis.json"), mode) == written


def biased(count: int, chance: float, seed: int) -> pl.DataFrame:
    """Half of the people are of the group, positive with this chance by the model, the others with 0.5."""
    random = np.random.default_rng(seed)
    sex, y = np.tile([0, 1], count // 2), random.integers(0, 2, count)
    p = (random.random(count) < np.where(sex == 0, chance, 0.5)).astype(int)
    return pl.DataFrame({"sex": sex, "y": y, "p": p, "age": random.integers(20, 60, count)})


@pytest.fixture(scope="module")
def fair() -> BiasAnalysis:
    return bias.statistics(biased(4_000, 0.45, 0), SEX)


def test_a_group_that_is_treated_worse_is_found_and_chance_is_not(fair: BiasAnalysis) -> None:
    worse = bias.statistics(biased(4_000, 0.25, 1), SEX)
    assert {"DPPL", "DI"} <= {each.metric for each in bias.check(worse, fair)}
    windows = [bias.statistics(biased(600, 0.45, seed), SEX) for seed in range(100, 112)]
    alarms = [len(bias.check(each, fair)) for each in windows]
    plain = [len(bias.check(each, fair, Mode.COMPATIBLE)) for each in windows]
    assert sum(alarms) <= 6, "12 windows of 12 metrics each, at one in a hundred"
    assert sum(plain) > 50, "the contract's rule calls nearly every second metric worse"


def test_disparate_impact_is_measured_from_one(fair: BiasAnalysis) -> None:
    """The contract's rule calls 1.1 against 0.9 worse, and 0.5 against 0.9 no worse."""
    worse = bias.statistics(biased(4_000, 0.25, 1), SEX)
    assert "DI" in {each.metric for each in bias.check(worse, fair)}
    assert "DI" not in {each.metric for each in bias.check(worse, fair, Mode.COMPATIBLE)}


def test_the_smallest_change_shrinks_with_rows(fair: BiasAnalysis) -> None:
    before = fair.facets[0].metric("DPPL")
    few, many = (
        bias.statistics(biased(count, 0.45, 3), SEX).facets[0].metric("DPPL") for count in (200, 4_000)
    )
    assert before is not None
    assert few is not None
    assert many is not None
    least = [bias.smallest_change(each, before) for each in (few, many)]
    assert isinstance(least[0], float)
    assert isinstance(least[1], float)
    assert least[0] > 2 * least[1] > 0


def test_too_few_of_a_group_is_said_and_no_verdict(fair: BiasAnalysis) -> None:
    few = bias.statistics(biased(40, 0.0, 1), SEX)
    assert bias.check(few, fair) == ()
    assert bias.unjudged(few, fair) == ("bias of sex 0 not judged: 20 rows, want at least 30",)


def test_a_metric_that_became_infinite_is_said_and_is_no_pass(fair: BiasAnalysis) -> None:
    """Nobody of the group is answered positive by mistake: TE is a number over nothing."""
    table = biased(400, 0.45, 1).with_columns(p=pl.when(pl.col("sex") == 0).then(0).otherwise("p"))
    endless = bias.statistics(table, SEX)
    (said,) = bias.unjudged(endless, fair)
    assert "TE (it is infinite, which chance has no measure for)" in said
    assert "DI (it is infinite" in said, "nobody of the group is positive: its logarithm has no end"
    assert "TE" not in {each.metric for each in bias.check(endless, fair)}
    assert "TE" in {each.metric for each in bias.check(endless, fair, Mode.COMPATIBLE)}


def test_each_value_is_a_group_when_none_is_named() -> None:
    config = BiasConfig("y", ("1",), (Facet("town"),), "p")
    table = pl.DataFrame({"town": ["B", "A", "C", "A"], "y": [1, 0, 1, 1], "p": [1, 0, 0, 1]})
    found = bias.statistics(table, config, COMPATIBLE)
    assert [(each.name, each.value, each.rows, each.of_rows) for each in found.facets] == [
        ("town", "A", 2, 4), ("town", "B", 1, 4), ("town", "C", 1, 4),
    ]  # fmt: skip
    cddl = found.facets[0].metric("CDDL")
    assert cddl is not None
    assert cddl.value == Undefined("Group variable is empty or not provided")
    assert '"error": "Group variable is empty or not provided"' in bias_json(found)


def test_a_label_and_a_facet_of_amounts_go_by_a_threshold() -> None:
    """As the contract has it for regressions: the positive outcome is a number above the threshold."""
    table = pl.DataFrame(
        {"age": [20.5, 30.0, 40.0, 50.0], "y": [90.5, 110.0, 232.0, 50.0], "p": [120.0, 80.0, 101.0, 9.0]}
    )
    found = bias.statistics(table, BiasConfig("y", ("100",), (Facet("age", ("35",)),), "p"), COMPATIBLE)
    (facet,) = found.facets
    assert (found.label_value, facet.value, facet.rows) == ("(100, 232]", "(35, 50]", 2)
    dppl = facet.metric("DPPL")
    assert dppl is not None
    assert dppl.value == 0.5 - 0.5


@pytest.mark.parametrize(
    ("cells", "continuous"),
    [
        ([0.5, 1.0], True),
        (list(range(100)), True),
        ([0, 1] * 100, False),
        (["a", "b"], False),
        ([1.0, 2.0] * 50, False),
    ],
)
def test_whole_numbers_are_amounts_when_most_differ(cells: list[Any], continuous: bool) -> None:
    assert is_continuous(pl.Series("x", cells)) is continuous


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"sex": "sexx"}, 'want the column "sex"; did you mean "sexx"'),
        ({"age": "edad"}, 'want the column "age"'),
    ],
)
def test_a_column_that_is_not_there_is_named(changed: dict[str, str], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        bias.statistics(biased(40, 0.5, 1).rename(changed), SEX)


def test_a_value_that_is_not_there_is_named() -> None:
    config = BiasConfig("y", ("1",), (Facet("sex", ("femal",)),), "p")
    table = biased(40, 0.5, 1).with_columns(sex=pl.Series(["female", "male"] * 20))
    with pytest.raises(ValueError, match='want the value "femal" in column sex; did you mean "female"'):
        bias.statistics(table, config)


def test_a_positive_outcome_that_nobody_has_is_named() -> None:
    with pytest.raises(ValueError, match='want the value "yes" in column y or p, got 0, 1'):
        bias.statistics(biased(60, 0.5, 1), BiasConfig("y", ("yes",), (Facet("sex", ("0",)),), "p"))


def test_rows_without_label_or_prediction_are_not_counted_and_no_row_is_an_error() -> None:
    table = biased(40, 0.5, 1).with_columns(y=pl.Series([None, 1] * 20))
    (facet,) = bias.statistics(
        table, BiasConfig("y", ("1",), (Facet("sex", ("1",)),), "p"), COMPATIBLE
    ).facets
    assert (facet.rows, facet.of_rows) == (20, 20)
    assert facet.pre_training[1].value == Undefined("every row is in the facet's group")
    with pytest.raises(ValueError, match="want rows with y and p, got none of 40"):
        bias.statistics(table.with_columns(y=pl.lit(None, pl.Int64)), SEX)


def test_one_outcome_alone_leaves_no_zero_in_silence() -> None:
    table = biased(40, 0.5, 1).with_columns(y=pl.lit(1), p=pl.lit(1))
    (facet,) = bias.statistics(table, SEX).facets
    values = {each.name: each.value for each in facet.post_training}
    assert (values["DPPL"], values["DI"], values["TE"]) == (0.0, 1.0, 0.0)
    text = biased(40, 0.5, 1).with_columns(age=pl.lit("old"))
    (facet,) = bias.statistics(text, SEX).facets
    flip = facet.metric("FT")
    assert flip is not None
    assert flip.value == Undefined("FT needs numbers alone, column age has other cells")


def test_a_configuration_that_is_none_names_file_and_key() -> None:
    with pytest.raises(InputError, match=r"config\.json.*facet"):
        read.bias_config(b'{"label": "y", "label_values_or_threshold": [1]}', "config.json")
    with pytest.raises(InputError, match=r"a\.json"):
        read.bias_analysis(b"{}", "a.json")
