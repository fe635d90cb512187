"""The container's entry point, on folders laid out as the service mounts them (contract 8, 9, Appendix B)."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from tests.aws.doubles import Doubles
from tests.cli.containers import (
    CAPTURE,
    CAPTURES,
    COMPATIBLE,
    CONSTRAINTS,
    DATASET,
    GOLDEN,
    Container,
    captured,
    container,
)
from tests.shared import shared
from watchkeeper.app.container.run import BEGUN, shortened
from watchkeeper.cli.analyze import StopSignals
from watchkeeper.core.errors import Interrupted

__all__ = ["container"]

CLEAN = "Completed: Job completed successfully with no violations."
NO_DATA = "Job inputs had no data"
SMALL = "target,a,b\n" + "".join(f"{0.5 + row / 1000},{row % 9},{row % 7}.5\n" for row in range(300))


def small(container: Container, **variables: Any) -> None:
    container.put(f"{DATASET}/baseline.csv", SMALL)
    assert container.baseline(**variables) == CLEAN


def small_records(rows: int = 300, time: str = "2020-02-01T10:00:00Z") -> list[str]:
    return [captured(f"{row % 9},{row % 7}.5", f"{0.5 + row / 1000}", time) for row in range(rows)]


def test_a_baseline_of_g1_is_aws_own_files_to_the_byte(container: Container) -> None:
    data = GOLDEN / "data_quality"
    container.put(f"{DATASET}/baseline_dataset.csv", (data / "baseline_dataset.csv").read_bytes())
    message = container.run(dataset_format='{"csv": {"header": false}}', dataset_source=DATASET, **COMPATIBLE)
    assert (container.said.code, message) == (0, CLEAN)
    assert container.outputs() == ["constraints.json", "statistics.json"]
    assert container.output("statistics.json") == (data / "statistics.json").read_bytes()
    assert container.output("constraints.json") == (data / "good_cases.constraints.json").read_bytes()
    assert container.metrics() == []


def test_a_batch_run_against_aws_own_edited_constraints(container: Container) -> None:
    data = GOLDEN / "data_quality"
    container.put(f"{CAPTURES}/2020/02/01/10/part.csv", (data / "baseline_dataset.csv").read_bytes())
    container.put(
        "/opt/ml/processing/baseline/stats/statistics.json", (data / "statistics.json").read_bytes()
    )
    container.put(CONSTRAINTS, (data / "bad_cases.constraints.json").read_bytes())
    message = container.monitor(dataset_format='{"csv":{"header":"false"}}', **COMPATIBLE)
    assert message == "CompletedWithViolations: Job completed successfully with 1 violations."
    ((column, check, _),) = container.violations()
    assert (column, check) == ("_c5", "data_type_check")


def g6(container: Container) -> None:
    """2,333 rows of 68 Integral columns and a label; 7 of 1,977 requests with fractions in 59 of them."""
    names = ["Churn", *(f"f{n}" for n in range(68))]
    rows = [[str(row % 2), *[str(row % 9)] * 68] for row in range(2333)]
    text = "\n".join(",".join(row) for row in [names, *rows])
    container.put(f"{DATASET}/training.csv", text + "\n")
    container.baseline(**COMPATIBLE)
    asked = [
        [*(["0.5"] * 59 if row < 7 else [str(row % 9)] * 59), *[str(row % 9)] * 9] for row in range(1977)
    ]
    container.captures(
        [captured(",".join(cells), repr(0.01 + row / 2000)) for row, cells in enumerate(asked)]
    )


def test_g6_ends_with_the_sixty_violations_of_the_contract(container: Container) -> None:
    g6(container)
    message = container.monitor(**COMPATIBLE)
    assert container.said.code == 0
    assert message == "CompletedWithViolations: Job completed successfully with 60 violations."
    head = "Data type match requirement is not met. Expected data type: Integral, Expected match: 100.0%. "
    share = f"{head}Observed: Only 99.64592817400101% of data is Integral."
    wrong = [("Churn", "data_type_check", f"{head}Observed: Only 0.0% of data is Integral.")]
    wrong += [(f"f{n}", "data_type_check", share) for n in range(59)]
    assert container.violations() == sorted(wrong)
    first = (
        '{\n  "violations" : [ {\n    "feature_name" : "Churn",\n    "constraint_check_type" : "data_type_'
    )
    assert container.output("constraint_violations.json").decode().startswith(first)
    assert not container.output("constraint_violations.json").endswith(b"\n")
    assert container.outputs() == ["constraint_violations.json", "constraints.json", "statistics.json"]


MESSAGE, METRICS = "output/message", "output/metrics/cloudwatch/cloudwatch_metrics.jsonl"
FILES = ("processing/output/constraints.json", "processing/output/statistics.json")
VIOLATIONS = "processing/output/constraint_violations.json"


@pytest.mark.parametrize("mode", ["compatible", "correct"])
def test_a_baseline_leaves_its_two_files_and_the_message_and_nothing_more(
    container: Container, mode: str
) -> None:
    container.put(f"{DATASET}/baseline.csv", SMALL)
    given = everything(container)
    of_csv = '{"csv": {"header": true, "output_columns_position": "START"}}'
    run = {"dataset_format": of_csv, "dataset_source": DATASET, "publish_cloudwatch_metrics": "Disabled"}
    assert container.run(**run, WATCHKEEPER_MODE=mode) == CLEAN
    assert everything(container) - given == {*FILES, MESSAGE}
    assert container.path("/opt/ml/output/message").read_bytes() == CLEAN.encode()


@pytest.mark.parametrize("mode", ["compatible", "correct"])
@pytest.mark.parametrize("broken", [False, True])
@pytest.mark.parametrize("published", [False, True])
def test_a_run_leaves_the_contracts_files_and_the_message_and_nothing_more(
    container: Container, mode: str, broken: bool, published: bool
) -> None:
    small(container, WATCHKEEPER_MODE=mode)
    container.path("/opt/ml/output/message").unlink()
    bad_line = "{not json"
    container.captures([*small_records(), bad_line, *([captured("x,1.5", "0.5")] if broken else [])])
    given = everything(container)
    publish = "Enabled" if published else "Disabled"
    message = container.monitor(WATCHKEEPER_MODE=mode, publish_cloudwatch_metrics=publish)
    assert container.said.code == 0
    left = {*FILES, MESSAGE, *([VIOLATIONS] if broken else []), *([METRICS] if published else [])}
    assert everything(container) - given == left
    if not broken:
        assert message == CLEAN
        return
    count = len(container.violations())
    assert message == f"CompletedWithViolations: Job completed successfully with {count} violations."
    assert ("a", "data_type_check") in {each[:2] for each in container.violations()}


def everything(container: Container) -> set[str]:
    """Every file below the service's folder, hidden ones too."""
    root = container.path("/opt/ml")
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def test_captures_take_the_baselines_names_by_position_outputs_first(container: Container) -> None:
    small(container)
    container.captures(small_records())
    assert container.monitor() == CLEAN, container.said
    assert container.features() == ["target", "a", "b"]


