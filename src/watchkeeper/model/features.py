"""From columns of text to the model's matrix: a specification as plain data, and what was fitted to it.

Training, serving, SHAP and the container encode with the same `Encoder`. It is dicts and numpy,
because an endpoint encodes one row at a time, in microseconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import InputError
from watchkeeper.model.parsing import PARSERS, number

Texts = Sequence[str | None]
Columns = Mapping[str, Texts]

MEAN_TARGET = "mean_target"
KINDS = (*PARSERS, MEAN_TARGET)

# Joins the parts of a category of several columns. No data has it, so "1 2" + "3" is not "1" + "2 3".
_JOIN = "\x1f"


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """One column of the matrix.

    `number`, `years`, `band` and `month` read the text of one column (see `model.parsing`).
    `mean_target` gives a category, of one column or of several together, the mean of
    target / `per` over its training rows (of the target alone without `per`). `smoothing`
    is the number of rows that the value of `fallback` weighs in that mean; `fallback` names an
    earlier `mean_target` feature, whose value a category takes that training has not seen.
    Without one it takes the mean over all training rows.
    """

    name: str
    kind: str
    columns: tuple[str, ...]
    per: str | None = None
    smoothing: float = 0.0
    fallback: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", tuple(self.columns))  # a project file gives a list
        if self.kind not in KINDS:
            raise ValueError(f'feature {self.name}: want a kind of {", ".join(KINDS)}, got "{self.kind}"')
        if not self.columns or (self.kind != MEAN_TARGET and len(self.columns) != 1):
            raise ValueError(
                f"feature {self.name}, kind {self.kind}: {len(self.columns)} columns are not what it takes"
            )
        if self.kind != MEAN_TARGET and (self.per or self.smoothing or self.fallback):
            raise ValueError(
                f"feature {self.name}: only kind {MEAN_TARGET} takes per, smoothing and fallback"
            )
        if not (math.isfinite(self.smoothing) and self.smoothing >= 0):
            raise ValueError(f"feature {self.name}: want smoothing of at least 0 rows, got {self.smoothing}")

    @property
    def source(self) -> str:
        """Its columns in one word: `block+street_name`."""
        return "+".join(self.columns)


def check_spec(spec: Sequence[FeatureSpec]) -> None:
    """Raise ValueError unless names are used once and each fallback is an earlier `mean_target`."""
    if not spec:
        raise ValueError("want at least one feature")
    earlier: dict[str, str] = {}
    for feature in spec:
        if feature.name in earlier:
            raise ValueError(f"feature {feature.name} is there twice")
        if feature.fallback and earlier.get(feature.fallback) != MEAN_TARGET:
            raise ValueError(
                f'feature {feature.name}: want an earlier {MEAN_TARGET} as fallback, got "{feature.fallback}"'
            )
        earlier[feature.name] = feature.kind


@dataclass(frozen=True, slots=True)
class Encoded:
    """The matrix, float32, shape (rows, features), NaN where a value is missing.

    `unseen` counts per source (`town`, `block+street_name`) the rows whose category no training
    row had; sources without any are left out.
    """

    matrix: npt.NDArray[np.float32]
    unseen: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Encoder:
    """A specification and the means fitted to it: plain data, stored with `core.encoding`.

    `means` holds by feature its categories' values (parts of a joined category are separated by
    U+001F), `overall` the mean over all training rows.
    """

    spec: tuple[FeatureSpec, ...]
    means: dict[str, dict[str, float]]
    overall: dict[str, float]

    @property
    def names(self) -> tuple[str, ...]:
        """The matrix's columns in order."""
        return tuple(feature.name for feature in self.spec)

    @property
    def columns(self) -> tuple[str, ...]:
        """The text columns `transform` reads, each once."""
        return tuple(dict.fromkeys(column for feature in self.spec for column in feature.columns))

    @classmethod
    def fit(cls, spec: Sequence[FeatureSpec], columns: Columns, target: npt.NDArray[np.float64]) -> Encoder:
        """Means of `target` (shape (rows,)) over the training rows; no other row may be among them.

        Raises InputError for a `per` that is missing or not above zero, ValueError for a
        specification that `check_spec` refuses or for no rows.
        """
        check_spec(spec)
        if not len(target):
            raise ValueError("fit features: want at least one row, got none")
        encoder = cls(tuple(spec), {}, {})
        rowwise: dict[str, list[float]] = {}
        for feature in spec:
            if feature.kind == MEAN_TARGET:
                values = target / _units(feature.per, columns) if feature.per else target
                overall = encoder.overall[feature.name] = float(values.mean())
                parents = rowwise.get(feature.fallback or "") or [overall] * len(values)
                keys = _keys(feature, columns)
                means = encoder.means[feature.name] = _smoothed(keys, values, parents, feature.smoothing)
                rowwise[feature.name] = [
                    means[k] if k is not None else p for k, p in zip(keys, parents, strict=True)
                ]
        return encoder

    def transform(self, columns: Columns) -> Encoded:
        """Encode rows given as text columns, in any order, all of one length.

        None and "" are missing. Raises InputError for a column that is not there or a text that
        cannot be read, naming column, row (from 1) and text.
        """
        rows = _height(self.columns, columns)
        matrix = np.empty((rows, len(self.spec)), dtype=np.float32)
        unseen: dict[str, int] = {}
        filled: dict[str, list[float]] = {}
        for at, feature in enumerate(self.spec):
            if feature.kind == MEAN_TARGET:
                values, strangers = self._look_up(feature, columns, filled)
                filled[feature.name] = values
                if strangers:
                    unseen[feature.source] = strangers
            else:
                values = _parsed(feature.columns[0], columns, PARSERS[feature.kind])
            matrix[:, at] = values
        return Encoded(matrix, unseen)

    def _look_up(
        self, feature: FeatureSpec, columns: Columns, filled: Mapping[str, list[float]]
    ) -> tuple[list[float], int]:
        means, overall = self.means[feature.name], self.overall[feature.name]
        keys = _keys(feature, columns)
        values = [math.nan if key is None else means.get(key, math.inf) for key in keys]
        strangers = values.count(math.inf)
        if strangers:
            parents = filled.get(feature.fallback or "") or [overall] * len(values)
            values = [
                _known(parent, overall) if v == math.inf else v
                for v, parent in zip(values, parents, strict=True)
            ]
        return values, strangers


