"""What each input column added to each prediction of a model: SHAP values by column, in the target's unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from watchkeeper.model.artefact import Model
from watchkeeper.model.contributions import contributions
from watchkeeper.model.features import Columns

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RowAttributions:
    """`values[i, j]` is what `sources[j]` added to row i's prediction, from `expected[i]` on.

    A source is a column, or several that the model reads together, such as block and street. `expected` is
    what the model answers without knowing the row, at the level of the row's month where it has a level: with
    `values` it adds up to the prediction. `level` is that level, 1 of a model without, shape (rows,).
    `method` says how the values were found.
    """

    sources: tuple[tuple[str, ...], ...]
    values: Floats
    expected: Floats
    method: str
    level: Floats

    @property
    def predictions(self) -> Floats:
        """The predictions explained, shape (rows,)."""
        found: Floats = self.expected + self.values.sum(axis=1)
        return found


def attributions(model: Model, columns: Columns) -> RowAttributions:
    """Explain rows given as text columns (see `Encoder.transform`, whose errors it raises).

    Features made of the same columns are added up, which Shapley values allow (their additivity): so a
    column's share does not depend on how many features it was made into.
    """
    matrix = model.encoder.transform(columns).matrix
    found = contributions(model.booster, matrix)
    read = [feature.columns for feature in model.encoder.spec]
    sources = tuple(dict.fromkeys(read))
    of_source = np.array([[columns == source for source in sources] for columns in read], dtype=np.float64)
    level = model.level.of(columns) if model.level else np.ones(len(matrix))
    return RowAttributions(
        sources, found.values @ of_source * level[:, None], found.expected * level, found.method, level
    )
