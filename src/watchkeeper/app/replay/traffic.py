"""Rehearsed traffic: months of rows cut into requests, spread over the month, with labels that come late."""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from watchkeeper.core.errors import InputError
from watchkeeper.core.values import NUMERIC, GroundTruth, Schema
from watchkeeper.core.windows import Duration, add_months, month_start
from watchkeeper.model.parsing import json_number, number

ONE_ROW = 0.7  # share of requests with a single row, as most callers send
MOST_ROWS = 50
JSON_EVERY = 4  # every fourth request is JSON, the others are CSV


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """One request to be sent, with the labels it will turn out to have and when they are collected."""

    inference_id: str
    time: datetime
    content_type: str
    body: bytes
    rows: int
    truth: GroundTruth
    labelled_at: datetime


@dataclass(frozen=True, slots=True)
class TrafficPlan:
    """How rows become requests: their schema, how late labels come, and the seed of what is drawn."""

    schema: Schema
    label_delay: Duration
    seed: int


def plan_month(rows: pl.DataFrame, month: str, plan: TrafficPlan) -> tuple[PlannedRequest, ...]:
    """A month's rows as requests in order of time; every row is in exactly one of them.

    The same rows, month and plan give the same requests. Labels of a request are collected on a day
    of the label delay after the month, so all of them are there when it is over; without a delay they
    come with the request. Raises InputError for a label or a numeric column that holds no number.
    """
    _check_numbers(rows, month, plan.schema)
    start = month_start(month)
    end = add_months(start, 1)
    draw = np.random.default_rng([plan.seed, start.year, start.month])
    order = draw.permutation(rows.height)
    requests: list[PlannedRequest] = []
    place = 0
    while place < rows.height:
        size = 1 if draw.random() < ONE_ROW else int(draw.integers(2, MOST_ROWS + 1))
        own = rows[order[place : place + size].tolist()]
        time = (start + (end - start) * float(draw.random())).replace(microsecond=0)
        drawn, over = float(draw.random()), plan.label_delay.after(end)
        collected = _evening(end + (over - end) * drawn, end, over) if over > end else time
        identity = uuid.UUID(bytes=draw.bytes(16), version=4)
        as_json = len(requests) % JSON_EVERY == JSON_EVERY - 1
        requests.append(_request(own, plan.schema, str(identity), (time, collected), as_json))
        place += size
    return tuple(sorted(requests, key=lambda request: (request.time, request.inference_id)))


def _check_numbers(rows: pl.DataFrame, month: str, schema: Schema) -> None:
    names = [column.name for column in schema.inputs if column.type in NUMERIC]
    for name in (*names, schema.label.name):
        texts = rows[name].drop_nulls() if name in names else rows[name].fill_null("")
        bad = [text for text in texts.unique(maintain_order=True) if not _is_number(text)]
        if bad:
            raise InputError(
                f'plan requests of {month}, column {name}: want numbers, got "{bad[0]}"'
                + (f" and {len(bad) - 1} other texts" if bad[1:] else "")
            )


def _is_number(text: str) -> bool:
    try:
        number(text)
    except ValueError:
        return False
    return True


def _evening(time: datetime, earliest: datetime, latest: datetime) -> datetime:
    """Labels are collected once a day, at eight in the evening, where that is within the time they take."""
    evening = time.replace(hour=20, minute=0, second=0, microsecond=0)
    return evening if earliest <= evening < latest else max(time, earliest)


def _request(
    rows: pl.DataFrame, schema: Schema, identity: str, times: tuple[datetime, datetime], as_json: bool
) -> PlannedRequest:
    names = [column.name for column in schema.inputs]
    cells = rows.select(names).rows()
    body = _json(cells, schema) if as_json else _csv(cells)
    labels = tuple(float(label) for label in rows[schema.label.name])
    return PlannedRequest(
        inference_id=identity,
        time=times[0],
        content_type="application/json" if as_json else "text/csv",
        body=body,
        rows=rows.height,
        truth=GroundTruth(identity, labels),
        labelled_at=times[1],
    )


def _csv(cells: Sequence[tuple[str | None, ...]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([cell or "" for cell in row] for row in cells)
    return text.getvalue().encode()


def _json(cells: Sequence[tuple[str | None, ...]], schema: Schema) -> bytes:
    numeric = [column.type in NUMERIC for column in schema.inputs]
    names = [column.name for column in schema.inputs]
    instances = [
        {
            name: json_number(cell) if cell and is_number else cell
            for name, is_number, cell in zip(names, numeric, row, strict=True)
        }
        for row in cells
    ]
    return json.dumps({"instances": instances}).encode()


def by_day(requests: Sequence[PlannedRequest]) -> dict[datetime, list[GroundTruth]]:
    """The labels by the moment they are collected, in order."""
    found: dict[datetime, list[GroundTruth]] = {}
    for request in sorted(requests, key=lambda request: (request.labelled_at, request.inference_id)):
        found.setdefault(request.labelled_at, []).append(request.truth)
    return found
