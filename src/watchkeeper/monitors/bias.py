"""The bias monitor: is a group of people treated otherwise than in the baseline? (contract 7)

Rows are counted into a table first (`bias_metrics`), so any number of them takes little more than their
counting, and a bootstrap is a draw of counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from watchkeeper.core.nearest import nearest
from watchkeeper.core.statistics.distances import Mode
from watchkeeper.core.values import Role, Undefined
from watchkeeper.monitors.bias_errors import error_gaps
from watchkeeper.monitors.bias_metrics import POST_TRAINING, PRE_TRAINING, BiasTable, Formula
from watchkeeper.monitors.bias_values import (
    BiasAnalysis,
    BiasConfig,
    BiasMetric,
    BiasViolation,
    Facet,
    FacetBias,
)
from watchkeeper.monitors.monitor import Monitor

MONITOR = Monitor("bias", frozenset({Role.FEATURE, Role.PREDICTION, Role.LABEL}))

UNIQUENESS = 0.05  # share of distinct values from which whole numbers are taken for a continuous column
RESAMPLES = 400
LEAST_ROWS = 30  # of a facet's group, for a verdict in correct mode
ALPHA = 0.01  # one-sided, of each metric in correct mode
_Z = 2.3263478740408408  # its quantile of the normal distribution
_POWER = 0.8416212335729143  # that of a power of 80 %


@dataclass(frozen=True, slots=True)
class BiasSettings:
    """`mode`: the contract's arithmetic, or with standard errors; drawn by `seed`."""

    mode: Mode = Mode.CORRECT
    seed: int = 0


_CORRECT = BiasSettings()


def statistics(rows: pl.DataFrame, config: BiasConfig, settings: BiasSettings = _CORRECT) -> BiasAnalysis:
    """Every metric of every facet, those of predictions where `config.predicted` names them.

    Rows (text or typed columns) without a label, a prediction or a facet are not counted. A metric that has
    no value is Undefined and says why. Raises ValueError for a column or a value of a facet that is not
    there, and for a threshold on texts.
    """
    _check_columns(rows, config)
    outcomes = [name for name in (config.label, config.predicted) if name]
    known = rows.filter(pl.all_horizontal(_present(rows[name]).alias(name) for name in outcomes))
    if not known.height:
        raise ValueError(
            f"measure bias: want rows with {' and '.join(outcomes)}, got none of {rows.height:,}"
        )
    _check_values([known[name] for name in outcomes], config.positive)
    label = _Column.of(known[config.label], config.positive)
    found = tuple(
        _facet(known, facet, config, label, settings)
        for each in config.facets
        for facet in _groups_of(known, each)
    )
    return BiasAnalysis(config.label, label.text, found)


def check(
    current: BiasAnalysis, baseline: BiasAnalysis, mode: Mode = Mode.CORRECT
) -> tuple[BiasViolation, ...]:
    """Metrics of the model that are further from 0 than in the baseline, matched by facet and name (7.6).

    Compatible mode is the contract's rule, plain absolute values. Correct mode measures DI from 1, by its
    logarithm; asks for a change that chance gives in one of a hundred cases at most, by both standard errors;
    and leaves groups of fewer than 30 rows alone (see `unjudged`). A metric that is Undefined on either side
    is not compared.
    """
    found = []
    for facet in current.facets:
        before = counterpart(facet, baseline)
        if before is None or (mode is Mode.CORRECT and facet.rows < LEAST_ROWS):
            continue
        for metric in facet.of_model:
            old = before.metric(metric.name)
            if old is None or isinstance(metric.value, Undefined) or isinstance(old.value, Undefined):
                continue
            if _is_worse(metric, old, mode):
                found.append(_violation(facet, metric.name, metric.value, old.value))
    return tuple(found)


def unjudged(current: BiasAnalysis, baseline: BiasAnalysis) -> tuple[str, ...]:
    """What correct mode does not judge, in words: that is no pass."""
    said = []
    for facet in current.facets:
        who = f"{facet.name} {facet.value}"
        before = counterpart(facet, baseline)
        if before is None:
            said.append(f"bias of {who} not judged: the baseline has no such facet")
        elif facet.rows < LEAST_ROWS:
            said.append(f"bias of {who} not judged: {facet.rows} rows, want at least {LEAST_ROWS}")
        else:
            reasons = [
                f"{each.name} ({why})"
                for each in facet.of_model
                if (why := _why_not(each, before.metric(each.name)))
            ]
            if reasons:
                said.append(f"bias of {who} not judged: {', '.join(reasons)}")
    return tuple(said)


