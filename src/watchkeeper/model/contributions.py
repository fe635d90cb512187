"""SHAP values of trees, exact and for many rows at once: what each feature added to each row's answer.

A leaf takes part in the game of a coalition S with its weight w times, for each feature on its path, 1 or 0
where the feature is in S (the row keeps to the leaf's conditions on it or not, s), or the share r of training
rows that did where it is not (path-dependent SHAP: Lundberg et al., "From local explanations to global
understanding with explainable AI for trees", 2020, algorithm 1). The Shapley value of such a product is

    phi_j = sum over leaves of w (s_j - r_j) * integral over t from 0 to 1 of
            the product over i != j of (t s_i + (1 - t) r_i)

since the integral of t^k (1 - t)^(n - 1 - k) is the Shapley weight k! (n - 1 - k)! / n! (Owen, "Multilinear
extensions of games", 1972). The integrand is a polynomial, which Gauss-Legendre quadrature sums exactly.

It depends on a row only by its decisions at the nodes. So the trees are cut into subtrees of few nodes, and
each gets a table of the contributions of all its leaves, by the decisions on the way to it and in it: a row
costs one lookup a subtree, in place of a walk over all leaves.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost as xgb

Floats = npt.NDArray[np.float64]
Table = npt.NDArray[np.float32]
Matrix = npt.NDArray[np.float32]
Bits = npt.NDArray[np.bool_]
Pattern = npt.NDArray[np.uint16]

THREADS = 2
LEAST_ROWS = 2_000  # below, XGBoost's own are done before the tables are made
DEEPEST = 10  # levels; each takes four times the memory to tabulate, here some 300 MB
TABLES = "tables"
_HEIGHT = 3  # levels of a subtree with a table of its own
_BLOCK = 32_768  # rows at a time
_TABLE_BYTES = 64 * 2**20  # of the tables held at a time, and at most of a tree's own
_LEAST_SHARE = 1e-12  # of a node no training row came to; nothing is divided by zero


@dataclass(frozen=True, slots=True)
class Contributions:
    """What each feature added to each row's margin, shape (rows, features), from `expected` on.

    A row's contributions and `expected` together are its margin: the prediction itself of a regression by
    squared error, log-odds of a binary classification. `method` says how they came about.
    """

    values: Floats
    expected: float
    method: str


def contributions(booster: xgb.Booster, matrix: Matrix) -> Contributions:
    """Exact path-dependent SHAP values of rows, shape (rows, features), NaN where a value is missing.

    Many rows are looked up in tables; few rows, and models with native category splits, dropped or linear
    parts, or trees too deep for tables are left to XGBoost's own `pred_contribs`, and `method` says so.
    Raises ValueError for a matrix of another width than the trees were trained on, for values that are
    infinite, and for a model of several outputs.
    """
    if matrix.ndim != 2 or matrix.shape[1] != booster.num_features():
        raise ValueError(f"want rows of {booster.num_features()} features, got shape {matrix.shape}")
    if np.isinf(matrix).any():
        raise ValueError("want finite or missing values, got infinite ones")
    if len(matrix) < LEAST_ROWS:
        return _by_xgboost(booster, matrix, f"XGBoost: fewer than {LEAST_ROWS:,} rows")
    trees, reason = _trees(booster, matrix.shape[1])
    return (
        _by_xgboost(booster, matrix, f"XGBoost: {reason}") if reason else _by_tables(booster, trees, matrix)
    )


def _by_xgboost(booster: xgb.Booster, matrix: Matrix, method: str) -> Contributions:
    # the row of missing values gives the expected margin, also where there is no other
    asked = np.vstack([matrix, np.full((1, matrix.shape[1]), np.nan, dtype=np.float32)])
    found = booster.predict(xgb.DMatrix(asked, nthread=THREADS), pred_contribs=True)
    if found.ndim != 2:
        raise ValueError(f"explain a model: want one output, got contributions of shape {found.shape}")
    return Contributions(found[:-1, :-1].astype(np.float64), float(found[-1, -1]), method)


def _by_tables(booster: xgb.Booster, trees: Sequence[_Tree], matrix: Matrix) -> Contributions:
    rows, features = matrix.shape
    values = np.zeros((rows, features))
    blocks = [slice(start, start + _BLOCK) for start in range(0, rows, _BLOCK)]
    at_once = max(1, _TABLE_BYTES // max(_table_bytes(tree.levels[0], features) for tree in trees))
    with ThreadPoolExecutor(THREADS) as pool:
        for start in range(0, len(trees), at_once):
            plans = [_plan(tree, features) for tree in trees[start : start + at_once]]
            sums = pool.map(lambda block, plans=plans: _looked_up(plans, matrix[block]), blocks)
            for block, found in zip(blocks, sums, strict=True):
                values[block] += found
    return Contributions(values, _by_xgboost(booster, matrix[:0], "").expected, TABLES)


@dataclass(frozen=True, slots=True)
class _Tree:
    """Nodes by number, the root first; `left` is -1 of a leaf, whose weight is in `value`.

    `share` is the part of its parent's training rows that came to a node, `levels` how many there are below.
    """

    left: list[int]
    right: list[int]
    feature: list[int]
    value: list[float]
    default_left: list[int]
    share: list[float]
    levels: list[int]


@dataclass(frozen=True, slots=True)
class _Branch:
    """A node above the subtrees with tables."""

    node: int
    left: _Branch | _Subtree
    right: _Branch | _Subtree


@dataclass(frozen=True, slots=True)
class _Subtree:
    """Its inner nodes, and what its leaves add, shape (2 ** decisions, features).

    The decisions are those on the way to it and then its inner nodes', the first in the highest bit.
    """

    inner: tuple[int, ...]
    table: Table


@dataclass(frozen=True, slots=True)
class _Plan:
    """A tree to be looked up: how each inner node decides, as (node, feature, threshold, default left)."""

    nodes: int
    decisions: tuple[tuple[int, int, np.float32, bool], ...]
    root: _Branch | _Subtree


def _trees(booster: xgb.Booster, features: int) -> tuple[list[_Tree], str]:
    """The trees, or why there are none that tables could be made of."""
    learner = json.loads(booster.save_raw("json"))["learner"]
    if learner["gradient_booster"]["name"] != "gbtree":
        return [], f"a {learner['gradient_booster']['name']} model"
    model = learner["gradient_booster"]["model"]
    if any(model["tree_info"]) or any(
        int(tree["tree_param"]["size_leaf_vector"]) > 1 for tree in model["trees"]
    ):
        return [], "several outputs"
    if any(any(tree["split_type"]) for tree in model["trees"]):
        return [], "native category splits"
    trees = [_tree(tree) for tree in model["trees"]]
    if not trees:
        return [], "no trees"
    deepest = max(tree.levels[0] for tree in trees)
    large = deepest > DEEPEST or _table_bytes(deepest, features) > _TABLE_BYTES
    return ([], f"trees of {deepest} levels on {features} features") if large else (trees, "")


def _table_bytes(levels: int, features: int) -> int:
    """At most, of a tree's tables: one a subtree, with a line for each way to decide above and in it."""
    above = max(0, levels - _HEIGHT)
    return int(2**above * 2 ** (above + 2**_HEIGHT - 1) * features * np.dtype(np.float32).itemsize)


