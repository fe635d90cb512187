"""The variables of a container's job, in every spelling there is (contract 8.3, 8.4)."""

from __future__ import annotations

from pathlib import Path

import pytest

from watchkeeper.app.container.settings import DatasetFormat, Environment, Format, dataset_format, read_job
from watchkeeper.core.errors import InputError
from watchkeeper.core.statistics.distances import Mode

SIDES = ("endpointInput", "endpointOutput")
NEEDED = {"dataset_source": "/opt/ml/processing/input", "dataset_format": '{"csv": {}}'}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            '{"csv": {"header": true, "output_columns_position": "START"}}',
            DatasetFormat(Format.CSV, True, False),
        ),
        ('{"csv":{"header":"true"}}', DatasetFormat(Format.CSV, True, False)),
        ('{"csv":{"header":"false"}}', DatasetFormat(Format.CSV, False, False)),
        ('{"Csv":{"Header":true}}', DatasetFormat(Format.CSV, True, False)),
        ('{"csv": {"output_columns_position": "END"}}', DatasetFormat(Format.CSV, False, False, (), False)),
        ('{"json": {"lines": true}}', DatasetFormat(Format.JSON, False, True)),
        ('{"json":{"line":"true"}}', DatasetFormat(Format.JSON, False, True)),
        ('{"Json":{"Line":false}}', DatasetFormat(Format.JSON, False, False)),
        ('{"json": {}}', DatasetFormat(Format.JSON, False, False)),
        ('{"parquet":{}}', DatasetFormat(Format.PARQUET, False, False)),
        ('{"Parquet":null}', DatasetFormat(Format.PARQUET, False, False)),
        ('{"sagemakerCaptureJson": {}}', DatasetFormat(Format.CAPTURE, False, False)),
        (
            '{"sagemakerCaptureJson":{"captureIndexNames":["endpointInput","endpointOutput"]}}',
            DatasetFormat(Format.CAPTURE, False, False, SIDES),
        ),
        (
            '{"sagemakerMergeJson":{"captureIndexNames":["endpointOutput"]}}',
            DatasetFormat(Format.MERGED, False, False, SIDES[1:]),
        ),
    ],
)
def test_a_format_is_read_in_each_spelling(text: str, wanted: DatasetFormat) -> None:
    assert dataset_format(Environment({"dataset_format": text})) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "csv",
        "[]",
        "{}",
        '{"csv": {}, "json": {}}',
        '{"avro": {}}',
        '{"csv": true}',
        '{"csv": {"header": "perhaps"}}',
        '{"csv": {"output_columns_position": "MIDDLE"}}',
        '{"sagemakerCaptureJson": {"captureIndexNames": ["endpoint"]}}',
    ],
)
def test_another_format_is_an_error_that_names_the_variable(text: str) -> None:
    with pytest.raises(InputError, match=r"^read the variable dataset_format: want "):
        read_job({**NEEDED, "dataset_format": text})


def test_what_is_not_said_is_as_in_the_contract() -> None:
    job = read_job(NEEDED)
    assert (job.mode, job.window, job.baselining, job.quality) == (Mode.CORRECT, None, True, None)
    assert job.output == Path("/opt/ml/processing/output")
    assert (job.metrics.publish, job.time_limit, job.preprocessor, job.drift_method) == (
        False,
        600.0,
        None,
        None,
    )


def test_paths_of_the_service_lie_below_the_root_and_others_stay() -> None:
    given = {
        **NEEDED,
        "baseline_constraints": "/opt/ml/processing/c.json",
        "baseline_statistics": "/data/s.json",
    }
    job = read_job(given, Path("/tmp/ml"))  # noqa: S108 - nothing is written there
    assert job.source == Path("/tmp/ml/processing/input")  # noqa: S108 - likewise
    assert (job.constraints, job.statistics) == (
        Path("/tmp/ml/processing/c.json"),  # noqa: S108 - likewise
        Path("/data/s.json"),
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("start_time", "yesterday"),
        ("metric_time", "2020-02-01"),
        ("publish_cloudwatch_metrics", "yes"),
        ("analysis_type", "BIAS"),
        ("categorical_drift_method", "Euclid"),
        ("WATCHKEEPER_MODE", "both"),
        ("WATCHKEEPER_SCRIPT_TIME_LIMIT", "-1"),
        ("WATCHKEEPER_SCRIPT_TIME_LIMIT", "soon"),
    ],
)
def test_a_value_that_cannot_be_used_names_its_variable(name: str, value: str) -> None:
    with pytest.raises(InputError, match=f"^read the variable {name}: want .* got '{value}'$"):
        read_job({**NEEDED, name: value})


def test_a_window_ends_after_it_starts() -> None:
    with pytest.raises(InputError, match=r"^read the variable end_time: want a time after start_time"):
        read_job({**NEEDED, "start_time": "2020-02-01T01:00:00Z", "end_time": "2020-02-01T01:00:00Z"})


@pytest.mark.parametrize("missing", ["problem_type", "inference_attribute"])
def test_model_quality_wants_its_variables(missing: str) -> None:
    given = {"analysis_type": "MODEL_QUALITY", "problem_type": "Regression", "inference_attribute": "0"}
    with pytest.raises(InputError, match=f"^read the variable {missing}: want "):
        read_job({**NEEDED, **given, missing: ""})


@pytest.mark.parametrize(
    ("problem", "given", "read"),
    [
        ("BinaryClassification", {"inference_attribute": "0"}, ("0", "", 0.5)),
        ("BinaryClassification", {"probability_attribute": "1"}, ("", "1", 0.5)),
        (
            "BinaryClassification",
            {"probability_attribute": "1", "probability_threshold_attribute": "0.7"},
            ("", "1", 0.7),
        ),
        (
            "MulticlassClassification",
            {"inference_attribute": "0", "probability_attribute": "1"},
            ("0", "", 0.5),
        ),
    ],
)
def test_a_binary_job_needs_the_class_or_the_probability(
    problem: str, given: dict[str, str], read: tuple[str, str, float]
) -> None:
    quality = read_job({**NEEDED, "analysis_type": "MODEL_QUALITY", "problem_type": problem, **given}).quality
    assert quality is not None
    assert (quality.problem, quality.inference, quality.probability, quality.threshold) == (problem, *read)