def _why_not(metric: BiasMetric, baseline: BiasMetric | None) -> str:
    """Why a metric cannot be compared with the baseline's; empty when it can."""
    if baseline is None:
        return "the baseline has none"
    now, then = metric.value, baseline.value
    if isinstance(now, Undefined) or isinstance(then, Undefined):
        return now.reason if isinstance(now, Undefined) else "it has no value in the baseline"
    for found in (_growth(metric.name, now, then), _both_errors(metric, baseline)):
        if isinstance(found, Undefined):
            return found.reason
    return ""


def smallest_change(metric: BiasMetric, baseline: BiasMetric) -> float | Undefined:
    """The least growth of a metric that correct mode would have found in four of five cases."""
    error = _both_errors(metric, baseline)
    return error if isinstance(error, Undefined) else (_Z + _POWER) * error


# Columns


@dataclass(frozen=True, slots=True, eq=False)
class _Column:
    """Which rows of a column are of the values asked for, and how these are written in the file."""

    chosen: NDArray[np.bool_]
    codes: NDArray[np.intp]  # of each row's value; of a continuous column, whether it is above the threshold
    of_code: NDArray[np.bool_]
    text: str

    @classmethod
    def of(cls, column: pl.Series, wanted: Sequence[str]) -> _Column:
        texts = _texts(column)
        names, codes = np.unique(texts, return_inverse=True)
        if len(wanted) == 1 and is_continuous(column):
            numbers, threshold = _numbers(column), _threshold(column.name, wanted[0])
            above = numbers > threshold
            interval = f"({_spelled(threshold)}, {_spelled(float(numbers.max()))}]"
            return cls(above, above.astype(np.intp), np.array([False, True]), interval)
        values = [_spelled_text(each) for each in wanted]
        of_code = np.isin(names, values)
        return cls(of_code[codes], codes, of_code, ",".join(values))


def is_continuous(column: pl.Series) -> bool:
    """Whether a column is one of amounts: fractions, or whole numbers many of which differ (7.4).

    Two values are two categories however few rows there are, where Clarify takes 0 and 1 in less than 41 rows
    for amounts.
    """
    numbers = column.cast(pl.Float64, strict=False)
    if numbers.null_count() > column.null_count() or not column.len():
        return False
    if (numbers.drop_nulls() % 1 != 0).any():
        return True
    return numbers.n_unique() > 2 and numbers.n_unique() / column.len() >= UNIQUENESS


def _present(column: pl.Series) -> pl.Series:
    return column.is_not_null() & (column.cast(pl.String).str.strip_chars() != "")


def _texts(column: pl.Series) -> NDArray[np.str_]:
    """The cells as texts, whole numbers without their fraction."""
    names, codes = np.unique(column.cast(pl.String).to_numpy().astype(str), return_inverse=True)
    return np.array([_spelled_text(each) for each in names.tolist()], dtype=str)[codes]


def _spelled_text(value: str) -> str:
    try:
        number = float(value)
    except ValueError:
        return value.strip()
    return str(int(number)) if number.is_integer() else value.strip()


def _spelled(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)


def _numbers(column: pl.Series) -> NDArray[np.float64]:
    return column.cast(pl.Float64, strict=False).to_numpy()


def _threshold(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f'measure bias: want a number as threshold of column {name}, got "{text}"') from None


def _check_columns(rows: pl.DataFrame, config: BiasConfig) -> None:
    wanted = [config.label, config.predicted, config.group, *(facet.name for facet in config.facets)]
    for name in wanted:
        if name and name not in rows.columns:
            hint = nearest(name, rows.columns) or f", got {', '.join(rows.columns[:10])}"
            raise ValueError(f'measure bias: want the column "{name}"{hint}')
    if not config.facets or not config.positive:
        raise ValueError("measure bias: want at least one facet and one positive value")


