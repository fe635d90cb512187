"""What a loaded model is to those who ask it, and its answers checked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import InputError, WatchkeeperError
from watchkeeper.core.values import Schema
from watchkeeper.serving.refusals import ModelFailed, RequestRefused

# What a model's code may raise. Anything else is a fault of the server's own, and becomes a 500.
MODEL_FAULTS = (
    WatchkeeperError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


class Scores(Protocol):
    """What a model answers: float64 `values` of shape (rows,), and unseen categories counted by feature."""

    @property
    def values(self) -> npt.NDArray[np.float64]: ...

    @property
    def unseen(self) -> Mapping[str, int]: ...


class Predictor(Protocol):
    """A loaded model. `predict` is called from several threads.

    It answers each row for itself, so that rows of several requests may be asked together.
    """

    @property
    def schema(self) -> Schema: ...

    def predict(self, columns: Mapping[str, Sequence[str | None]]) -> Scores:
        """Answer rows given as columns of text, None where empty.

        Raises InputError for a value it cannot read.
        """


@dataclass(frozen=True, slots=True)
class Answered:
    """One finite prediction for each row, and unseen categories counted by feature."""

    values: list[float]
    unseen: Mapping[str, int]


def predictions(model: Predictor, columns: Mapping[str, Sequence[str | None]], who: str) -> Answered:
    """The model's answers to at least one column of rows; `who` names it in errors.

    Raises RequestRefused for rows that it cannot read, and ModelFailed when it raises anything else or
    answers with other than one finite number a row.
    """
    rows = len(next(iter(columns.values())))
    try:
        scores = model.predict(columns)
        values = scores.values
        if values.shape != (rows,):
            raise ValueError(f"want predictions of shape ({rows},), got {values.shape}")
        listed: list[float] = values.tolist()
        if not all(map(math.isfinite, listed)):
            others = rows - sum(map(math.isfinite, listed))
            raise ValueError(f"want finite predictions, got {others} of {rows} that are not")
        return Answered(listed, scores.unseen)
    except InputError as error:
        raise RequestRefused(str(error)) from error
    except MODEL_FAULTS as error:
        raise ModelFailed(f"invoke {who}: the model failed with {type(error).__name__}: {error}") from error
