"""Model quality of a regression in the container (contract 6, 8)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.containers import (
    CAPTURES,
    CONSTRAINTS,
    DATASET,
    GOLDEN,
    MERGED,
    PREPROCESSOR,
    Container,
    container,
    merged,
)

__all__ = ["container"]

CLEAN = "Completed: Job completed successfully with no violations."
QUALITY = {"analysis_type": "MODEL_QUALITY", "problem_type": "Regression"}
FILES = GOLDEN / "model_quality"


def baseline(container: Container, **variables: str) -> str:
    """Golden G3: the run took `Label` for the prediction and `Prediction` for the truth."""
    container.put(f"{DATASET}/baseline.csv", (FILES / "baseline_dataset.csv").read_bytes())
    given = {"inference_attribute": "Label", "ground_truth_attribute": "Prediction"}
    return container.run(
        dataset_format='{"csv": {"header": true, "output_columns_position": "START"}}',
        dataset_source=DATASET,
        **{**QUALITY, **given, **variables},
    )


def quality(container: Container, lines: list[str], **variables: str) -> str:
    container.captures(lines)
    given = {"dataset_format": MERGED, "baseline_statistics": "", "inference_attribute": "0"}
    return container.monitor(**{**given, **QUALITY, **variables})


def figures(container: Container) -> dict[str, float]:
    found = json.loads(container.output("statistics.json"))["regression_metrics"]
    return {name: each["value"] for name, each in found.items()}


def test_a_baseline_of_g3_is_aws_own_files_to_the_byte(container: Container) -> None:
    assert baseline(container) == CLEAN, container.said
    assert container.output("statistics.json") == (FILES / "statistics.json").read_bytes()
    assert container.output("constraints.json") == (FILES / "good_cases.constraints.json").read_bytes()


def test_aws_own_edited_constraints_are_broken_once(container: Container) -> None:
    container.put(CONSTRAINTS, (FILES / "bad_cases.constraints.json").read_bytes())
    message = baseline(container, baseline_constraints=CONSTRAINTS)
    assert message == "CompletedWithViolations: Job completed successfully with 1 violations."
    (violation,) = json.loads(container.output("constraint_violations.json"))["violations"]
    assert violation["metric_name"] == "mse"
    assert violation["constraint_check_type"] == "GreaterThanThreshold"


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("score", '{"score": 2.5}'),
        ("$.score", '{"score": 2.5}'),
        ("predictions[0].score", '{"predictions": [{"score": 2.5}]}'),
        ("predictions[*].score", '{"predictions": [{"score": 2.5}]}'),
        ("score", '{"predictions": [{"score": 2.5}]}'),
        ("[0]", "[2.5, 7]"),
        ("a['b']", '{"a": {"b": 2.5}}'),
    ],
)
def test_the_prediction_is_found_by_its_path(container: Container, path: str, answer: str) -> None:
    lines = [merged(answer, "2.0", "JSON"), merged(answer, "1.5", "JSON")]
    assert quality(container, lines, inference_attribute=path, baseline_constraints="") == CLEAN, (
        container.said
    )
    assert figures(container)["mae"] == 0.75


def test_merged_csv_takes_the_output_by_index_row_by_row(container: Container) -> None:
    lines = [merged("9,2.5\n9,3.5\n", '{"instances":[{"label":2.0},{"label":3.0}]}', label_encoding="JSON")]
    assert quality(container, lines, inference_attribute="1", baseline_constraints="") == CLEAN, (
        container.said
    )
    assert (figures(container)["mae"], container.item_count()) == (0.5, 2)


def test_a_run_with_violations_and_its_metrics(container: Container) -> None:
    lines = [merged(str(row), str(row + 1)) for row in range(40)]
    assert quality(container, lines, baseline_constraints="") == CLEAN
    container.put(CONSTRAINTS, container.output("constraints.json"))
    worse = [merged(str(row), str(row + 2)) for row in range(40)]
    message = quality(container, worse)
    assert message == "CompletedWithViolations: Job completed successfully with 4 violations."
    found = json.loads(container.output("constraint_violations.json"))["violations"]
    assert found[0] == {
        "constraint_check_type": "GreaterThanThreshold",
        "description": "Metric mae with 2.0 +/- NaN was GreaterThanThreshold '1.0'",
        "metric_name": "mae",
    }
    lines_ = container.metrics()
    assert [(each["MetricName"], each["Value"]) for each in lines_][:3] == [
        ("mae", 2.0),
        ("mse", 4.0),
        ("rmse", 2.0),
    ]


def test_a_row_without_a_number_is_left_out_and_said(container: Container) -> None:
    lines = [*[merged(str(row), str(row)) for row in range(5)], merged("high", "1"), merged("1", "2,3")]
    assert quality(container, lines, baseline_constraints="") == CLEAN
    assert container.item_count() == 5
    assert "2 rows that cannot be used, the first " in container.said.out
    assert "want the prediction to be a number, got 'high'" in container.said.out


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([merged("1", "2", "BASE64")], "want an output in CSV or JSON, got BASE64"),
        ([merged("1", "2\n3")], "want a label for each of 1 predictions, got 2"),
        ([merged('{"a": 1}', "2", "JSON")], 'want a value at the path "0" of the output, got none'),
    ],
)
def test_when_no_row_can_be_used_the_first_says_why(
    container: Container, lines: list[str], words: str
) -> None:
    message = quality(container, lines, baseline_constraints="")
    assert message.startswith("Job inputs had no data: none of 1 rows can be used, the first is ")
    assert words in message


def test_a_column_that_is_not_there_is_named(container: Container) -> None:
    message = baseline(container, inference_attribute="score")
    assert 'want the column "score" of inference_attribute, got F1, F2' in message


def test_a_preprocessor_gives_both_columns(container: Container) -> None:
    script = """