def _known(parent: float, overall: float) -> float:
    return overall if math.isnan(parent) else parent


def _keys(feature: FeatureSpec, columns: Columns) -> list[str | None]:
    if len(feature.columns) == 1:
        return [text or None for text in columns[feature.columns[0]]]
    parts = zip(*(columns[name] for name in feature.columns), strict=True)
    return [_JOIN.join(texts) if all(texts) else None for texts in parts]


def _smoothed(
    keys: Sequence[str | None],
    values: npt.NDArray[np.float64],
    parents: Sequence[float],
    smoothing: float,
) -> dict[str, float]:
    codes: dict[str | None, int] = {}
    of_row = np.array([codes.setdefault(key, len(codes)) for key in keys], dtype=np.intp)
    counts = np.bincount(of_row)
    sums, above = np.bincount(of_row, values), np.bincount(of_row, parents)
    means = ((sums + smoothing * (above / counts)) / (counts + smoothing)).tolist()
    return {key: means[code] for key, code in sorted((key, c) for key, c in codes.items() if key is not None)}


def _units(per: str, columns: Columns) -> npt.NDArray[np.float64]:
    units = np.asarray(_parsed(per, columns, number), dtype=np.float64)
    if not (units > 0).all():
        row = int(np.flatnonzero(~(units > 0))[0])
        raise InputError(
            f'fit features per {per}, row {row + 1}: want a number above 0, got "{columns[per][row]}"'
        )
    return units


def _parsed(name: str, columns: Columns, parse: Callable[[str], float]) -> list[float]:
    texts = columns[name]
    known: dict[str | None, float] = {None: math.nan, "": math.nan}
    for row, text in enumerate(texts):
        if text not in known and text is not None:
            try:
                known[text] = parse(text)
            except ValueError as error:
                raise InputError(f"encode column {name}, row {row + 1}: {error}") from None
    return [known[text] for text in texts]


def _height(names: Sequence[str], columns: Columns) -> int:
    absent = [name for name in names if name not in columns]
    if absent:
        raise InputError(
            f"encode rows: want column {', '.join(absent)}, got {', '.join(columns) or 'no column'}"
        )
    heights = {len(columns[name]) for name in names}
    if len(heights) != 1:
        raise InputError(
            f"encode rows: want columns of one length, got {', '.join(map(str, sorted(heights)))} rows"
        )
    return heights.pop()
