"""Rows that a baseline can be made of: a training run's, or a file's."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path, PurePath

import polars as pl

from watchkeeper.app.baselines.making import BaselineFor, BaselineRows
from watchkeeper.app.judging.judgement import LABEL
from watchkeeper.app.judging.judges import JUDGES
from watchkeeper.app.registry.baselines import Origin, OriginKind, baseline_records
from watchkeeper.app.registry.catalogue import catalogue
from watchkeeper.app.registry.schemas import schema
from watchkeeper.app.setup.targets import Target
from watchkeeper.core.encoding import digest
from watchkeeper.core.errors import InputError, IntegrityError
from watchkeeper.core.values import Schema
from watchkeeper.readers.table_files import file_bytes, text_table

_DOING = "read baseline rows"


def training_rows(target: Target, place: PurePath, schema: Schema, source: str) -> BaselineRows:
    """The rows a training run left for its baselines, in a file below the target's folder.

    Raises InputError when it is no longer there.
    """
    data = file_bytes(target.folder / place, _DOING)
    frame = pl.read_parquet(data).rename({schema.label.name: LABEL})
    return BaselineRows(frame, schema, source, Origin(OriginKind.TRAINING, place.as_posix(), digest(data)))


def rows_of_training(target: Target, model_version: int) -> BaselineRows:
    """The rows of the run that a model version came from, as they were when it was registered.

    Raises InputError when no baseline of the version says which they were, and IntegrityError when the
    file holds others by now.
    """
    known = schema(target.store, catalogue(target.store).version(model_version).schema_version)
    found = [
        record
        for monitor in target.project.settings.monitors
        for record in baseline_records(target.store, monitor)
        if record.model_version == model_version and record.origin.kind is OriginKind.TRAINING
    ]
    named = [record for record in found if record.origin.name]
    if not named:
        raise InputError(f"find the training rows of model v{model_version}: no baseline says where they are")
    earlier = named[0]
    rows = training_rows(target, PurePath(earlier.origin.name), known, earlier.source)
    if rows.origin.digest != earlier.origin.digest:
        raise IntegrityError(
            f"read training rows {earlier.origin.name}: want a file with digest "
            f"{earlier.origin.digest[:12]}…, got {rows.origin.digest[:12]}…"
        )
    return rows


def rows_of_file(target: Target, wanted: BaselineFor, path: Path) -> BaselineRows:
    """Rows of a CSV (also gzipped) or Parquet file with the columns of the model's schema by name.

    Raises InputError for one that lacks a column: an input, the prediction, or the label where the
    monitor needs it. Other columns are left out, and the source says so.
    """
    known = schema(target.store, catalogue(target.store).version(wanted.model_version).schema_version)
    data = file_bytes(path, _DOING)
    frame = text_table(data, path, _DOING)
    columns = [column.name for column in (*known.inputs, known.prediction)]
    if JUDGES[wanted.monitor].needs_labels:
        columns.append(known.label.name)
    _check_columns(frame, columns, path)
    left = [name for name in frame.columns if name not in (*columns, known.label.name)]
    left_out = f"; columns left out: {', '.join(left)}" if left else ""
    chosen = frame.select(name for name in frame.columns if name not in left)
    origin = Origin(OriginKind.FILE, path.as_posix(), digest(data))
    source = f"file {path.name}{left_out}"
    return BaselineRows(chosen.rename({known.label.name: LABEL}, strict=False), known, source, origin)


def _check_columns(frame: pl.DataFrame, wanted: Sequence[str], path: Path) -> None:
    missing = [name for name in wanted if name not in frame.columns]
    if missing:
        extra = [name for name in frame.columns if name not in wanted]
        said = [f"{name}{_near(name, extra)}" for name in missing]
        raise InputError(
            f"read baseline rows {path}: want the columns {', '.join(wanted)}; missing: {', '.join(said)}"
        )


def _near(name: str, extra: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, extra, n=1)
    return f" (is it {near[0]}?)" if near else ""
