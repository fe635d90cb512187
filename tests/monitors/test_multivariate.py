"""Columns that no longer hang together: found where each of them alone is as ever, and rarely by chance."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from watchkeeper.core.values import Column, ColumnType, Role, Schema
from watchkeeper.model.domain_classifier import tell_apart
from watchkeeper.monitors.multivariate import Encoding, reconstruction

SCHEMA = Schema(
    1,
    (
        Column("when", ColumnType.STRING, Role.TIME),
        Column("area", ColumnType.FRACTIONAL, Role.FEATURE),
        Column("rooms", ColumnType.INTEGRAL, Role.FEATURE),
        Column("town", ColumnType.STRING, Role.FEATURE),
        Column("note", ColumnType.STRING, Role.TEXT),
        Column("prediction", ColumnType.FRACTIONAL, Role.PREDICTION),
    ),
)


def rows(count: int, seed: int, apart: bool = False) -> pl.DataFrame:
    """Large flats have many rooms and are dear; `apart`, rooms are dealt out anew, their counts as before."""
    random = np.random.default_rng(seed)
    area = random.uniform(30, 150, count)
    rooms = np.round(area / 25 + random.normal(0, 0.3, count)).astype(int)
    price = area * 4_000 + rooms * 10_000 + random.normal(0, 20_000, count)
    if apart:
        rooms = random.permutation(rooms)
    return pl.DataFrame(
        {
            "when": ["2020-01"] * count,
            "area": area.round(1),
            "rooms": rooms,
            "town": random.choice(["north", "east", "west"], count, p=[0.5, 0.3, 0.2]),
            "note": [f"n{seed}-{place}" for place in range(count)],
            "prediction": price.round(0),
        }
    ).cast(pl.String)


def test_an_encoding_takes_what_can_be_compared() -> None:
    before = rows(500, 1)
    encoding = Encoding.of(before, SCHEMA)
    assert encoding.columns == ("area", "rooms", "town", "prediction")
    matrix = encoding.matrix(before)
    assert matrix.mean(axis=0) == pytest.approx(0, abs=1e-9)
    assert matrix.std(axis=0) == pytest.approx(1)
    odd = pl.DataFrame(
        {"area": [None, "large"], "rooms": ["3", "3"], "town": ["south", None], "prediction": ["1", "2"]}
    )
    known = encoding.matrix(odd)
    assert np.isfinite(known).all()
    assert known[:, 0].tolist() == [0, 0], "a number that is missing counts as the mean"
    assert known[0, 2] == known[1, 2] < matrix[:, 2].min(), "never seen"
    with pytest.raises(ValueError, match="prediction is not among the rows'"):
        encoding.matrix(before.drop("prediction"))
    with pytest.raises(ValueError, match="want at least two columns that vary, got 1"):
        Encoding.of(before.select("when", "area", pl.lit("1").alias("rooms")), SCHEMA)


@pytest.mark.parametrize("method", [reconstruction, tell_apart])
def test_what_no_column_shows_alone_is_found(method: object) -> None:
    before = rows(1_500, 1)
    encoding = Encoding.of(before, SCHEMA)
    found = method(encoding.matrix(before), encoding.matrix(rows(800, 2, apart=True)), encoding.columns)  # type: ignore[operator]
    assert found.drifted
    assert found.violation.check == "multivariate_drift_check"
    assert "rooms" in found.violation.description
    assert found.violation.value is not None


def test_chance_alone_is_seldom_called_drift() -> None:
    alarms = {"pca": 0, "classifier": 0}
    for seed in range(40):
        before, now = rows(600, 100 + seed), rows(400, 500 + seed)
        encoding = Encoding.of(before, SCHEMA)
        sides = encoding.matrix(before), encoding.matrix(now)
        alarms["pca"] += reconstruction(*sides, encoding.columns).drifted
        alarms["classifier"] += tell_apart(*sides, encoding.columns).drifted
    assert max(alarms.values()) <= 3, alarms


def test_the_auc_counts_pairs_in_order() -> None:
    random = np.random.default_rng(0)
    before, now = random.normal(0, 1, (300, 2)), random.normal(3, 1, (200, 2))
    told = tell_apart(before, now, ("a", "b"))
    assert told.auc > 0.95
    assert {name for name, _ in told.by} == {"a", "b"}
    assert sum(share for _, share in told.by) == pytest.approx(1)
    assert tell_apart(before, now, ("a", "b")) == told


@pytest.mark.parametrize(("before", "now"), [(99, 400), (400, 29)])
def test_too_few_rows_are_no_verdict(before: int, now: int) -> None:
    with pytest.raises(ValueError, match="want at least 100 rows"):
        reconstruction(np.zeros((before, 3)), np.zeros((now, 3)), ("a", "b", "c"))
    with pytest.raises(ValueError, match="want at least 100 rows on both sides"):
        tell_apart(np.zeros((before, 3)), np.zeros((now, 3)), ("a", "b", "c"))
