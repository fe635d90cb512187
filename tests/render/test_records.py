"""Capture and ground-truth lines as the contract spells them."""

from datetime import UTC, datetime

import orjson
import pytest

from tests.shared import shared
from watchkeeper.core.values import CaptureRecord, GroundTruth, Payload
from watchkeeper.render.records import (
    CaptureFolder,
    capture_key,
    capture_line,
    ground_truth_key,
    ground_truth_line,
)

TIME = datetime(2022, 4, 18, 0, 21, 48, 903456, UTC)


def record(**changes: object) -> CaptureRecord:
    fields: dict[str, object] = {
        "event_id": "f04a8538",
        "inference_id": None,
        "time": TIME,
        "model_version": 3,
        "schema_version": 1,
        "input": Payload("132,10", "CSV", "text/csv"),
        "output": Payload("0.036", "CSV", "text/csv; charset=utf-8"),
    }
    return CaptureRecord(**{**fields, **changes})  # type: ignore[arg-type]


def test_a_capture_line_is_spelled_as_the_contract_spells_it() -> None:
    assert capture_line(record()) == (
        b'{"captureData":{"endpointInput":{"observedContentType":"text/csv","mode":"INPUT",'
        b'"data":"132,10","encoding":"CSV"},'
        b'"endpointOutput":{"observedContentType":"text/csv; charset=utf-8","mode":"OUTPUT",'
        b'"data":"0.036","encoding":"CSV"}},"eventMetadata":{"eventId":"f04a8538",'
        b'"inferenceTime":"2022-04-18T00:21:48Z","modelVersion":"3","schemaVersion":"1"},"eventVersion":"0"}\n'
    )


def test_an_inference_id_and_attributes_are_written_only_when_there_are_any() -> None:
    line = capture_line(record(inference_id="id-7", custom_attributes=("a=1",)))
    metadata = orjson.loads(line)["eventMetadata"]
    assert list(metadata) == [
        "eventId",
        "inferenceId",
        "customAttributes",
        "inferenceTime",
        "modelVersion",
        "schemaVersion",
    ]
    assert metadata["customAttributes"] == ["a=1"]


def test_our_line_differs_from_the_service_s_in_our_two_keys_alone() -> None:
    theirs = shared("fixtures/model-monitor/capture/endpoint-csv.jsonl").read_bytes().splitlines()[0]
    read = orjson.loads(theirs)
    sides = read["captureData"]
    ours = capture_line(
        record(
            event_id=read["eventMetadata"]["eventId"],
            input=Payload(sides["endpointInput"]["data"], "CSV", "text/csv"),
            output=Payload(sides["endpointOutput"]["data"], "CSV", "text/csv; charset=utf-8"),
        )
    )
    assert ours.replace(b',"modelVersion":"3","schemaVersion":"1"', b"") == theirs + b"\n"


def test_one_label_is_csv_and_many_are_the_json_list_form() -> None:
    one = ground_truth_line(GroundTruth("a", (435000.0,)), TIME)
    assert one == (
        b'{"groundTruthData":{"data":"435000","encoding":"CSV"},"eventMetadata":{"eventId":"a",'
        b'"collectedTime":"2022-04-18T00:21:48Z"},"eventVersion":"0"}\n'
    )
    many = orjson.loads(ground_truth_line(GroundTruth("a", (0.0, 1.5, "x")), TIME))
    assert many["groundTruthData"] == {
        "data": '{"instances":[{"label":0},{"label":1.5},{"label":"x"}]}',
        "encoding": "JSON",
    }


@pytest.mark.parametrize("labels", [(), (float("nan"),), (1.0, float("inf")), ("",)])
def test_labels_that_are_none_are_not_written(labels: tuple[float | str, ...]) -> None:
    with pytest.raises(ValueError, match="write labels of a"):
        ground_truth_line(GroundTruth("a", labels), TIME)


def test_keys_are_the_contract_s() -> None:
    folder = CaptureFolder("prod", 2, "prices", "AllTraffic")
    assert capture_key(folder, TIME, "u") == (
        "captures/prod/schema-v2/prices/AllTraffic/2022/04/18/00/21-48-903-u.jsonl"
    )
    assert capture_key(folder, TIME, "u").startswith(folder.hour(TIME))
    assert ground_truth_key("prod", "prices", TIME, "u") == (
        "ground-truth/prod/prices/2022/04/18/00/21-48-903-u.jsonl"
    )
