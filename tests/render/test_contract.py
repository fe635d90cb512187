"""The contract's files, byte for byte as AWS wrote them (goldens G1, G2, G3)."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from watchkeeper.core.problems import ProblemType
from watchkeeper.core.statistics.distances import Mode
from watchkeeper.core.values import ColumnType, Undefined, Violation
from watchkeeper.monitors import data_quality, model_quality
from watchkeeper.monitors.answers import Answers
from watchkeeper.monitors.data_quality_values import (
    Circumstances,
    DataQualityConstraints,
    DataQualityStatistics,
    DatasetConstraints,
    DistributionConstraints,
    DriftRule,
    FeatureConstraints,
    MonitoringConfig,
    Range,
    Sla,
    StringStatistics,
    TimeStatistics,
)
from watchkeeper.monitors.model_quality_values import Figure, Operator, QualityStatistics
from watchkeeper.render.contract import constraints_json, statistics_json, violations_json

GOLDEN = Path(__file__).parent.parent / "golden" / "model_monitor"


def cells() -> pl.DataFrame:
    frame = pl.read_csv(
        GOLDEN / "data_quality" / "baseline_dataset.csv", has_header=False, infer_schema=False
    )
    return frame.rename({name: f"_c{number}" for number, name in enumerate(frame.columns)})


def regression() -> QualityStatistics:
    frame = pl.read_csv(GOLDEN / "model_quality" / "baseline_dataset.csv")
    labels, predictions = (frame[name].cast(pl.Float64).to_numpy() for name in ("Prediction", "Label"))
    return model_quality.statistics(Answers.of_numbers(labels, predictions), seed=0)


def test_data_quality_statistics_are_those_of_aws_to_the_byte() -> None:
    frame = cells()
    statistics = data_quality.profile(frame, data_quality.inferred_schema(frame), Mode.COMPATIBLE)
    expected = (GOLDEN / "data_quality" / "statistics.json").read_bytes()
    assert statistics_json(statistics, Mode.COMPATIBLE).encode() == expected


def test_data_quality_constraints_are_those_of_aws_to_the_byte() -> None:
    frame = cells()
    schema = data_quality.inferred_schema(frame)
    statistics = data_quality.profile(frame, schema, Mode.COMPATIBLE)
    constraints = data_quality.suggest(statistics, schema, given=Circumstances(Mode.COMPATIBLE))
    expected = (GOLDEN / "data_quality" / "good_cases.constraints.json").read_bytes()
    assert constraints_json(constraints, Mode.COMPATIBLE).encode() == expected


def test_correct_mode_writes_the_same_files_and_keys_of_ours_besides() -> None:
    frame = cells()
    schema = data_quality.inferred_schema(frame)
    statistics = data_quality.profile(frame, schema)
    constraints = data_quality.suggest(statistics, schema)
    for name, written in (
        ("statistics", statistics_json(statistics)),
        ("good_cases.constraints", constraints_json(constraints)),
    ):
        theirs = json.loads((GOLDEN / "data_quality" / f"{name}.json").read_bytes())
        ours = json.loads(written)
        assert without_ours(ours, theirs) == without_ours(theirs, theirs)
        assert name == "statistics" or ours != theirs


def without_ours(ours: Any, theirs: Any) -> Any:
    """What a contract reader sees of a file: keys it knows, figures to 12 digits."""
    if isinstance(theirs, dict):
        return {name: without_ours(ours[name], value) for name, value in theirs.items()}
    if isinstance(theirs, list):
        return [without_ours(each, like) for each, like in zip(ours, theirs, strict=True)]
    return float(f"{ours:.12g}") if isinstance(ours, float) else ours


def test_in_compatible_mode_no_file_has_a_key_of_ours() -> None:
    config = MonitoringConfig(
        distribution=DistributionConstraints(mode=Mode.COMPATIBLE), text_unseen_threshold=0.1
    )
    feature = FeatureConstraints(
        "a",
        ColumnType.INTEGRAL,
        range=Range(0, 1),
        drift=DriftRule("PSI", 0.1),
        sources=(("completeness", "x"),),
    )
    slas = (Sla("s", "data_quality_completeness_ratio", "mlops", at_least=0.9),)
    asked = DataQualityConstraints((feature,), config, DatasetConstraints(vanished_share=0.1), slas)
    bare = DataQualityConstraints((FeatureConstraints("a", ColumnType.INTEGRAL),), MonitoringConfig())
    assert constraints_json(asked, Mode.COMPATIBLE) == constraints_json(bare, Mode.COMPATIBLE)
    frame = pl.DataFrame({"mixed": ["-1", "x"], "pure": ["-1", "2"]})
    found = data_quality.profile(frame, data_quality.inferred_schema(frame))
    mixed, pure = found.features
    assert pure.numerical is not None
    moment = datetime(2020, 1, 1, tzinfo=UTC)
    mixed = replace(mixed, time=TimeStatistics(moment, moment), string=StringStatistics(2.0, (("x", 1),), 1))
    pure = replace(pure, numerical=replace(pure.numerical, num_negative=1))
    statistics = DataQualityStatistics(2, (mixed, pure))
    for key in ("type_counts", "num_negative", "time_statistics", "count_error"):
        assert key in statistics_json(statistics)
        assert key not in statistics_json(statistics, Mode.COMPATIBLE)
    violations = [Violation("a", "completeness_check", "b", 0.5, 0.9)]
    assert '"threshold" : 0.9' in violations_json(violations)
    assert "threshold" not in violations_json(violations, Mode.COMPATIBLE)


def test_model_quality_files_are_those_of_aws_to_the_byte() -> None:
    folder = GOLDEN / "model_quality"
    assert statistics_json(regression()).encode() == (folder / "statistics.json").read_bytes()
    constraints = model_quality.suggest(regression())
    assert constraints_json(constraints).encode() == (folder / "good_cases.constraints.json").read_bytes()


def test_violations_of_features_and_of_metrics() -> None:
    feature = Violation("age_range", "completeness_check", 'Only "96.875%".')
    metric = Violation("f2", Operator.LESS.value, "Metric f2")
    assert violations_json([feature, metric]) == (
        '{\n  "violations" : [ {\n    "feature_name" : "age_range",\n'
        '    "constraint_check_type" : "completeness_check",\n'
        '    "description" : "Only \\"96.875%\\"."\n  }, {\n'
        '    "constraint_check_type" : "LessThanThreshold",\n    "description" : "Metric f2",\n'
        '    "metric_name" : "f2"\n  } ]\n}'
    )
    assert violations_json([]) == '{\n  "violations" : [ ]\n}'


def test_text_stays_as_it_is_but_for_what_json_must_escape() -> None:
    assert r'"description" : "R² ≥ 0.9\n\"a\\b\""' in violations_json(
        [Violation("a", "b", 'R² ≥ 0.9\n"a\\b"')]
    )


def test_a_column_of_several_classes_says_how_many_of_each() -> None:
    frame = pl.DataFrame({"pure": ["1", "2"], "mixed": ["1", "x"]})
    written = statistics_json(data_quality.profile(frame, data_quality.inferred_schema(frame)))
    assert written.count("type_counts") == 1
    counts = '"Integral" : 1,\n      "Fractional" : 0,\n      "Boolean" : 0,\n      "String" : 1\n    }'
    assert counts in written


def test_keys_of_ours_are_written_only_when_they_say_something() -> None:
    config = MonitoringConfig(
        distribution=DistributionConstraints(mode=Mode.COMPATIBLE, comparison_threshold=0.00001),
        text_unseen_threshold=1,
    )
    written = constraints_json(DataQualityConstraints((), config))
    assert '"features" : [ ]' in written
    assert '"comparison_threshold" : 1.0E-5,' in written
    assert '"distance_mode" : "compatible"\n    },\n    "text_unseen_threshold" : 1.0\n  }' in written


def of_regression(figure: Figure, time: str | None = None) -> QualityStatistics:
    return QualityStatistics(
        ProblemType.REGRESSION, 3, tuple((name, figure) for name in ("mae", "mse", "rmse", "r2")), time
    )


def test_undefined_figures_are_the_text_nan() -> None:
    figure = Figure(Undefined("the labels do not vary"), Undefined("fewer than 200 rows"))
    written = statistics_json(of_regression(figure, "2020-02-01T00:00:00Z"))
    assert written.count('"NaN"') == 8
    assert '"evaluation_time" : "2020-02-01T00:00:00Z"' in written


def test_no_file_can_hold_a_number_that_is_none() -> None:
    figure = Figure(float("nan"), 0.0)
    with pytest.raises(ValueError, match="want a finite one"):
        statistics_json(of_regression(figure))


def test_a_data_set_without_columns_has_an_empty_list() -> None:
    assert statistics_json(DataQualityStatistics(0, ())).endswith('"features" : [ ]\n}')
