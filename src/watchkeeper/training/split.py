"""Third step: train, validation and test by time, never shuffled."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from watchkeeper.core.errors import InputError
from watchkeeper.core.windows import shift_month
from watchkeeper.training.files import read_rows, step_folder, write_json, write_rows
from watchkeeper.training.ingest import LINE, ROWS
from watchkeeper.training.request import TrainingRequest

PARTS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class Part:
    """Months of one part, both ends included, as far as there are rows of them."""

    first: str
    last: str
    rows: int


@dataclass(frozen=True, slots=True)
class Split:
    """The three parts, in the order of time."""

    train: Part
    validation: Part
    test: Part


def split(request: TrainingRequest, folder: Path) -> Split:
    """Write `split/{train,validation,test}.parquet`: inputs as text, the label as Float64.

    The window's last months are test, those before validation, all earlier ones train; a history
    shorter than the window shortens train. Raises InputError for a part without rows.
    """
    label = request.schema.label.name
    rows = read_rows(folder / ROWS).drop(LINE).with_columns(pl.col(label).cast(pl.Float64))
    test = shift_month(request.known_through, 1 - request.settings.test.months)
    validation = shift_month(test, -request.settings.validation.months)
    month = pl.col(request.time)
    masks = {
        "train": month < validation,
        "validation": (month >= validation) & (month < test),
        "test": month >= test,
    }
    frames = {name: rows.filter(mask).sort(request.time, maintain_order=True) for name, mask in masks.items()}
    found = Split(**{name: _part(name, frame, request) for name, frame in frames.items()})
    with step_folder(folder, "split") as written:
        for name, frame in frames.items():
            write_rows(written / f"{name}.parquet", frame)
        write_json(written / "split.json", found)
    return found


def read_parts(folder: Path, *parts: str) -> pl.DataFrame:
    """Rows of the named parts, in the order of time."""
    return pl.concat([read_rows(folder / "split" / f"{part}.parquet") for part in parts])


def _part(name: str, frame: pl.DataFrame, request: TrainingRequest) -> Part:
    if frame.is_empty():
        first, last = request.months
        raise InputError(f"split data of {first} to {last} by time: want rows for {name}, got none")
    months = frame[request.time]
    return Part(str(months[0]), str(months[-1]), frame.height)