def _check_values(columns: Sequence[pl.Series], wanted: Sequence[str]) -> None:
    """One of the values has to be in one of the columns, or a slip of the pen would look like no bias."""
    if len(wanted) == 1 and any(map(is_continuous, columns)):
        return
    held = sorted({name for column in columns for name in _texts(column).tolist()})
    values = [_spelled_text(each) for each in wanted]
    if not set(values) & set(held):
        hint = nearest(values[0], held) or f", got {', '.join(held[:5])}"
        where = " or ".join(column.name for column in columns)
        raise ValueError(f'measure bias: want the value "{values[0]}" in column {where}{hint}')


def _groups_of(rows: pl.DataFrame, facet: Facet) -> Iterator[Facet]:
    """The facet itself, or one for each of its values."""
    if facet.values:
        yield facet
        return
    column = rows[facet.name]
    for value in sorted(set(_texts(column.filter(_present(column))).tolist())):
        yield Facet(facet.name, (value,))


# One facet


def _facet(
    rows: pl.DataFrame, facet: Facet, config: BiasConfig, label: _Column, settings: BiasSettings
) -> FacetBias:
    there = _present(rows[facet.name]).to_numpy()
    known = rows.filter(there)
    _check_values([known[facet.name]], facet.values)
    group = _Column.of(known[facet.name], facet.values)
    predicted = _Column.of(known[config.predicted], config.positive).chosen if config.predicted else None
    table = _table(known, config, (label.codes[there], label.of_code), (group.chosen, predicted))
    if predicted is not None:
        table = table.drawn(table.counts, _flips(known, facet, config, group.chosen, predicted))
    draws = _draws(table, settings) if settings.mode is Mode.CORRECT else []
    return FacetBias(
        facet.name,
        group.text,
        int(group.chosen.sum()),
        known.height,
        _metrics(PRE_TRAINING, table, draws, settings),
        _metrics(POST_TRAINING, table, draws, settings) if config.predicted else (),
        _gaps(known, config, group.chosen) if settings.mode is Mode.CORRECT else (),
    )


def _gaps(rows: pl.DataFrame, config: BiasConfig, group: NDArray[np.bool_]) -> tuple[BiasMetric, ...]:
    """Error gaps, where both label and prediction are amounts."""
    if config.predicted is None:
        return ()
    both = rows[config.label], rows[config.predicted]
    if not all(map(is_continuous, both)):
        return ()
    labels, predictions = map(_numbers, both)
    return error_gaps(labels, predictions, group)


def _table(
    rows: pl.DataFrame,
    config: BiasConfig,
    labels: tuple[NDArray[np.intp], NDArray[np.bool_]],
    sides: tuple[NDArray[np.bool_], NDArray[np.bool_] | None],
) -> BiasTable:
    codes, positive = labels
    group, predicted = sides
    names, groups = (
        np.unique(_texts(rows[config.group].fill_null("")), return_inverse=True)
        if config.group
        else (
            np.array([""]),
            np.zeros(rows.height, np.intp),
        )
    )
    said = np.zeros(rows.height, np.intp) if predicted is None else predicted.astype(np.intp)
    shape = (len(names), 2, len(positive), 2)
    cells = np.ravel_multi_index((groups, group.astype(np.intp), codes, said), shape)
    counts = np.bincount(cells, minlength=math.prod(shape)).reshape(shape)
    return BiasTable(counts, positive, grouped=config.group is not None)


def _flips(
    rows: pl.DataFrame,
    facet: Facet,
    config: BiasConfig,
    group: NDArray[np.bool_],
    predicted: NDArray[np.bool_],
) -> tuple[int, int] | Undefined:
    """Rows of the group that the model sees otherwise than it sees their nearest neighbour in a (FT).

    One neighbour, by Euclidean distance of the features as they are: the file of AWS comes out so to the
    last bit (G7), and with five, as its code's default has it, it does not.
    """
    features = [name for name in rows.columns if name not in (facet.name, config.label, config.predicted)]
    if not features:
        return Undefined("no feature is left beside facet and label")
    if group.all() or not group.any():
        return Undefined("one of the facet's groups has no row")
    columns = []
    for name in features:
        numbers = rows[name].cast(pl.Float64, strict=False)
        if numbers.null_count() or not numbers.is_finite().all():
            return Undefined(f"FT needs numbers alone, column {name} has other cells")
        columns.append(numbers.to_numpy())
    points = np.column_stack(columns)
    _, places = cKDTree(points[~group]).query(points[group])
    expected, said = predicted[~group][places], predicted[group]
    return int((said & ~expected).sum()), int((~said & expected).sum())


