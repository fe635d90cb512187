"""A folder laid out as the service mounts it, and the variables of its jobs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Said
from watchkeeper.app.container.settings import Environment

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "model_monitor"
CAPTURE = '{"sagemakerCaptureJson":{"captureIndexNames":["endpointInput","endpointOutput"]}}'
MERGED = '{"sagemakerMergeJson":{"captureIndexNames":["endpointOutput"]}}'
DATASET = "/opt/ml/processing/input/baseline_dataset_input"
CAPTURES = "/opt/ml/processing/input/endpoint"
STATISTICS = "/opt/ml/processing/baseline/stats/statistics.json"
CONSTRAINTS = "/opt/ml/processing/baseline/constraints/constraints.json"
PREPROCESSOR = "/opt/ml/processing/code/preprocessing/preprocess.py"
POSTPROCESSOR = "/opt/ml/processing/code/postprocessing/postprocess.py"
COMPATIBLE: dict[str, Any] = {"WATCHKEEPER_MODE": "compatible"}


@dataclass(slots=True)
class Container:
    """What is mounted and how the container ended; `said` is its log."""

    root: Path
    cli: Callable[..., Said]
    monkeypatch: pytest.MonkeyPatch
    said: Said = field(default_factory=lambda: Said(-1, "", ""))

    def path(self, text: str) -> Path:
        """Where a path of the container lies."""
        return Environment({}, self.root).placed(text)

    def put(self, text: str, content: str | bytes) -> str:
        """Mount a file; its path, for a variable."""
        path = self.path(text)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return text

    def run(self, *options: object, **variables: str) -> str:
        """Start it with these variables; the message it leaves."""
        with self.monkeypatch.context() as patch:
            patch.setenv("output_path", "/opt/ml/processing/output")
            for name, value in variables.items():
                patch.setenv(name, value)
            self.said = self.cli("analyze", "--root", self.root, *options)
        return self.message()

    def baseline(self, header: bool = True, **variables: str) -> str:
        """Make a baseline of what is in the dataset's folder, and mount its files for the jobs after it."""
        message = self.run(
            dataset_format=json.dumps({"csv": {"header": header, "output_columns_position": "START"}}),
            dataset_source=DATASET,
            publish_cloudwatch_metrics="Disabled",
            **variables,
        )
        self.put(STATISTICS, self.output("statistics.json"))
        self.put(CONSTRAINTS, self.output("constraints.json"))
        for file in self.path("/opt/ml/processing/output").iterdir():
            file.unlink()
        return message

    def monitor(self, *options: object, **variables: str) -> str:
        """Judge what is in the captures' folder, hour 10 of 2020-02-01, by the baseline."""
        given = {
            "dataset_format": CAPTURE,
            "dataset_source": CAPTURES,
            "publish_cloudwatch_metrics": "Enabled",
            "start_time": "2020-02-01T10:00:00Z",
            "end_time": "2020-02-01T11:00:00Z",
            "sagemaker_endpoint_name": "endpoint_0",
            "sagemaker_monitoring_schedule_name": "schedule_0",
            "baseline_statistics": STATISTICS,
            "baseline_constraints": CONSTRAINTS,
        }
        return self.run(*options, **{**given, **variables})

    def captures(self, lines: Sequence[str], hour: int = 10, name: str = "00-00-000-a") -> str:
        """Mount an hour's captures."""
        folder = f"{CAPTURES}/endpoint_0/AllTraffic/2020/02/01/{hour:02d}"
        return self.put(f"{folder}/{name}.jsonl", "".join(f"{line}\n" for line in lines))

    def message(self) -> str:
        return self.path("/opt/ml/output/message").read_bytes().decode()

    def output(self, name: str) -> bytes:
        return self.path(f"/opt/ml/processing/output/{name}").read_bytes()

    def outputs(self) -> list[str]:
        """Names of the files that were written."""
        folder = self.path("/opt/ml/processing/output")
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []

    def metrics(self) -> list[dict[str, Any]]:
        """The metric lines, [] without a file of them."""
        path = self.path("/opt/ml/output/metrics/cloudwatch/cloudwatch_metrics.jsonl")
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def item_count(self) -> int:
        """Rows that were counted."""
        found: int = json.loads(self.output("statistics.json"))["dataset"]["item_count"]
        return found

    def features(self) -> list[str]:
        """Columns that were described, in their order."""
        return [each["name"] for each in json.loads(self.output("statistics.json"))["features"]]

    def violations(self) -> list[tuple[str, str, str]]:
        """Column, check and text of each violation, sorted."""
        found = json.loads(self.output("constraint_violations.json"))["violations"]
        return sorted((v["feature_name"], v["constraint_check_type"], v["description"]) for v in found)


def captured(
    asked: str,
    answered: str,
    time: str = "2020-02-01T10:00:00Z",
    encodings: tuple[str, str] = ("CSV", "CSV"),
    kinds: tuple[str, str] = ("text/csv", "text/csv; charset=utf-8"),
) -> str:
    """One captured record, as the service writes it."""
    sides = {
        "endpointInput": {"observedContentType": kinds[0], "mode": "INPUT", "data": asked},
        "endpointOutput": {"observedContentType": kinds[1], "mode": "OUTPUT", "data": answered},
    }
    for side, encoding in zip(sides.values(), encodings, strict=True):
        side["encoding"] = encoding
    metadata = {"eventId": "f04a8538-696c-4648-8064-8b680b2e3318", "inferenceTime": time}
    record = {"captureData": sides, "eventMetadata": metadata, "eventVersion": "0"}
    return json.dumps(record, separators=(",", ":"))


def merged(answered: str, label: str, encoding: str = "CSV", label_encoding: str = "CSV") -> str:
    """One record with its label, as a merge job writes it."""
    sides = {
        "endpointInput": {
            "data": "1,2",
            "encoding": "CSV",
            "mode": "INPUT",
            "observedContentType": "text/csv",
        },
        "endpointOutput": {"data": answered, "encoding": encoding, "mode": "OUTPUT"},
    }
    record = {
        "eventVersion": "0",
        "groundTruthData": {"data": label, "encoding": label_encoding},
        "captureData": sides,
        "eventMetadata": {"eventId": "e", "inferenceId": "95", "inferenceTime": "2020-02-01T10:00:00Z"},
    }
    return json.dumps(record, separators=(",", ":"))


@pytest.fixture
def container(tmp_path: Path, cli: Callable[..., Said], monkeypatch: pytest.MonkeyPatch) -> Container:
    """An empty one."""
    return Container(tmp_path / "ml", cli, monkeypatch)
