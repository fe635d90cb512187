"""Make the payload set that the worked example ships: `python -m tests.payloads.make`; a test keeps it fresh.

What is asked are generated sales; the model that is said to run elsewhere answers the price with an error of
some 5 %. January is as the baseline was. In February a form has been changed: an area in square feet, a town
in another spelling, a flat type left out; and the market has moved away from the model.
"""

from __future__ import annotations

import json
import math
import uuid
from pathlib import Path

import numpy as np
import polars as pl

from tests.shared import CHECKOUT
from watchkeeper.adapters.sources.lookalike import sales
from watchkeeper.app.registry.schema_inference import schema_of
from watchkeeper.app.replay.traffic import PlannedRequest, TrafficPlan, plan_month
from watchkeeper.app.setup.project import load_project
from watchkeeper.core.values import CaptureRecord, Payload
from watchkeeper.core.windows import Duration
from watchkeeper.render.records import capture_line

PROJECT = CHECKOUT / "projects" / "resale_price"
FOLDER = PROJECT / "assets" / "datasets" / "monitoring"
SEED = 7
BASELINE, GOOD, BAD = ("2019-10", "2019-11", "2019-12"), "2020-01", "2020-02"
ROWS = 400  # of each month
ERROR = 0.05  # standard deviation of ln(answer / price)
FAMILIAR = (
    "town",
    "flat_type",
    "storey_range",
    "flat_model",
    "block",
    "street_name",
)  # all of the baseline's
MOVED = 1.2  # what prices rise by in February, which the model does not know
SQUARE_FEET = 10.7639


def made() -> dict[str, bytes]:
    """Every file by its name below the folder, but for the page and what is expected."""
    frame = sales(SEED)
    usual = pl.concat([_drawn(frame, month) for month in BASELINE])
    known = [pl.col(name).is_in(usual[name].unique().implode()) for name in FAMILIAR]
    familiar = frame.filter(*known)
    plan = TrafficPlan(schema_of(load_project(PROJECT), usual), Duration(months=1), SEED)
    files = {"baseline.csv": _answered(usual).write_csv().encode()}
    for month in (GOOD, BAD):
        rows = _drawn(familiar, month)
        if month == BAD:
            rows = _spoilt(rows)
        requests = plan_month(rows, month, plan)
        files[f"captures/{month}.jsonl"] = b"".join(_line(each, month) for each in requests)
        files[f"labels-{month}.csv"] = _labels(requests)
    return files


def _drawn(frame: pl.DataFrame, month: str) -> pl.DataFrame:
    own = frame.filter(pl.col("month") == month)
    return own.sample(ROWS, seed=SEED)


def _spoilt(rows: pl.DataFrame) -> pl.DataFrame:
    at, area = pl.int_range(pl.len()), pl.col("floor_area_sqm")
    price = pl.col("resale_price").cast(pl.Float64)
    feet = (area.cast(pl.Float64) * SQUARE_FEET).round(1).cast(pl.String)
    return rows.with_columns(
        pl.when(at % 5 == 0).then(feet).otherwise(area).alias("floor_area_sqm"),
        pl.when(at % 40 == 1).then(pl.lit("Tampines")).otherwise("town").alias("town"),
        pl.when(at % 10 == 2).then(pl.lit("")).otherwise("flat_type").alias("flat_type"),
        (price * MOVED).round(0).cast(pl.String).alias("resale_price"),
    )


def _answers(prices: list[float], key: int) -> list[float]:
    errors = np.random.default_rng([SEED, key]).normal(0, ERROR, len(prices))
    return [round(price * math.exp(error), 2) for price, error in zip(prices, errors, strict=True)]


def _answered(rows: pl.DataFrame) -> pl.DataFrame:
    prices = rows["resale_price"].cast(pl.Float64).to_list()
    return rows.with_columns(pl.Series("prediction", _answers(prices, 0)))


def _line(request: PlannedRequest, month: str) -> bytes:
    """As SageMaker captures it: no version of a model or schema in the record."""
    moved = MOVED if month == BAD else 1.0
    key = uuid.UUID(request.inference_id).int % 2**32
    answers = _answers([float(label) / moved for label in request.truth.labels], key)
    as_json = request.content_type == "application/json"
    said = json.dumps({"predictions": answers}) if as_json else "\n".join(map(repr, answers))
    encoding = "JSON" if as_json else "CSV"
    record = CaptureRecord(
        event_id=str(uuid.uuid5(uuid.NAMESPACE_URL, request.inference_id)),
        inference_id=request.inference_id,
        time=request.time,
        model_version=1,
        schema_version=1,
        input=Payload(request.body.decode(), encoding, request.content_type),
        output=Payload(said, encoding, request.content_type),
    )
    line = json.loads(capture_line(record))
    del line["eventMetadata"]["modelVersion"], line["eventMetadata"]["schemaVersion"]
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"


def _labels(requests: tuple[PlannedRequest, ...]) -> bytes:
    lines = [f"{each.inference_id},{label:.0f}" for each in requests for label in each.truth.labels]
    return "\n".join(["inference_id,resale_price", *lines, ""]).encode()


def write(folder: Path) -> None:
    for name, data in made().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    write(FOLDER)