def test_outputs_are_the_last_columns_where_the_format_says_so(container: Container) -> None:
    container.put(f"{DATASET}/baseline.csv", "a,target\n" + "".join(f"{n % 9},{n / 7}\n" for n in range(300)))
    container.baseline()
    container.captures([captured(str(n % 9), repr(n / 7)) for n in range(300)])
    where = '{"sagemakerCaptureJson":{"output_columns_position":"END"}}'
    assert container.monitor(dataset_format=where) == CLEAN, container.said
    assert container.features() == ["a", "target"]


def test_a_run_in_correct_mode_sees_what_the_closed_analyzer_cannot(container: Container) -> None:
    """A flag that was always 0 and is 1 now."""
    container.put(f"{DATASET}/baseline.csv", "y,flag\n" + "0.5,0\n0.25,0\n" * 150)
    container.baseline()
    container.captures([captured("1", "0.5"), captured("1", "0.25")] * 150)
    assert container.monitor(**COMPATIBLE) == CLEAN
    message = container.monitor()
    assert message.startswith("CompletedWithViolations: Job completed successfully with ")
    assert ("flag", "baseline_drift_check") in {each[:2] for each in container.violations()}


def test_a_clean_run_takes_away_an_earlier_violations_file(container: Container) -> None:
    small(container)
    container.captures(small_records())
    container.put("/opt/ml/processing/output/constraint_violations.json", '{ "violations" : [ ] }')
    assert container.monitor() == CLEAN
    assert container.outputs() == ["constraints.json", "statistics.json"]


