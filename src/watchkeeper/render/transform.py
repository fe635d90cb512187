"""A batch transform's data capture: manifests, and rows joined with their answers (contract 1.4)."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from watchkeeper.core.windows import hour_folder, utc_text

BATCH = "batch"
INFERENCE_ID, INFERENCE_TIME, OUTPUT = "SageMakerInferenceId", "SageMakerInferenceTime", "SageMakerOutput"


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the captures of one endpoint's batch jobs lie, as `DestinationS3Uri` says it on AWS."""

    environment: str
    schema_version: int
    endpoint: str

    @property
    def prefix(self) -> str:
        """The folder's key, with a slash at its end."""
        return f"{BATCH}/{self.environment}/schema-v{self.schema_version}/{self.endpoint}/"

    def manifest_key(self, side: str, started: datetime, unique: str) -> str:
        """The key of the manifest of a `side`, `input` or `output`, of a job that started then."""
        return f"{self.prefix}{side}/{hour_folder(started)}/{unique}.json"


@dataclass(frozen=True, slots=True)
class Scored:
    """Rows with their answers and inference ids; `columns` are the cells by name, None where empty."""

    columns: Mapping[str, Sequence[str | int | float | None]]
    predictions: Sequence[float]
    ids: Sequence[str]


def manifest(prefix: str, names: Sequence[str]) -> bytes:
    """The JSON list that names the objects below a prefix; of a single object, one empty name.

    >>> manifest("transform/", ["rows.csv.out"])
    b'[{"prefix":"transform/"},"rows.csv.out"]'
    """
    return orjson.dumps([{"prefix": prefix}, *names])


def csv_rows(scored: Scored, started: datetime) -> bytes:
    """The rows as CSV without a header: inputs, the prediction, the inference id, and the job's start."""
    text, time = io.StringIO(), utc_text(started)
    columns = zip(*scored.columns.values(), map(repr, scored.predictions), scored.ids, strict=True)
    csv.writer(text, lineterminator="\n").writerows((*row, time) for row in columns)
    return text.getvalue().encode()


def json_rows(scored: Scored, prediction: str, started: datetime) -> bytes:
    """The rows as JSON Lines: id and time, the prediction by its name under `SageMakerOutput`, the inputs."""
    time, names = utc_text(started), tuple(scored.columns)
    rows = zip(scored.ids, scored.predictions, zip(*scored.columns.values(), strict=True), strict=True)
    return b"".join(
        orjson.dumps(
            {
                INFERENCE_ID: id_,
                INFERENCE_TIME: time,
                OUTPUT: {prediction: value},
                **dict(zip(names, cells, strict=True)),
            },
            option=orjson.OPT_APPEND_NEWLINE,
        )
        for id_, value, cells in rows
    )
