"""What rows are looked at apart by: columns of theirs, and expressions over these that the project names."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from watchkeeper.app.setup.project import Project
from watchkeeper.app.setup.sections import MonitorSection
from watchkeeper.core.values import ColumnType, Schema

_NUMBERS = (ColumnType.INTEGRAL, ColumnType.FRACTIONAL)


@dataclass(frozen=True, slots=True)
class SegmentsBy:
    """Columns and, by name, SQL expressions; a segment has at least `least` rows."""

    columns: Sequence[str]
    expressions: Mapping[str, str]
    least: int


@dataclass(frozen=True, slots=True)
class Divided:
    """Rows with a column for each expression, the columns to divide by, and what was left out and why."""

    rows: pl.DataFrame
    columns: tuple[str, ...]
    notes: tuple[str, ...]


def segments_by(project: Project, section: MonitorSection) -> SegmentsBy:
    """What the project divides rows by."""
    return SegmentsBy(tuple(project.settings.training.segments), section.segments, section.segment_rows)


def divided(rows: pl.DataFrame, schema: Schema, by: SegmentsBy, sensitive: Collection[str]) -> Divided:
    """Put each expression's value beside the rows; of one that is true or false only where it is true.

    Columns of numbers are numbers in expressions, others text. An expression that cannot be worked out, that
    is called as a column, or that reads a sensitive column is left out with a note; so are sensitive columns.
    """
    notes, columns = [], [name for name in by.columns if name not in sensitive]
    typed = rows.with_columns(
        pl.col(column.name).cast(pl.Float64, strict=False)
        for column in schema.columns
        if column.type in _NUMBERS and column.name in rows.columns
    )
    for name, text in by.expressions.items():
        found = _column(typed, name, text, sensitive)
        if isinstance(found, str):
            notes.append(f"segments by {name} not looked at: {found}")
        else:
            rows = rows.with_columns(found.alias(name))
            columns.append(name)
    return Divided(rows, tuple(columns), tuple(notes))


def _column(rows: pl.DataFrame, name: str, text: str, sensitive: Collection[str]) -> pl.Series | str:
    """The expression's values as text, or why there are none."""
    if name in rows.columns:
        return "there is a column of that name"
    try:
        expression = pl.sql_expr(text)
        if hidden := sorted(set(expression.meta.root_names()) & set(sensitive)):
            return f"{', '.join(hidden)} is sensitive"
        found = rows.with_columns(expression.alias(name))[name]
    except pl.exceptions.PolarsError as error:
        return str(error).partition("\n")[0]
    if found.dtype == pl.Boolean:
        return pl.select(pl.when(found).then(pl.lit("true")))["literal"]
    return found.cast(pl.String)
