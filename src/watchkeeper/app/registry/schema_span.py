"""Windows that span schema versions: rows are judged by their model's columns, where they have them."""

from __future__ import annotations

from itertools import pairwise

import polars as pl

from watchkeeper.app.registry.catalogue import catalogue
from watchkeeper.app.registry.schemas import schemas
from watchkeeper.core.ports import Store
from watchkeeper.core.schemas import schema_changes
from watchkeeper.core.values import Schema

SCHEMA = "_schema_version"  # the column that says under which version a row was captured


def captured_under(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """Rows of one schema version's captures, marked with it."""
    return frame.with_columns(pl.lit(schema.version, pl.Int64).alias(SCHEMA))


def judgeable(store: Store, frame: pl.DataFrame) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The marked rows that have every input of their model's schema, and what to say of the others.

    A row captured under a version that lacks one would count as a missing value there, which it is not.
    Rows of models that are not on record stay: whoever judges them says so.
    """
    columns = {each.version: {column.name for column in each.inputs} for each in schemas(store)}
    speaks = {model.version: model.schema_version for model in catalogue(store).versions}
    lacking, notes = [], []
    found = frame.drop_nulls("_model_version").group_by("_model_version", SCHEMA).len()
    for model, version, rows in sorted(found.iter_rows()):
        lacks = sorted(columns[speaks[model]] - columns[version]) if model in speaks else []
        if lacks:
            lacking.append((pl.col("_model_version") == model) & (pl.col(SCHEMA) == version))
            notes.append(
                f"{rows:,} rows of model v{model} were captured under schema v{version}, "
                f"which lacks {', '.join(lacks)}: not judged"
            )
    kept = frame.filter(~pl.any_horizontal(lacking).fill_null(value=False)) if lacking else frame
    return kept, tuple(notes)


def span_notes(store: Store, frame: pl.DataFrame) -> tuple[str, ...]:
    """What the schema versions of a window's marked rows do not agree on; empty when there is one."""
    rows = dict(sorted(frame.group_by(SCHEMA).len().iter_rows()))
    known = {each.version: each for each in schemas(store)}
    return tuple(
        f"the window spans schema v{old} ({rows[old]:,} rows) and v{new} ({rows[new]:,} rows); "
        f"{'; '.join(change.words for change in schema_changes(known[old], known[new]))}; "
        "each model's rows are judged by the columns of its own schema"
        for old, new in pairwise(rows)
    )