def test_metrics_are_written_when_both_switches_are_on(container: Container) -> None:
    small(container)
    container.captures(small_records())
    container.monitor()
    found = {each["MetricName"]: each for each in container.metrics()}
    of = ("target", "a", "b")
    kinds = ("feature_data_", "feature_non_null_", "feature_baseline_drift_")
    assert found.keys() == {kind + name for kind in kinds for name in of}
    assert found["feature_data_a"] == {
        "MetricName": "feature_data_a",
        "Timestamp": "2020-02-01T10:00:00Z",
        "Dimensions": [
            {"Name": "Endpoint", "Value": "endpoint_0"},
            {"Name": "MonitoringSchedule", "Value": "schedule_0"},
        ],
        "StatisticValues": {
            "SampleCount": 300.0,
            "Sum": float(sum(row % 9 for row in range(300))),
            "Minimum": 0.0,
            "Maximum": 8.0,
        },
        "Unit": "None",
    }
    assert found["feature_baseline_drift_a"]["Value"] == 0.0


@pytest.mark.parametrize("switch", ["publish_cloudwatch_metrics", "emit_metrics"])
def test_metrics_are_not_written_when_a_switch_is_off(container: Container, switch: str) -> None:
    small(container)
    container.captures(small_records())
    off = {"publish_cloudwatch_metrics": "Disabled"} if switch == "publish_cloudwatch_metrics" else {}
    if not off:
        text = container.path(CONSTRAINTS).read_text()
        container.put(CONSTRAINTS, text.replace('"emit_metrics" : "Enabled"', '"emit_metrics" : "Disabled"'))
    assert container.monitor(**off) == CLEAN
    assert container.metrics() == []


def test_metric_time_is_the_metrics_time(container: Container) -> None:
    small(container)
    container.captures(small_records())
    container.monitor(metric_time="2020-02-01T09:00: 00Z")
    assert {each["Timestamp"] for each in container.metrics()} == {"2020-02-01T09:00:00Z"}


def test_only_records_of_the_window_count_though_more_hours_are_on_disk(container: Container) -> None:
    small(container)
    container.captures(small_records())
    wrong = captured("x,y", "z", "2020-02-01T09:59:59Z")
    container.captures([wrong] * 5, hour=9)
    container.captures([captured("x,y", "z", "2020-02-01T11:00:00Z"), *small_records(1)], hour=11)
    container.captures([captured("x,y", "z", "2020-02-01T23:00:00Z")] * 5, hour=23)
    assert container.monitor() == CLEAN
    assert container.item_count() == 301  # one late record lies in the next hour's folder


def test_batch_files_without_times_count_by_their_folder(container: Container) -> None:
    small(container)
    for hour in (9, 10, 11):
        container.put(f"{CAPTURES}/2020/02/01/{hour:02d}/part.csv", SMALL)
    assert container.monitor(dataset_format='{"Csv":{"Header":true}}') == CLEAN
    assert container.item_count() == 300


