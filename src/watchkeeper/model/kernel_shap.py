"""SHAP values of any model that can be asked, by Kernel SHAP: a regression over coalitions of columns.

A column outside a coalition takes the values of background rows. With every coalition asked the result is
Shapley's value; with some of them it is sampled, by the kernel's weights (Lundberg and Lee, "A unified
approach to interpreting model predictions", 2017, theorem 2).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from watchkeeper.model.features import Columns

Floats = npt.NDArray[np.float64]
Bits = npt.NDArray[np.bool_]
Predict = Callable[[Columns], Floats]


@dataclass(frozen=True, slots=True)
class KernelSettings:
    """How many coalitions are asked of each row (None: 2 × columns + 2048, or all), and rows altogether."""

    coalitions: int | None = None
    most_rows: int = 100_000
    seed: int = 0


@dataclass(frozen=True, slots=True)
class KernelShap:
    """`values[i, j]` is what `columns[j]` added to row i's prediction, from `expected` on.

    `values` has a line for each row the budget allowed, the first ones; `asked` rows were sent to the model.
    `exact` says that every coalition was asked.
    """

    columns: tuple[str, ...]
    values: Floats
    expected: float
    asked: int
    exact: bool


def kernel_shap(
    predict: Predict, rows: Columns, background: Columns, settings: KernelSettings | None = None
) -> KernelShap:
    """Attributions of rows, columns of text, against background rows with the same columns.

    Of more rows than the budget allows the first are explained. Raises ValueError for columns that differ,
    for no row on either side, and for a budget that does not allow one row; what `predict` raises passes.
    """
    settings = settings or KernelSettings()
    names, height, others = tuple(rows), _height(rows), _height(background)
    if set(names) != set(background) or not height or not others:
        raise ValueError("explain by Kernel SHAP: want rows and background rows of the same columns")
    masks, weights = coalitions(len(names), settings.coalitions, settings.seed)
    each = len(masks) * others + 1
    count = min(height, (settings.most_rows - others) // each)
    if count < 1:
        raise ValueError(
            f"explain by Kernel SHAP: want a budget of at least {each + others:,} rows for one row "
            f"({len(masks):,} coalitions, {others:,} background rows), got {settings.most_rows:,}"
        )
    expected = float(_answers(predict, background).mean())
    solve = _solution(masks, weights)
    values = np.empty((count, len(names)))
    for place in range(count):
        own = {name: rows[name][place] for name in names}
        whole = float(_answers(predict, {name: [cell] for name, cell in own.items()})[0]) - expected
        said = _answers(predict, _mixed(own, background, masks))
        means = said.reshape(len(masks), others).mean(axis=1) - expected
        values[place] = _shapley(solve, masks, means, whole)
    exact = len(masks) == 2 ** len(names) - 2
    return KernelShap(names, values, expected, others + count * each, exact)


def coalitions(columns: int, wanted: int | None, seed: int) -> tuple[Bits, Floats]:
    """Coalitions to be asked, shape (coalitions, columns), and their weights; none of no or all columns.

    Sizes are taken whole from the outermost inwards, where the weight is, as far as `wanted` goes; of the
    others pairs of a coalition and its complement are drawn by `seed`.
    """
    wanted = 2 * columns + 2048 if wanted is None else wanted
    found: dict[tuple[bool, ...], float] = {}
    left: dict[int, float] = {}
    for size in range(1, columns // 2 + 1):
        count = math.comb(columns, size) * (1 if 2 * size == columns else 2)
        if not left and len(found) + count <= wanted:
            found.update(dict.fromkeys(_of_size(columns, size), _kernel(columns, size)))
        else:
            left[size] = count * _kernel(columns, size)
    if left and wanted > len(found):
        found.update(_drawn(columns, left, (wanted - len(found)) // 2 or 1, seed))
    if not found:
        return np.zeros((0, columns), dtype=bool), np.zeros(0)
    return np.array(list(found), dtype=bool), np.array(list(found.values()))


def _of_size(columns: int, size: int) -> Iterator[tuple[bool, ...]]:
    """Every coalition of a size, and their complements."""
    for chosen in combinations(range(columns), size):
        mask = tuple(place in chosen for place in range(columns))
        yield mask
        if size != columns - size:
            yield tuple(not each for each in mask)


def _kernel(columns: int, size: int) -> float:
    return (columns - 1) / (math.comb(columns, size) * size * (columns - size))


def _drawn(columns: int, left: Mapping[int, float], pairs: int, seed: int) -> dict[tuple[bool, ...], float]:
    """Pairs drawn among the sizes left, which share these sizes' weight by how often each was drawn."""
    random = np.random.Generator(np.random.PCG64(seed))
    sizes, masses = np.array(list(left)), np.array(list(left.values()))
    often: dict[tuple[bool, ...], int] = {}
    for size in random.choice(sizes, pairs, p=masses / masses.sum()).tolist():
        chosen = set(random.choice(columns, size, replace=False).tolist())
        mask = tuple(place in chosen for place in range(columns))
        for each in (mask, tuple(not inside for inside in mask)):
            often[each] = often.get(each, 0) + 1
    return {mask: count * masses.sum() / (2 * pairs) for mask, count in often.items()}


def _mixed(own: Mapping[str, str | None], background: Columns, masks: Bits) -> Columns:
    """Rows to be asked: of each coalition the row's cells inside it, each background row's outside."""
    return {
        name: [cell if inside else other for inside in masks[:, place].tolist() for other in background[name]]
        for place, (name, cell) in enumerate(own.items())
    }


def _solution(masks: Bits, weights: Floats) -> Floats:
    """The matrix that turns answers into the values of all columns but the last, which takes what is left."""
    if masks.shape[1] < 2:
        return np.zeros((0, len(masks)))
    free = masks[:, :-1].astype(float) - masks[:, -1:]
    found: Floats = np.linalg.pinv(free * np.sqrt(weights)[:, None]) * np.sqrt(weights)
    return found


def _shapley(solve: Floats, masks: Bits, means: Floats, whole: float) -> Floats:
    """Values that add up to `whole`, exactly."""
    first = solve @ (means - masks[:, -1] * whole)
    return np.append(first, whole - first.sum())


def _answers(predict: Predict, columns: Columns) -> Floats:
    wanted = _height(columns)
    if not wanted:
        return np.zeros(0)
    found = np.asarray(predict(columns), dtype=np.float64)
    if found.shape != (wanted,) or not np.isfinite(found).all():
        raise ValueError(f"explain by Kernel SHAP: want {wanted:,} finite answers, got shape {found.shape}")
    return found


def _height(columns: Columns) -> int:
    return len(next(iter(columns.values()))) if columns else 0
