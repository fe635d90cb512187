"""The analyzer puts its metrics into CloudWatch itself, where no Model Monitor reads its file of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.aws.doubles import Doubles
from watchkeeper.adapters.aws.metrics import MOST, put_metrics
from watchkeeper.core.errors import InputError

NOW = datetime.now(UTC).replace(microsecond=0)
LINE: dict[str, Any] = {
    "MetricName": "feature_baseline_drift_area",
    "Timestamp": "2019-11-26T03:00:00Z",
    "Dimensions": [
        {"Name": "Endpoint", "Value": "demo-dev"},
        {"Name": "MonitoringSchedule", "Value": "demo-dev-data-quality"},
    ],
    "Value": 0.25,
    "Unit": "None",
}


def lines(*metrics: dict[str, Any]) -> str:
    return "".join(f"{json.dumps(each)}\n" for each in metrics)


def statistics(doubles: Doubles, name: str, dimensions: list[dict[str, str]]) -> list[dict[str, Any]]:
    found = doubles.client("cloudwatch").get_metric_statistics(
        Namespace="Watchkeeper",
        MetricName=name,
        Dimensions=dimensions,
        StartTime=NOW - timedelta(hours=1),
        EndTime=datetime.now(UTC) + timedelta(hours=1),
        Period=7200,
        Statistics=["Maximum", "Sum", "SampleCount"],
    )
    return list(found["Datapoints"])


def test_lines_become_data_as_of_now(doubles: Doubles) -> None:
    client = doubles.session().client("cloudwatch", endpoint_url=doubles.ministack)
    of_set = {key: each for key, each in LINE.items() if key != "Value"} | {
        "MetricName": "feature_data_area",
        "StatisticValues": {"SampleCount": 10.0, "Sum": 5.0, "Minimum": 0.0, "Maximum": 1.0},
    }
    assert put_metrics("Watchkeeper", lines(LINE, of_set), NOW, client) == 2
    (point,) = statistics(doubles, LINE["MetricName"], LINE["Dimensions"])
    assert point["Maximum"] == 0.25
    (asked,) = [asked for _, name, asked in doubles.calls if name == "PutMetricData"]
    assert {each["Timestamp"] for each in asked["MetricData"]} == {NOW}, "2019 would be refused"
    assert asked["MetricData"][1]["StatisticValues"]["SampleCount"] == 10.0


def test_a_thousand_go_at_once(doubles: Doubles) -> None:
    client = doubles.session().client("cloudwatch", endpoint_url=doubles.ministack)
    many = lines(*({**LINE, "MetricName": f"feature_non_null_c{number}"} for number in range(MOST + 1)))
    assert put_metrics("Watchkeeper", many, NOW, client) == MOST + 1
    sizes = [len(asked["MetricData"]) for _, name, asked in doubles.calls if name == "PutMetricData"]
    assert sizes == [MOST, 1]


@pytest.mark.parametrize(
    "line",
    ["{", "[]", json.dumps({"MetricName": "x"}), json.dumps({**LINE, "Value": float("nan")}), '{"Value": 1}'],
)
def test_a_line_that_is_no_metric_stops_them_all(doubles: Doubles, line: str) -> None:
    client = doubles.session().client("cloudwatch", endpoint_url=doubles.ministack)
    with pytest.raises(InputError, match="put metrics, line 2: "):
        put_metrics("Watchkeeper", f"{lines(LINE)}{line}\n", NOW, client)
    assert doubles.calls == []