def test_a_missing_output_columns_position_is_no_fault(container: Container) -> None:
    container.put(f"{DATASET}/baseline.csv", SMALL)
    message = container.run(dataset_format='{"csv": {"header": true}}', dataset_source=DATASET)
    assert (message, container.features()) == (CLEAN, ["target", "a", "b"])


def test_requests_of_several_rows_count_by_row(container: Container) -> None:
    small(container)
    three = captured("1,0.5\n2,1.5\n3,2.5", "0.51\n0.52\n0.53")
    container.captures([three] * 100)
    container.monitor()
    assert container.item_count() == 300


def test_base64_of_csv_is_read(container: Container) -> None:
    small(container)
    coded = [base64.b64encode(text.encode()).decode() for text in ("1,0.5", "0.51")]
    kinds = ("text/csv", "text/csv")
    container.captures([captured(coded[0], coded[1], encodings=("BASE64", "BASE64"), kinds=kinds)] * 30)
    container.monitor()
    assert (container.item_count(), container.features()) == (30, ["target", "a", "b"])


def test_base64_of_something_else_is_an_error_that_says_so(container: Container) -> None:
    small(container)
    kinds = ("application/x-image", "application/x-image")
    place = container.captures([captured("AAAA", "AAAA", encodings=("BASE64", "BASE64"), kinds=kinds)])
    message = container.monitor()
    assert container.said.code == 2
    assert message == (
        f"{NO_DATA}: none of 1 records can be read, the first is {container.path(place)}:1: input: want "
        'base64 of CSV or JSON by its content type, got "application/x-image"'
    )
    assert container.outputs() == []


MIXED = captured('{"instances": [{"features": [1, 0.5]}]}', "0.51", encodings=("JSON", "CSV"))
MISMATCH = (
    "Encoding mismatch: Encoding is JSON for endpointInput, but Encoding is CSV for endpointOutput. We "
    "currently only support the same type of input and output encoding at the moment."
)


def test_mixed_encodings_are_read_in_correct_mode(container: Container) -> None:
    small(container)
    container.captures([MIXED.replace('"text/csv"', '"application/json"', 1)] * 30)
    container.monitor()
    assert (container.item_count(), container.features()) == (30, ["target", "a", "b"])


def test_mixed_encodings_fail_in_compatible_mode_as_they_do_at_aws(container: Container) -> None:
    small(container)
    container.captures([MIXED])
    assert (container.monitor(**COMPATIBLE), container.said.code) == (MISMATCH, 2)


def test_one_side_alone_is_judged_when_only_that_is_asked_for(container: Container) -> None:
    container.put(f"{DATASET}/baseline.csv", "a,b\n" + "".join(f"{n % 9},{n % 7}.5\n" for n in range(300)))
    container.baseline()
    container.captures(small_records())
    inputs = '{"sagemakerCaptureJson":{"captureIndexNames":["endpointInput"]}}'
    assert container.monitor(dataset_format=inputs) == CLEAN, container.said
    assert container.features() == ["a", "b"]


@pytest.mark.parametrize("files", [(), ("empty.jsonl",), ("2020/02/01/05/old.jsonl",)])
def test_no_data_fails_with_the_analyzers_words(container: Container, files: tuple[str, ...]) -> None:
    small(container)
    container.path(CAPTURES).mkdir(parents=True)
    for name in files:
        container.put(f"{CAPTURES}/{name}", "" if name == "empty.jsonl" else small_records()[0])
    assert (container.monitor(), container.said.code) == (NO_DATA, 2)
    assert container.outputs() == []


def test_records_of_another_time_are_no_data(container: Container) -> None:
    small(container)
    container.captures(small_records(time="2020-02-01T09:30:00Z"))
    assert (container.monitor(), container.said.code) == (NO_DATA, 2)


