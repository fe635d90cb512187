"""A schema from a project's columns and what its rows hold."""

from __future__ import annotations

import polars as pl

from watchkeeper.app.setup.project import Project
from watchkeeper.app.setup.sections import PREDICTION
from watchkeeper.core.statistics import Types
from watchkeeper.core.values import Column, ColumnType, Role, Schema


def schema_of(project: Project, frame: pl.DataFrame) -> Schema:
    """The project's columns in their order, typed by what the rows hold, then the prediction."""
    columns = [
        Column(name, Types.of(frame[name]).value() if name in frame.columns else ColumnType.UNKNOWN, role)
        for name, role in project.settings.data.columns.items()
    ]
    return Schema(1, (*columns, Column(PREDICTION, ColumnType.FRACTIONAL, Role.PREDICTION)))
