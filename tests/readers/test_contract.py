import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core.errors import InputError
from watchkeeper.core.problems import ProblemType
from watchkeeper.core.statistics import Types
from watchkeeper.core.statistics.distances import Method, Mode
from watchkeeper.core.statistics.drift import METHODS
from watchkeeper.core.values import Column, ColumnType, Role, Schema, Undefined, Violation
from watchkeeper.monitors import data_quality, model_quality
from watchkeeper.monitors.answers import Answers
from watchkeeper.monitors.data_quality_values import (
    DataQualityConstraints,
    DatasetConstraints,
    DistributionConstraints,
    DriftRule,
    FeatureConstraints,
    MonitoringConfig,
    Range,
    Sla,
)
from watchkeeper.monitors.model_quality_values import MetricConstraint, Operator, QualityConstraints
from watchkeeper.readers import contract
from watchkeeper.render.contract import constraints_json, statistics_json, violations_json

GOLDEN = Path(__file__).parent.parent / "golden" / "model_monitor"

finite = st.floats(allow_nan=False, allow_infinity=False)
names = st.text(max_size=8)
maybe_share = st.none() | st.floats(0, 1)
features = st.builds(
    FeatureConstraints,
    name=names,
    inferred_type=st.sampled_from(list(ColumnType)),
    completeness=maybe_share,
    is_non_negative=st.none() | st.booleans(),
    domains=st.none() | st.lists(names, max_size=4).map(tuple),
    evaluate=st.booleans(),
    range=st.none() | st.builds(Range, finite, finite),
    drift=st.none() | st.builds(DriftRule, st.sampled_from(sorted(METHODS)), finite),
    sources=st.dictionaries(names, names, max_size=2).map(lambda found: tuple(found.items())),
)
datasets = st.builds(
    DatasetConstraints,
    vanished_share=maybe_share,
    duplicate_share=maybe_share,
    rows=st.none() | st.builds(Range, finite, finite),
    max_age_seconds=st.none() | finite,
    missing_hours_share=maybe_share,
)
slas = st.builds(Sla, names, names, names, names, finite, column=st.none() | names) | st.builds(
    Sla, names, names, names, at_least=finite
)
distributions = st.builds(
    DistributionConstraints,
    perform_comparison=st.booleans(),
    comparison_threshold=finite,
    comparison_method=st.sampled_from(list(Method)),
    categorical_comparison_threshold=maybe_share,
    categorical_drift_method=st.sampled_from([None, "LInfinity", "ChiSquared"]),
    mode=st.sampled_from(list(Mode)),
)
configs = st.builds(
    MonitoringConfig,
    evaluate_constraints=st.booleans(),
    emit_metrics=st.booleans(),
    datatype_check_threshold=st.floats(0, 1),
    domain_content_threshold=st.floats(0, 1),
    distribution=distributions,
    text_unseen_threshold=maybe_share,
)
cells = st.lists(st.none() | st.text(max_size=3) | finite.map(repr) | st.integers().map(str), max_size=30)


def edited(data: dict[str, Any], path: list[str | int], value: object) -> str:
    """A file with one value replaced, or taken out when the value is `...`."""
    changed = json.loads(json.dumps(data))
    *way, last = path
    place = changed
    for step in way:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return json.dumps(changed)


@given(st.lists(features, max_size=3).map(tuple), configs, datasets, st.lists(slas, max_size=2).map(tuple))
def test_constraints_come_back_as_they_were(
    found: tuple[FeatureConstraints, ...],
    config: MonitoringConfig,
    dataset: DatasetConstraints,
    promised: tuple[Sla, ...],
) -> None:
    constraints = DataQualityConstraints(found, config, dataset, promised)
    assert contract.data_quality_constraints(constraints_json(constraints), "c.json") == constraints


@given(cells, st.sampled_from(list(ColumnType)), st.sampled_from([Role.FEATURE, Role.TIME]))
def test_statistics_come_back_as_they_were(
    values: list[str | None], declared: ColumnType, role: Role
) -> None:
    schema = Schema(1, (Column("a", declared, role),))
    frame = pl.DataFrame({"a": pl.Series(values, dtype=pl.String)})
    statistics = data_quality.profile(frame, schema)
    assert contract.data_quality_statistics(statistics_json(statistics), "s.json") == statistics


@given(
    st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=1, max_size=9),
    st.integers(1, 40),
)
def test_regression_files_come_back_as_they_were(pairs: list[tuple[float, float]], times: int) -> None:
    labels, predictions = np.array(pairs * times).T
    statistics = model_quality.statistics(Answers.of_numbers(labels, predictions), seed=1)
    written = statistics_json(statistics)
    back = contract.quality_statistics(written, "s.json")
    assert statistics_json(back) == written
    assert [f.value for _, f in back.figures()][:3] == [f.value for _, f in statistics.figures()][:3]
    constraints = model_quality.suggest(statistics)
    assert contract.quality_constraints(constraints_json(constraints), "c.json") == constraints


