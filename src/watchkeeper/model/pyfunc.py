"""The model folder as MLflow's loader module: `mlflow.pyfunc` calls `_load_pyfunc` by this name.

Nothing of MLflow or pandas is imported here; a frame is anything whose columns have `tolist`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from watchkeeper.model.artefact import Model, load


class Frame(Protocol):
    """What is used of a pandas DataFrame."""

    columns: Any

    def __getitem__(self, name: str, /) -> Any: ...


@dataclass(frozen=True, slots=True)
class PyfuncModel:
    """Our model behind MLflow's calling form."""

    model: Model

    def predict(
        self, model_input: Frame, params: Mapping[str, object] | None = None
    ) -> npt.NDArray[np.float64]:
        """Answer the frame's rows, shape (rows,); None, NaN and NA are missing. Takes no `params`."""
        if params:
            raise ValueError(f"predict: this model takes no params, got {', '.join(params)}")
        present = [name for name in self.model.columns if name in model_input.columns]
        return self.model.predict(
            {name: [_text(v) for v in model_input[name].tolist()] for name in present}
        ).values


def _text(value: Any) -> str | None:
    # Missing values are None, or, like NaN, NaT and NA, not themselves.
    return None if value is None or (value == value) is not True else str(value)


def _load_pyfunc(path: str) -> PyfuncModel:
    return PyfuncModel(load(Path(path)))