def _metrics(
    formulas: Mapping[str, Formula], table: BiasTable, draws: Sequence[BiasTable], settings: BiasSettings
) -> tuple[BiasMetric, ...]:
    return tuple(
        BiasMetric(
            name,
            formula.description,
            (value := formula.of(table)),
            None if settings.mode is Mode.COMPATIBLE else _standard_error(name, formula, value, draws),
        )
        for name, formula in formulas.items()
    )


# Chance


def _draws(table: BiasTable, settings: BiasSettings) -> list[BiasTable]:
    """Tables of as many rows drawn again with replacement: Efron's bootstrap, on counts."""
    random = np.random.Generator(np.random.PCG64(settings.seed))
    total, shares = int(table.counts.sum()), table.counts.ravel() / table.counts.sum()
    drawn = random.multinomial(total, shares, RESAMPLES).reshape(RESAMPLES, *table.counts.shape)
    flips: Sequence[tuple[int, int] | Undefined] = [table.flips] * RESAMPLES
    if not isinstance(table.flips, Undefined):
        group = table.side(1).rows
        better, worse = (each / group for each in table.flips)
        of_flips = random.multinomial(int(group), [better, worse, max(0.0, 1 - better - worse)], RESAMPLES)
        flips = [(int(up), int(down)) for up, down, _ in of_flips]
    return [table.drawn(counts, of) for counts, of in zip(drawn, flips, strict=True)]


def _standard_error(
    name: str, formula: Formula, value: float | Undefined, draws: Sequence[BiasTable]
) -> float | Undefined:
    """The deviation of a metric over the draws, of DI that of its logarithm."""
    if isinstance(value, Undefined):
        return value
    drawn = [each for draw in draws if isinstance(each := formula.of(draw), float)]
    found = np.array([_distance_from_none(name, each) for each in drawn])
    finite = found[np.isfinite(found)]
    if finite.size < 0.95 * len(draws):
        return Undefined(f"{name} has no finite value in {len(draws) - finite.size} of {len(draws)} draws")
    return float(finite.std(ddof=1))


def _distance_from_none(name: str, value: float) -> float:
    """How far a metric is from no bias: from 0, DI from 1 by its logarithm."""
    if name != "DI":
        return value
    return math.log(value) if value > 0 else -math.inf


def _both_errors(metric: BiasMetric, baseline: BiasMetric) -> float | Undefined:
    errors = [metric.standard_error, baseline.standard_error]
    for error in errors:
        if isinstance(error, Undefined):
            return error
    known = [error for error in errors if isinstance(error, float)]
    return math.hypot(*known) if known else Undefined("no standard error is known")


def _is_worse(metric: BiasMetric, baseline: BiasMetric, mode: Mode) -> bool:
    now, then = metric.value, baseline.value
    if isinstance(now, Undefined) or isinstance(then, Undefined):
        return False
    if mode is Mode.COMPATIBLE:
        return abs(now) > abs(then)
    growth, error = _growth(metric.name, now, then), _both_errors(metric, baseline)
    if isinstance(error, Undefined) or isinstance(growth, Undefined):
        return False
    return growth > _Z * error and growth > 0


def _growth(name: str, now: float, then: float) -> float | Undefined:
    """How much further a metric is from no bias than it was."""
    distances = [abs(_distance_from_none(name, value)) for value in (now, then)]
    if math.inf in distances:
        return Undefined("it is infinite, which chance has no measure for")
    return distances[0] - distances[1]


def counterpart(facet: FacetBias, baseline: BiasAnalysis) -> FacetBias | None:
    """The baseline's facet: the same value, or the only one by that name, whatever its interval (7.6)."""
    named = [each for each in baseline.facets if each.name == facet.name]
    same = [each for each in named if each.value == facet.value]
    return same[0] if same else named[0] if len(named) == 1 else None


def _violation(facet: FacetBias, name: str, now: float, then: float) -> BiasViolation:
    words = "doesn't meet the baseline constraint requirement"
    text = f"Metric value {number_text(now)} {words} {number_text(then)}"
    return BiasViolation(facet.name, facet.value, name, text, now, then)


def number_text(value: float) -> str:
    """A metric's value as the contract prints it.

    >>> number_text(float("-inf")), number_text(0.25)
    ('-Infinity', '0.25')
    """
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(value)