@given(
    st.lists(
        st.builds(
            Violation,
            names,
            st.sampled_from(["data_type_check", *Operator]),
            names,
            st.none() | finite,
            st.none() | finite,
        ),
        max_size=4,
    )
)
def test_violations_come_back_as_they_were(found: list[Violation]) -> None:
    assert contract.violations(violations_json(found), "v.json") == tuple(found)


def test_the_files_of_aws_come_back_to_the_byte() -> None:
    for name, read, write in (
        ("data_quality/statistics", contract.data_quality_statistics, statistics_json),
        ("data_quality/good_cases.constraints", contract.data_quality_constraints, constraints_json),
        ("data_quality/bad_cases.constraints", contract.data_quality_constraints, constraints_json),
        ("model_quality/statistics", contract.quality_statistics, statistics_json),
        ("model_quality/bad_cases.constraints", contract.quality_constraints, constraints_json),
    ):
        data = (GOLDEN / f"{name}.json").read_bytes()
        as_written: Callable[[Any], str] = write
        assert as_written(read(data, name)).encode() == data


def test_constraints_edited_to_fail_do_fail() -> None:
    baseline = contract.data_quality_statistics(
        (GOLDEN / "data_quality/statistics.json").read_bytes(), "s.json"
    )
    edited_file = (GOLDEN / "data_quality/bad_cases.constraints.json").read_bytes()
    constraints = contract.data_quality_constraints(edited_file, "c.json")
    columns = tuple(Column(f.name, f.inferred_type, Role.FEATURE) for f in baseline.features)
    found = data_quality.check(baseline, baseline, constraints, Schema(1, columns))
    assert [(violation.subject, violation.check) for violation in found] == [("_c5", "data_type_check")]


def test_files_of_2019_are_read() -> None:
    older = GOLDEN / "older"
    constraints = contract.data_quality_constraints((older / "constraints.json").read_bytes(), "c.json")
    assert constraints.features[0] == FeatureConstraints(
        "message", ColumnType.STRING, 1.0, domains=("preproc-not-YET-supported-for-csv-json",)
    )
    assert constraints.monitoring_config == MonitoringConfig(
        distribution=DistributionConstraints(comparison_threshold=1.0)
    )
    statistics = contract.data_quality_statistics((older / "statistics.json").read_bytes(), "s.json")
    assert statistics.item_count == 418
    assert statistics.features[0].types == Types(string=418)
    violations = contract.violations((older / "constraint_violations.json").read_bytes(), "v.json")
    assert len(violations) == 7
    assert (
        violations[0].description == "Value: 0.009009009009009009 does not meet the constraint requirement! "
    )


def test_switches_and_thresholds_of_2019_are_kept() -> None:
    text = """{"features": [], "monitoring_config": {"distribution_constraints": {"enable_comparisons": false,
        "min_domain_mass": 0.5, "comparison_threshold": 0}}}"""
    assert contract.data_quality_constraints(text, "c.json").monitoring_config == MonitoringConfig(
        domain_content_threshold=0.5,
        distribution=DistributionConstraints(perform_comparison=False, comparison_threshold=0.0),
    )


def test_the_sdks_override_of_one_feature_is_read() -> None:
    text = """{"features": [{"string_constraints": {"monitoring_config_overrides": {"evaluate_constraints":
        "Disabled"}}, "inferred_type": "String", "name": "a", "whatever": {"x": [1]}}]}"""
    constraints = contract.data_quality_constraints(text, "c.json")
    assert constraints.features == (FeatureConstraints("a", ColumnType.STRING, evaluate=False),)
    assert constraints.monitoring_config == MonitoringConfig()


def test_integers_and_scientific_notation_do_for_doubles() -> None:
    text = """{"monitoring_config": {"distribution_constraints": {"comparison_method": "linf_simple",
        "comparison_threshold": 1e-1}, "datatype_check_threshold": 1}, "features": []}"""
    config = contract.data_quality_constraints(text, "c.json").monitoring_config
    assert config.datatype_check_threshold == 1.0
    assert config.distribution == DistributionConstraints(comparison_method=Method.SIMPLE)