def test_a_bad_line_does_not_end_the_run(container: Container) -> None:
    small(container)
    container.captures([*small_records(), "{not json", "{}"])
    assert container.monitor() == CLEAN
    assert container.item_count() == 300
    assert "2 lines that cannot be used" in container.said.out


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        (
            {"dataset_source": ""},
            "read the variable dataset_source: want the folder with the data, got nothing",
        ),
        ({"dataset_format": "{“csv”}"}, "read the variable dataset_format: want JSON with one of csv, json"),
        ({"end_time": ""}, "read the variable end_time: want it beside the other end of the window"),
        ({"WATCHKEEPER_MODE": "fast"}, "read the variable WATCHKEEPER_MODE: want one of correct, compatible"),
        ({"baseline_constraints": "/opt/ml/processing/none.json"}, "there is no such file or folder"),
        ({"record_preprocessor_script": "/opt/ml/processing/none.py"}, "there is no such file"),
        (
            {"analysis_type": "MODEL_QUALITY", "problem_type": "BinaryClassification"},
            "read the variable inference_attribute: want the column, index or path of the predicted value",
        ),
    ],
)
def test_what_is_wrong_is_in_the_message(container: Container, variables: dict[str, str], words: str) -> None:
    small(container)
    container.captures(small_records())
    assert words in container.monitor(**variables)
    assert container.said.code == 2
    assert container.outputs() == []


def test_a_message_is_short_utf8_on_one_line() -> None:
    found = shortened("a\nb " + "é" * 2000)
    assert found.decode().startswith("a b é")
    assert 1022 <= len(found) <= 1024


def test_constraints_alone_are_judged_without_drift(container: Container) -> None:
    small(container)
    container.captures([captured("x,0.5", f"0.{500 + row}") for row in range(20)])
    message = container.monitor(baseline_statistics="")
    assert message == "CompletedWithViolations: Job completed successfully with 1 violations.", container.said
    assert container.violations()[0][:2] == ("a", "data_type_check")


def test_statistics_alone_suggest_their_constraints(container: Container) -> None:
    small(container)
    container.captures(small_records())
    assert container.monitor(baseline_constraints="") == CLEAN
    container.captures([captured("x,0.5", "0.5")] * 20)
    assert container.monitor(baseline_constraints="").startswith("CompletedWithViolations: ")


def test_the_method_for_categories_goes_into_the_baseline(container: Container) -> None:
    small(container, categorical_drift_method="ChiSquared")
    asked = json.loads(container.path(CONSTRAINTS).read_text())["monitoring_config"]
    assert asked["distribution_constraints"]["categorical_drift_method"] == "ChiSquared"


def test_json_and_parquet_are_read(container: Container) -> None:
    lines = "".join(json.dumps({"x": row, "y": f"t{row % 3}"}) + "\n" for row in range(50))
    container.put(f"{DATASET}/data.jsonl", lines)
    for text in ('{"json": {"lines": true}}', '{"Json":{"Line":"true"}}'):
        assert container.run(dataset_format=text, dataset_source=DATASET) == CLEAN
        assert (container.item_count(), container.features()) == (50, ["x", "y"])


def test_a_baseline_of_captures_without_index_names(container: Container) -> None:
    container.put(f"{DATASET}/capture.jsonl", "\n".join(small_records()))
    assert container.run(dataset_format='{"sagemakerCaptureJson": {}}', dataset_source=DATASET) == CLEAN
    assert container.features() == ["_c0", "_c1", "_c2"]


@pytest.mark.parametrize(
    ("name", "rows"), [("endpoint-csv", 3), ("endpoint-json", 2), ("endpoint-jsonlines", 3)]
)
def test_captures_that_the_service_printed_are_read(container: Container, name: str, rows: int) -> None:
    file = shared(f"fixtures/model-monitor/capture/{name}.jsonl")
    container.put(f"{DATASET}/capture.jsonl", file.read_bytes())
    assert container.run(dataset_format=CAPTURE, dataset_source=DATASET) == CLEAN, container.said
    assert container.item_count() >= rows - 1


