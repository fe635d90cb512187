"""Folders of captures and of labels."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from tests.readers.label_files import TIME
from watchkeeper.core.values import CaptureRecord, GroundTruth, Payload
from watchkeeper.render.records import capture_line, ground_truth_line

CSV = Payload("1,2\n3,4", "CSV", "text/csv")


def captured(event: str, inference: str | None, at: datetime = TIME) -> bytes:
    return capture_line(CaptureRecord(event, inference, at, 1, 1, CSV, CSV))


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    captures, truths = tmp_path / "captures", tmp_path / "truths"
    hour = captures / "prices" / "AllTraffic" / "2020/01/15/12"
    hour.mkdir(parents=True)
    (hour / "one.jsonl").write_bytes(captured("e1", "a") + captured("e2", "b"))
    (hour / "two.jsonl").write_bytes(captured("e3", None))
    collected = truths / "2020/02/15/12"
    collected.mkdir(parents=True)
    lines = [ground_truth_line(GroundTruth(each, (1.0,)), TIME) for each in ("a", "e3", "nobody")]
    (collected / "x.jsonl").write_bytes(b"".join(lines))
    return captures, truths
