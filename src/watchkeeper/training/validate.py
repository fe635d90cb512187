"""Second step: every text that the model will read as a number is one, or the run ends here.

Nothing is repaired or left out: what is wrong is named by column, count and a sample of lines.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from watchkeeper.core.errors import InputError
from watchkeeper.model.parsing import PARSERS, month, number
from watchkeeper.training.files import read_rows, step_folder, write_json
from watchkeeper.training.ingest import LINE, ROWS
from watchkeeper.training.request import TrainingRequest

_SAMPLE = 3


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found in order: rows, and by column how many values are missing."""

    rows: int
    missing: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Check:
    column: str
    want: str
    read: Callable[[str], float]
    required: bool = False


def validate(request: TrainingRequest, folder: Path) -> Checked:
    """Check `ingest/rows.parquet` and write `validate/checked.json`.

    Raises InputError that lists every column with values that cannot be used. Missing inputs are
    counted, a missing month or label is a fault; so is a label or a divisor (`per`) that is not
    above 0, of which no relative error or mean per unit could be taken.
    """
    rows = read_rows(folder / ROWS)
    faults = [fault for check in _checks(request) if (fault := _fault(rows, check))]
    if faults:
        raise InputError(f"validate data of {rows.height} rows: " + "; ".join(faults))
    missing = {name: rows[name].null_count() for name in request.columns if rows[name].null_count()}
    checked = Checked(rows.height, missing)
    with step_folder(folder, "validate") as written:
        write_json(written / "checked.json", checked)
    return checked


def _checks(request: TrainingRequest) -> list[_Check]:
    divisors = {feature.per for feature in request.settings.features if feature.per}
    checks = [
        _Check(request.time, "a month as YYYY-MM", month, required=True),
        _Check(request.schema.label.name, "a number above 0", _positive, required=True),
        *(_Check(name, "a number above 0", _positive, required=True) for name in sorted(divisors)),
    ]
    known = {check.column for check in checks}
    for feature in request.settings.features:
        if feature.kind in PARSERS and feature.columns[0] not in known:
            checks.append(
                _Check(feature.columns[0], f"what kind {feature.kind} reads", PARSERS[feature.kind])
            )
    return checks


def _positive(text: str) -> float:
    value = number(text)
    if value <= 0:
        raise ValueError(f"want a number above 0, got {value}")
    return value


def _fault(rows: pl.DataFrame, check: _Check) -> str | None:
    texts = rows[check.column]
    bad = [text for text in texts.unique().to_list() if not _readable(text, check)]
    if not bad:
        return None
    hit = rows.filter(pl.col(check.column).is_in(bad, nulls_equal=True)).select(LINE, check.column)
    sample = [f"line {line} {_quoted(text)}" for line, text in hit.head(_SAMPLE).iter_rows()]
    more = ", …" if hit.height > _SAMPLE else ""
    return (
        f"column {check.column}: want {check.want}, got {hit.height} that are not ({', '.join(sample)}{more})"
    )


def _quoted(text: str | None) -> str:
    return "nothing" if text is None else f'"{text}"'


def _readable(text: str | None, check: _Check) -> bool:
    if text is None:
        return not check.required
    try:
        return math.isfinite(check.read(text))
    except ValueError:
        return False