def test_the_sdks_own_captures_are_read(container: Container) -> None:
    text = shared("fixtures/model-monitor/sdk-monitor/capture.jsonl").read_text()
    lines = [line.replace("{%s}", "2020-02-01T10:20:00Z") for line in text.splitlines() if line.strip()]
    container.captures(lines)
    message = container.monitor(baseline_statistics="", baseline_constraints="")
    assert (message, container.item_count()) == (CLEAN, len(lines))
    assert len(container.features()) == 8


def test_files_that_cannot_all_be_written_are_not_written_at_all(container: Container) -> None:
    small(container)
    container.captures(small_records())
    container.path("/opt/ml/processing/output/constraints.json").mkdir(parents=True)
    message = container.monitor()
    assert (message.startswith("write "), container.said.code) == (True, 3)
    assert container.outputs() == ["constraints.json"]  # the folder that was in the way


def test_a_signal_waits_while_files_are_put_in_their_place() -> None:
    stop_, after = StopSignals(), []

    def publish() -> None:
        with stop_.held():
            os.kill(os.getpid(), signal.SIGTERM)
            after.append("the files")

    with stop_.listening(), pytest.raises(Interrupted, match="stopped"):
        publish()
    assert (after, stop_.received) == (["the files"], signal.SIGTERM)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_sigterm_leaves_the_word_stopped_and_nothing_half_written(container: Container) -> None:
    """The preprocessor says when it is at work, and then never ends."""
    assert stop(container, signal.SIGTERM) == (143, "stopped", [])


def test_sigint_does_as_well(container: Container) -> None:
    assert stop(container, signal.SIGINT) == (130, "stopped", [])


def stop(container: Container, number: int) -> tuple[int, str, list[str]]:
    container.captures(small_records())
    script = "def preprocess_handler(record):\n    print('at work', flush=True)\n    while True: pass\n"
    place = container.put("/opt/ml/processing/code/p.py", script)
    environment = {
        **os.environ,
        "dataset_format": CAPTURE,
        "dataset_source": CAPTURES,
        "record_preprocessor_script": place,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "watchkeeper", "analyze", "--root", str(container.root)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout as said:
        assert any("at work" in line for line in said)
        assert container.message() == BEGUN
        process.send_signal(number)
        code = process.wait(60)
    return code, container.message(), container.outputs()


def test_with_a_namespace_the_metrics_go_to_cloudwatch_and_no_file_is_left(
    container: Container, doubles: Doubles
) -> None:
    small(container)
    container.captures(small_records())
    message = container.monitor(**doubles.environment, WATCHKEEPER_METRICS_NAMESPACE="Watchkeeper")
    assert message == CLEAN, container.said
    assert container.metrics() == []
    found = doubles.client("cloudwatch").list_metrics(Namespace="Watchkeeper")["Metrics"]
    names = {each["MetricName"] for each in found}
    assert {"feature_data_a", "feature_non_null_a", "feature_baseline_drift_a"} <= names
    dimensions = {each["Name"]: each["Value"] for each in found[0]["Dimensions"]}
    assert dimensions == {"Endpoint": "endpoint_0", "MonitoringSchedule": "schedule_0"}
    assert f"Put {len(found)} metrics into CloudWatch's namespace Watchkeeper." in container.said.out


def test_metrics_that_cannot_be_put_fail_the_run_once_its_files_are_there(
    container: Container, doubles: Doubles
) -> None:
    small(container)
    container.captures(small_records())
    wrong = {**doubles.environment, "AWS_ACCESS_KEY_ID": "nobody"}
    message = container.monitor(**wrong, WATCHKEEPER_METRICS_NAMESPACE="Watchkeeper")
    assert container.said.code == 3
    assert message.startswith("put ")
    assert "InvalidClientTokenId" in message
    assert container.output("statistics.json")
