"""The contract's files, byte for byte as AWS wrote them (goldens G1, G2, G3)."""

from pathlib import Path

import polars as pl
import pytest

from watchkeeper.core.statistics.distances import Mode
from watchkeeper.core.values import Undefined, Violation
from watchkeeper.monitors import data_quality, model_quality
from watchkeeper.monitors.data_quality_values import (
    DataQualityConstraints,
    DataQualityStatistics,
    DistributionConstraints,
    MonitoringConfig,
)
from watchkeeper.monitors.model_quality_values import Figure, Operator, RegressionStatistics
from watchkeeper.render.contract import constraints_json, statistics_json, violations_json

GOLDEN = Path(__file__).parent.parent / "golden" / "model_monitor"


def cells() -> pl.DataFrame:
    frame = pl.read_csv(
        GOLDEN / "data_quality" / "baseline_dataset.csv", has_header=False, infer_schema=False
    )
    return frame.rename({name: f"_c{number}" for number, name in enumerate(frame.columns)})


def regression() -> RegressionStatistics:
    frame = pl.read_csv(GOLDEN / "model_quality" / "baseline_dataset.csv")
    labels, predictions = (frame[name].cast(pl.Float64).to_numpy() for name in ("Prediction", "Label"))
    return model_quality.statistics(labels, predictions, seed=0)


def test_data_quality_statistics_are_those_of_aws_to_the_byte() -> None:
    frame = cells()
    statistics = data_quality.profile(frame, data_quality.inferred_schema(frame))
    assert statistics_json(statistics).encode() == (GOLDEN / "data_quality" / "statistics.json").read_bytes()


def test_data_quality_constraints_are_those_of_aws_to_the_byte() -> None:
    frame = cells()
    schema = data_quality.inferred_schema(frame)
    constraints = data_quality.suggest(data_quality.profile(frame, schema), schema)
    expected = (GOLDEN / "data_quality" / "good_cases.constraints.json").read_bytes()
    assert constraints_json(constraints).encode() == expected


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


def test_undefined_figures_are_the_text_nan() -> None:
    figure = Figure(Undefined("the labels do not vary"), Undefined("fewer than 200 rows"))
    written = statistics_json(RegressionStatistics(3, figure, figure, figure, figure, "2020-02-01T00:00:00Z"))
    assert written.count('"NaN"') == 8
    assert '"evaluation_time" : "2020-02-01T00:00:00Z"' in written


def test_no_file_can_hold_a_number_that_is_none() -> None:
    figure = Figure(float("nan"), 0.0)
    with pytest.raises(ValueError, match="want a finite one"):
        statistics_json(RegressionStatistics(3, figure, figure, figure, figure))


def test_a_data_set_without_columns_has_an_empty_list() -> None:
    assert statistics_json(DataQualityStatistics(0, ())).endswith('"features" : [ ]\n}')
