"""Any MLflow model as the endpoint's predictor, by its signature."""

from __future__ import annotations

import watchkeeper.adapters.local.mlflow_quiet  # noqa: F401  # isort: skip

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import numpy as np
import numpy.typing as npt
import pandas as pd  # type: ignore[import-untyped]
from mlflow.exceptions import MlflowException
from mlflow.types import DataType

from watchkeeper.core.errors import InputError
from watchkeeper.core.values import NUMERIC, Column, ColumnType, Role, Schema
from watchkeeper.model.parsing import number

MLMODEL = "MLmodel"
PREDICTION = "prediction"
_TYPES = {
    DataType.integer: ColumnType.INTEGRAL,
    DataType.long: ColumnType.INTEGRAL,
    DataType.float: ColumnType.FRACTIONAL,
    DataType.double: ColumnType.FRACTIONAL,
    DataType.string: ColumnType.STRING,
}


@dataclass(frozen=True, slots=True)
class Predictions:
    """One float64 value per row; an MLflow model does not say which categories it has not seen."""

    values: npt.NDArray[np.float64]
    unseen: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class MlflowModel:
    """An MLflow model; the columns of its signature are those of a request, in that order."""

    loaded: Any
    schema: Schema

    def predict(self, columns: Mapping[str, Sequence[str | None]]) -> Predictions:
        """Answer rows given as text columns, None where empty.

        Raises InputError for a cell that does not fit the signature, ValueError for answers that are not
        one number a row.
        """
        frame = pd.DataFrame({each.name: _cells(each, columns[each.name]) for each in self.schema.inputs})
        try:
            answers = self.loaded.predict(frame)
        except MlflowException as error:
            raise InputError(f"put rows to the MLflow model: {error.message}") from error
        values = np.asarray(answers, dtype=np.float64)
        if values.shape == (len(frame), 1):
            values = values[:, 0]
        if values.shape != (len(frame),):
            raise ValueError(f"want one number a row, shape ({len(frame)},), got {values.shape}")
        return Predictions(values, {})


def load_mlflow(folder: Path) -> MlflowModel:
    """Read an MLflow model's folder.

    Raises InputError for one that cannot be read, has no signature with named columns, or has columns of a
    type that a request's text cannot carry.
    """
    try:
        loaded = mlflow.pyfunc.load_model(str(folder))
    except (MlflowException, ImportError, OSError) as error:
        raise InputError(f"read MLflow model {folder}: {error}") from error
    inputs = loaded.metadata.get_input_schema()
    if inputs is None or not inputs.has_input_names():
        raise InputError(
            f"read MLflow model {folder}: want a signature with named columns "
            f"(mlflow.models.infer_signature makes one), got {'one without names' if inputs else 'none'}"
        )
    columns = []
    for each in inputs.inputs:
        if each.type not in _TYPES:
            wanted = ", ".join(sorted(kind.name for kind in _TYPES))
            raise InputError(
                f'read MLflow model {folder}, column "{each.name}": want a type of {wanted}, got {each.type}'
            )
        columns.append(Column(each.name, _TYPES[each.type], Role.FEATURE))
    answer = Column(PREDICTION, ColumnType.FRACTIONAL, Role.PREDICTION)
    return MlflowModel(loaded, Schema(1, (*columns, answer)))


def _cells(column: Column, texts: Sequence[str | None]) -> list[float | int | str | None]:
    if column.type not in NUMERIC:
        return list(texts)
    try:
        return [_number(column, text) for text in texts]
    except ValueError as error:
        raise InputError(f'read column "{column.name}": {error}') from None


def _number(column: Column, text: str | None) -> float | int | None:
    if text is None:
        return None
    value = number(text)
    if column.type is not ColumnType.INTEGRAL:
        return value
    if not value.is_integer():
        raise ValueError(f'want a whole number, got "{text}"')
    return int(value)
