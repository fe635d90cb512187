"""Files of rows, and analyses of them."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from watchkeeper.app.files.analysis import Analysis
from watchkeeper.app.files.engines import open_engine
from watchkeeper.app.files.judging import FileJudgement, judge_files
from watchkeeper.core.values import Column, ColumnType, Role, Schema

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def judged(
    out: Path,
    data: Path | Sequence[Path],
    baseline: Path | None = None,
    wanted: FileJudgement | None = None,
    workers: int = 2,
) -> Analysis:
    """The files judged as the command does it."""
    paths = tuple(map(str, [data] if isinstance(data, Path) else data))
    order = wanted or FileJudgement(paths, None, out)
    order = replace(order, inputs=paths, baseline=str(baseline) if baseline else None, out=out)
    found, _ = judge_files(order, open_engine("local", workers), lambda _: None, NOW)
    return found


def options(**given: object) -> FileJudgement:
    return replace(FileJudgement((), None, Path()), **given)  # type: ignore[arg-type]


def rows(count: int, town: str = "BEDOK", shift: float = 0.0) -> list[str]:
    return [f"{town if i % 2 else 'YISHUN'},{i % 37 + shift},{i % 11}.5" for i in range(count)]


def table(path: Path, lines: Sequence[str]) -> Path:
    path.write_text("\n".join(["town,age,area", *lines]) + "\n", encoding="utf-8")
    return path


def capture(number: int, town: str, encoding: str = "CSV") -> str:
    asked = f"{town},{number % 37},{number % 11}.5"
    data = base64.b64encode(asked.encode()).decode() if encoding == "BASE64" else asked
    record = {
        "captureData": {
            "endpointInput": {
                "observedContentType": "text/csv",
                "mode": "INPUT",
                "data": data,
                "encoding": encoding,
            },
            "endpointOutput": {
                "observedContentType": "text/csv",
                "mode": "OUTPUT",
                "data": "1.5",
                "encoding": "CSV",
            },
        },
        "eventMetadata": {
            "eventId": f"e-{number}",
            "inferenceId": f"i-{number}",
            "inferenceTime": f"2026-01-01T{number % 4:02d}:00:00Z",
        },
        "eventVersion": "0",
    }
    return json.dumps(record)


SCHEMA = Schema(
    1,
    (
        Column("town", ColumnType.STRING, Role.FEATURE),
        Column("age", ColumnType.INTEGRAL, Role.FEATURE),
        Column("area", ColumnType.FRACTIONAL, Role.FEATURE),
        Column("price", ColumnType.FRACTIONAL, Role.PREDICTION),
    ),
)