def _tree(raw: dict[str, Any]) -> _Tree:
    left, right, cover = raw["left_children"], raw["right_children"], raw["sum_hessian"]
    share = [1.0] * len(left)
    for node, (first, second) in enumerate(zip(left, right, strict=True)):
        for child in (first, second) if first >= 0 else ():
            share[child] = cover[child] / cover[node] if cover[node] > 0 else 0.0
    levels = [0] * len(left)

    def count(node: int) -> int:
        if left[node] >= 0:
            levels[node] = 1 + max(count(left[node]), count(right[node]))
        return levels[node]

    count(0)
    return _Tree(
        left, right, raw["split_indices"], raw["split_conditions"], raw["default_left"], share, levels
    )


def _looked_up(plans: Sequence[_Plan], rows: Matrix) -> Table:
    """The sum of all trees' contributions, shape (rows, features)."""
    columns = np.ascontiguousarray(rows.T)
    found = np.zeros(rows.shape, dtype=np.float32)
    buffer = np.empty_like(found)
    start = np.zeros(len(rows), dtype=np.uint16)
    for plan in plans:
        decided = np.empty((plan.nodes, len(rows)), dtype=np.bool_)
        for node, feature, threshold, default_left in plan.decisions:
            # a missing value compares false, which is the default way of both
            compare = np.greater_equal if default_left else np.less
            compare(columns[feature], threshold, out=decided[node])
        for subtree, pattern in _patterns(plan.root, decided, start):
            # every pattern is a line of the table; "clip" spares numpy a copy that its check would make
            np.take(subtree.table, pattern, axis=0, out=buffer, mode="clip")
            found += buffer
    return found


def _patterns(at: _Branch | _Subtree, decided: Bits, pattern: Pattern) -> Iterator[tuple[_Subtree, Pattern]]:
    """Each subtree with the rows' decisions on the way to it and in it, as a number."""
    if isinstance(at, _Branch):
        longer = _appended(pattern, decided[at.node])
        yield from _patterns(at.left, decided, longer)
        yield from _patterns(at.right, decided, longer)
        return
    for node in at.inner:
        pattern = _appended(pattern, decided[node])
    yield at, pattern


def _appended(pattern: Pattern, decision: Bits) -> Pattern:
    longer: Pattern = pattern << np.uint16(1)
    longer |= decision
    return longer


def _plan(tree: _Tree, features: int) -> _Plan:
    leaves = _leaves(tree, features)
    inner = [node for node, left in enumerate(tree.left) if left >= 0]
    decisions = tuple(
        (place, tree.feature[node], np.float32(tree.value[node]), bool(tree.default_left[node]))
        for place, node in enumerate(inner)
    )
    places = {node: place for place, node in enumerate(inner)}
    return _Plan(len(inner), decisions, _cut(_Cut(tree, leaves, places, features), 0, 0))


