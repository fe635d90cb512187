"""First step: the window's rows, and not one row later than what is known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from watchkeeper.core.errors import InputError
from watchkeeper.core.windows import month_start
from watchkeeper.training.files import step_folder, write_json, write_rows
from watchkeeper.training.request import TrainingRequest

ROWS = "ingest/rows.parquet"
LINE = "line"  # of the source, its header being line 1


@dataclass(frozen=True, slots=True)
class Ingested:
    """What was taken and what was left: rows of later months are not yet known, earlier ones too old."""

    data_digest: str
    first: str
    last: str
    rows: int
    later: int
    earlier: int


def ingest(request: TrainingRequest, folder: Path) -> Ingested:
    """Write `ingest/rows.parquet`: inputs and label of the window's months, as text.

    A row whose month cannot be read is kept, so that `validate` names it. Raises InputError for a
    column that is missing and for a window without rows.
    """
    month_start(request.known_through)
    absent = [name for name in request.columns if name not in request.frame.columns]
    if absent:
        raise InputError(
            f"ingest data: want column {', '.join(absent)}, got {', '.join(request.frame.columns)}"
        )
    first, last = request.months
    month = pl.col(request.time)
    dated = month.str.contains(r"^\d{4}-\d{2}$").fill_null(False)
    later, earlier = dated & (month > last), dated & (month < first)
    frame = request.frame.with_row_index(LINE, offset=2)
    rows = frame.filter(~later & ~earlier).select(LINE, *request.columns)
    if rows.is_empty():
        raise InputError(
            f"ingest data: want rows of the months {first} to {last}, got none in {frame.height} rows"
        )
    counts = frame.select(later=later.sum(), earlier=earlier.sum()).row(0)
    ingested = Ingested(request.data_digest, first, last, rows.height, *counts)
    with step_folder(folder, "ingest") as written:
        write_rows(written / "rows.parquet", rows)
        write_json(written / "ingest.json", ingested)
    return ingested