def test_a_later_container_may_add_properties() -> None:
    text = """{"regression_constraints": {"rmse": {"comparison_operator": "GreaterThanThreshold",
        "threshold": 1, "additional_properties": null}}}"""
    assert contract.quality_constraints(text, "c.json") == QualityConstraints(
        ProblemType.REGRESSION, (MetricConstraint("rmse", 1.0, Operator.GREATER),)
    )
    figure = {"value": 1, "standard_deviation": "NaN"}
    metrics = dict.fromkeys(("r2", "rmse", "mse", "mae"), figure)
    statistics = {"dataset": {"item_count": 3}, "regression_metrics": metrics}
    read = contract.quality_statistics(json.dumps(statistics), "s.json")
    assert read.figure("mae").standard_deviation == Undefined("NaN in the file")


STATISTICS: dict[str, Any] = json.loads((GOLDEN / "data_quality/statistics.json").read_text())
CONSTRAINTS: dict[str, Any] = json.loads((GOLDEN / "data_quality/good_cases.constraints.json").read_text())


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["features"], ..., r"read s\.json, the top: want a key features, got {"),
        (["dataset", "item_count"], "9", r's\.json, dataset\.item_count: want a number, got "9"'),
        (["dataset", "item_count"], 1.5, r"dataset\.item_count: want a count, got 1\.5"),
        (
            ["features", 2, "inferred_type"],
            "Text",
            r"features\[2\]\.inferred_type: want one of Integral, .*\"Text\"",
        ),
        (["features", 0, "numerical_statistics"], ..., r"features\[0\]: want a key numerical_statistics"),
        (
            ["features", 1, "numerical_statistics", "sum"],
            True,
            r"\[1\]\.numerical_statistics\.sum: want a number",
        ),
        (
            ["features", 1, "numerical_statistics", "distribution", "kll", "sketch", "data"],
            3,
            r"want a list, got 3",
        ),
        (["features"], {}, r"features: want a list, got {}"),
    ],
)
def test_an_error_names_file_key_wanted_and_got(path: list[str | int], value: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        contract.data_quality_statistics(edited(STATISTICS, path, value), "s.json")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (
            ["monitoring_config", "emit_metrics"],
            "On",
            r"monitoring_config\.emit_metrics: want Enabled or Disabled",
        ),
        (
            ["monitoring_config", "distribution_constraints", "comparison_method"],
            "KS",
            r"want one of Simple, Robust",
        ),
        (
            ["features", 0, "drift_constraints"],
            {"method": "Entropy"},
            r"drift_constraints\.method: want one of Robust, .*ChiSquared, got \"Entropy\"",
        ),
        (
            ["slas"],
            [{"name": "a", "metric": "b", "owner": "c"}],
            r"slas\[0\]: want one of at_most and at_least",
        ),
        (["features", 0, "completeness"], "1.0", r"features\[0\]\.completeness: want a number"),
        (["features", 0], "_c0", r"features\[0\]: want a JSON object"),
    ],
)
def test_an_error_in_constraints_names_its_key(path: list[str | int], value: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        contract.data_quality_constraints(edited(CONSTRAINTS, path, value), "c.json")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"read v\.json, line 1, column 1: want JSON"),
        (b'{"violations" : [', r"line 1, column 18: want JSON"),
        (b"\xff\xfe", r"want UTF-8 text, got byte 0"),
        (b'{"violations" : NaN}', r"want JSON, got the bare word NaN"),
        (b"[" * 100_000, r"read v\.json: want JSON"),
        (b"[]", r"the top: want a JSON object, got \[\]"),
        (
            b'{"violations" : [ { "feature_name": "a" } ]}',
            r"violations\[0\]: want a key constraint_check_type",
        ),
    ],
)
def test_what_is_no_file_of_the_contract_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        contract.violations(data, "v.json")


def test_a_drift_method_without_a_threshold_has_its_own() -> None:
    text = """{"features": [{"name": "a", "inferred_type": "Integral",
        "drift_constraints": {"method": "PSI"}}]}"""
    (feature,) = contract.data_quality_constraints(text, "c.json").features
    assert feature.drift == DriftRule("PSI", METHODS["PSI"].threshold)


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match=r"time_statistics\.latest: want a time such as 2020-"):
        contract.data_quality_statistics(
            edited(
                STATISTICS,
                ["features", 0, "time_statistics"],
                {"earliest": "2020-01-01T00:00:00Z", "latest": "soon"},
            ),
            "s.json",
        )


@pytest.mark.parametrize("file", sorted(path.name for path in (GOLDEN / "older").iterdir()))
def test_every_sdk_file_is_read(file: str) -> None:
    read: dict[str, Callable[[bytes, str], object]] = {
        "statistics.json": contract.data_quality_statistics,
        "constraints.json": contract.data_quality_constraints,
        "constraint_violations.json": contract.violations,
    }
    assert read[file]((GOLDEN / "older" / file).read_bytes(), file)