@dataclass(frozen=True, slots=True)
class _Cut:
    """A tree that is being cut, with its leaves' tables and its inner nodes' places."""

    tree: _Tree
    leaves: dict[int, Table]
    places: dict[int, int]
    features: int


def _cut(cut: _Cut, node: int, above: int) -> _Branch | _Subtree:
    """The tree from a node on that has so many nodes above it."""
    tree = cut.tree
    if tree.levels[node] > _HEIGHT:
        left, right = (_cut(cut, child, above + 1) for child in (tree.left[node], tree.right[node]))
        return _Branch(cut.places[node], left, right)
    inner: list[int] = []
    leaves: list[tuple[int, tuple[int, ...]]] = []
    _list(tree, node, (), inner, leaves)
    table = np.zeros((2 ** (above + len(inner)), cut.features), dtype=np.float32)
    for leaf, own in leaves:
        kept = tuple(range(above)) + tuple(above + place for place in own)
        table += cut.leaves[leaf][_of_kept(above + len(inner), kept)]
    return _Subtree(tuple(cut.places[each] for each in inner), table)


def _list(
    tree: _Tree, node: int, own: tuple[int, ...], inner: list[int], leaves: list[tuple[int, tuple[int, ...]]]
) -> None:
    """Inner nodes of a subtree in order, and its leaves with the places of the inner nodes above each."""
    if tree.left[node] < 0:
        leaves.append((node, own))
        return
    longer = (*own, len(inner))
    inner.append(node)
    _list(tree, tree.left[node], longer, inner, leaves)
    _list(tree, tree.right[node], longer, inner, leaves)


@cache
def _of_kept(decisions: int, kept: tuple[int, ...]) -> npt.NDArray[np.intp]:
    """Of each pattern of decisions, the number that those kept make."""
    patterns = np.arange(2**decisions)
    found = np.zeros_like(patterns)
    for place in kept:
        found = found << 1 | patterns >> (decisions - 1 - place) & 1
    return found


def _leaves(tree: _Tree, features: int) -> dict[int, Table]:
    """What each leaf adds, shape (2 ** decisions above it, features)."""
    by_length: dict[int, list[tuple[int, tuple[tuple[int, bool], ...]]]] = {}
    for leaf, path in _paths(tree, 0, ()):
        by_length.setdefault(len(path), []).append((leaf, path))
    found: dict[int, Table] = {}
    for length, leaves in by_length.items():
        tables = _tables(tree, leaves, length, features)
        found.update(zip((leaf for leaf, _ in leaves), tables, strict=True))
    return found


def _paths(
    tree: _Tree, node: int, path: tuple[tuple[int, bool], ...]
) -> Iterator[tuple[int, tuple[tuple[int, bool], ...]]]:
    """Each leaf with the nodes above it and whether it lies to their left."""
    if tree.left[node] < 0:
        yield node, path
        return
    yield from _paths(tree, tree.left[node], (*path, (node, True)))
    yield from _paths(tree, tree.right[node], (*path, (node, False)))


def _tables(
    tree: _Tree, leaves: Sequence[tuple[int, tuple[tuple[int, bool], ...]]], length: int, features: int
) -> Table:
    """Contributions of leaves with paths of one length, shape (leaves, 2 ** length, features)."""
    table = np.zeros((len(leaves), 2**length, features), dtype=np.float32)
    if not length:
        return table
    used = np.array([[tree.feature[node] for node, _ in path] for _, path in leaves])
    # the decision that leads on to the leaf: a bit is 1 where the row leaves the default way
    wanted = np.array([[left != bool(tree.default_left[node]) for node, left in path] for _, path in leaves])
    share = np.array(
        [[tree.share[(tree.left if left else tree.right)[node]] for node, left in path] for _, path in leaves]
    )
    patterns = np.arange(2**length)[:, None] >> np.arange(length)[::-1] & 1
    kept = patterns[None] == wanted[:, None]
    _merge(used, kept, share)
    weights = np.array([tree.value[leaf] for leaf, _ in leaves])
    added = weights[:, None, None] * _shapley(kept, np.maximum(share, _LEAST_SHARE))
    for place in range(length):
        table[np.arange(len(leaves)), :, used[:, place]] += added[:, :, place]
    return table


def _merge(used: npt.NDArray[np.intp], kept: Bits, share: Floats) -> None:
    """Make one condition of those on the same feature, at the first one's place; the others always hold."""
    length = used.shape[1]
    for later in range(1, length):
        for first in range(later):
            same = np.flatnonzero(used[:, first] == used[:, later])
            kept[same, :, first] &= kept[same, :, later]
            share[same, first] *= share[same, later]
            kept[same, :, later] = True
            share[same, later] = 1.0


def _shapley(kept: Bits, share: Floats) -> Floats:
    """(s_j - r_j) times the integral of the module's formula, shape (leaves, patterns, length)."""
    length = share.shape[1]
    nodes, weights = np.polynomial.legendre.leggauss((length + 1) // 2)
    whole = np.zeros(kept.shape)
    for t, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        factors = t * kept + (1 - t) * share[:, None]
        whole += weight * factors.prod(axis=2, keepdims=True) / factors
    return (kept - share[:, None]) * whole