def preprocess_handler(record):
    return {"p": record.endpoint_output.data, "label": record.ground_truth.data}
"""
    place = container.put(PREPROCESSOR, script)
    lines = [merged(str(row), str(row + 1)) for row in range(10)]
    message = quality(
        container,
        lines,
        inference_attribute="p",
        baseline_constraints="",
        record_preprocessor_script=place,
    )
    assert (message, figures(container)["mae"]) == (CLEAN, 1.0)


def test_hours_beside_the_window_are_left_out(container: Container) -> None:
    folder = Path(container.path(f"{CAPTURES}/endpoint_0/AllTraffic/2020/02/01/09"))
    folder.mkdir(parents=True)
    (folder / "part-00000.jsonl").write_text(merged("1", "100") + "\n")
    assert quality(container, [merged("1", "1"), merged("2", "3")], baseline_constraints="") == CLEAN
    assert container.item_count() == 2


BINARY = {"problem_type": "BinaryClassification"}


def test_a_binary_baseline_is_judged_by_label_and_probability(container: Container) -> None:
    rows = [f"0.{number % 10}5,{int(number % 10 > 4)},{int(number % 7 > 3)}" for number in range(300)]
    container.put(f"{DATASET}/baseline.csv", "\n".join(["probability,prediction,label", *rows]).encode())
    given = {"inference_attribute": "prediction", "probability_attribute": "probability"}
    message = container.run(
        dataset_format='{"csv": {"header": true}}',
        dataset_source=DATASET,
        ground_truth_attribute="label",
        **{**QUALITY, **BINARY, **given},
    )
    assert message == CLEAN, container.said
    found = json.loads(container.output("statistics.json"))["binary_classification_metrics"]
    table = found["confusion_matrix"]
    assert sum(table[actual][given] for actual in "01" for given in "01") == 300
    assert found["accuracy"]["value"] == (table["0"]["0"] + table["1"]["1"]) / 300
    assert 0.4 < found["auc"]["value"] < 0.6
    assert isinstance(found["auc"]["standard_deviation"], float)
    asked = json.loads(container.output("constraints.json"))["binary_classification_constraints"]
    assert asked["false_positive_rate"]["comparison_operator"] == "GreaterThanThreshold"


def test_a_probability_alone_says_the_class(container: Container) -> None:
    lines = [merged(f"0.{tenth}", str(int(tenth > 6))) for tenth in range(1, 10)]
    given = {"inference_attribute": "", "probability_attribute": "0", "baseline_constraints": ""}
    assert quality(container, lines, **BINARY, **given) == CLEAN, container.said
    found = json.loads(container.output("statistics.json"))["binary_classification_metrics"]
    assert (found["auc"]["value"], found["precision"]["value"]) == (1.0, 0.75)
    given["probability_threshold_attribute"] = "0.6"
    assert quality(container, lines, **BINARY, **given) == CLEAN, container.said
    found = json.loads(container.output("statistics.json"))["binary_classification_metrics"]
    assert found["precision"]["value"] == 1.0


def test_several_classes_in_json_and_a_worse_run(container: Container) -> None:
    problem = {"problem_type": "MulticlassClassification", "inference_attribute": "class"}
    names = ["cat", "dog", "bird"]
    lines = [merged(json.dumps({"class": name}), name, "JSON") for name in names * 5]
    assert quality(container, lines, baseline_constraints="", **problem) == CLEAN, container.said
    container.put(CONSTRAINTS, container.output("constraints.json"))
    worse = [merged(json.dumps({"class": "cat"}), name, "JSON") for name in names * 5]
    message = quality(container, worse, **problem)
    assert message == "CompletedWithViolations: Job completed successfully with 6 violations."
    found = json.loads(container.output("constraint_violations.json"))["violations"]
    assert {each["constraint_check_type"] for each in found} == {"LessThanThreshold"}


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"inference_attribute": ""}, "inference_attribute"),
        (
            {"probability_attribute": "0", "probability_threshold_attribute": "2"},
            "want a number from 0 to 1, got '2'",
        ),
        ({"probability_attribute": "0"}, "want probabilities from 0 to 1, got 1 others such as 7.0"),
    ],
)
def test_settings_and_rows_that_are_no_binary_classification(
    container: Container, variables: dict[str, str], said: str
) -> None:
    message = quality(container, [merged("7", "1")], baseline_constraints="", **BINARY, **variables)
    assert said in message
