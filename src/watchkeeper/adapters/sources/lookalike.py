"""Generated sales that look like HDB's: same columns and categories, much the same shares and prices.

No row is real and street names are made up. A sale's price is that of its town, street, block,
storey, lease and model, times the market of its month, with noise; so a model can learn it, and
one left alone falls behind when the market rises from 2020 on, as it did.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from watchkeeper.adapters.sources.dataset import Dataset, SourceRequest, dataset
from watchkeeper.adapters.sources.lookalike_tables import LULL, MARKET, MODELS, SALES_A_MONTH, TOWNS
from watchkeeper.core.windows import months_between

COLUMNS = (
    "month", "town", "flat_type", "block", "street_name", "storey_range", "floor_area_sqm", "flat_model",
    "lease_commence_date", "remaining_lease", "resale_price",
)  # fmt: skip

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_LEASE = 99 * 12  # months
_YOUNGEST = 36  # months after the lease began in which nobody may sell yet
_NEWEST = 2019.9
_NOISE = 0.054  # standard deviation of ln(price) that nothing explains


@dataclass(frozen=True, slots=True)
class Blocks:
    """The housing stock, one entry per block; `began` counts months from the year 0."""

    town: Integers
    street: Integers  # number of the street within the town
    number: npt.NDArray[np.str_]
    began: Integers
    storeys: Integers  # how many bands of three
    models: Integers  # shape (blocks, 2): the usual model and another
    weight: Floats
    level: Floats  # ln of the price per m² at storey 8 with 75 years left, before the model's premium


def load(request: SourceRequest) -> Dataset:
    """The look-alike as a source of its own; of the request only the seed counts."""
    return generate(request.seed, why="no file was named and the publisher was not asked")


def generate(seed: int, why: str) -> Dataset:
    """Sales of 2017-01 to 2022-12, about 2,000 a month; one seed always gives the same rows."""
    frame = sales(seed)
    description = (
        f"{frame.height:,} GENERATED sales (look-alike of HDB resale prices, seed {seed}): "
        f"no row is real, because {why}. Name a copy of the real file with --data or WATCHKEEPER_HDB_CSV."
    )
    return dataset(frame, "look-alike", description)


def sales(seed: int) -> pl.DataFrame:
    """The rows as text columns, in month order."""
    rng = np.random.default_rng(seed)
    blocks = _build(rng)
    months = np.array([_index(month) for month in months_between("2017-01", "2022-12")])
    drawn = [_month_of_sales(rng, blocks, int(month)) for month in months]
    at = np.concatenate(drawn)
    month = np.repeat(months, [len(rows) for rows in drawn])
    return _rows(rng, blocks, at, month)


def _build(rng: np.random.Generator) -> Blocks:
    counts = np.array([round(9 * town.sales) for town in TOWNS])
    town = np.repeat(np.arange(len(TOWNS)), counts)
    n = len(town)
    street = (rng.random(n) ** 1.3 * np.array([t.streets for t in TOWNS])[town]).astype(np.int64)
    lease = (
        np.array([t.lease for t in TOWNS])[town]
        + rng.normal(size=n) * np.array([t.spread for t in TOWNS])[town]
    )
    # What lies beyond the first and the newest lease is spread over the years next to them.
    began = np.where(
        lease > _NEWEST, _NEWEST - 7 * rng.random(n), np.where(lease < 1967, 1967 + 9 * rng.random(n), lease)
    )
    streets = rng.normal(scale=0.075, size=(len(TOWNS), max(t.streets for t in TOWNS)))
    level = np.log([t.price for t in TOWNS])[town] + streets[town, street] + rng.normal(scale=0.035, size=n)
    return Blocks(
        town=town,
        street=street,
        number=_numbers(rng, n),
        began=(began * 12).astype(np.int64),
        storeys=np.where(
            began < 1990, rng.integers(4, 6, n), np.minimum(3 + rng.gamma(2.5, 1.5, n), 17).astype(np.int64)
        ),
        models=_models(rng, began),
        weight=np.exp(rng.normal(scale=0.5, size=n))
        * np.array([t.sales for t in TOWNS])[town]
        / counts[town],
        level=level,
    )


def _numbers(rng: np.random.Generator, n: int) -> npt.NDArray[np.str_]:
    letters = np.where(rng.random(n) < 0.34, rng.choice(list("ABCD"), n), "")
    return np.char.add(rng.integers(1, 980, n).astype(str), letters)


def _models(rng: np.random.Generator, began: Floats) -> Integers:
    first = np.array([m.first for m in MODELS])
    last = np.array([m.last for m in MODELS])
    weights = np.array([m.weight for m in MODELS]) * ((first <= began[:, None]) & (began[:, None] < last))
    shares = np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)
    draws = rng.random((len(began), 2))
    chosen: Integers = (draws[:, :, None] > shares[:, None, :]).sum(axis=2)
    return chosen.clip(max=len(MODELS) - 1)


def _month_of_sales(rng: np.random.Generator, blocks: Blocks, month: int) -> Integers:
    """Which block each sale of the month is in."""
    usual = SALES_A_MONTH[month // 12] * rng.uniform(0.9, 1.1)
    weight = blocks.weight * (blocks.began + _YOUNGEST <= month)
    return rng.choice(len(weight), size=LULL.get(_text(month), round(usual)), p=weight / weight.sum())


def _rows(rng: np.random.Generator, blocks: Blocks, at: Integers, month: Integers) -> pl.DataFrame:
    n = len(at)
    model = np.where(rng.random(n) < 0.75, blocks.models[at, 0], blocks.models[at, 1])
    area = _areas(rng, model)
    band = (rng.random(n) ** 1.25 * blocks.storeys[at]).astype(np.int64)
    left = _LEASE - (month - blocks.began[at])
    price = area * np.exp(
        blocks.level[at]
        + np.array([m.premium for m in MODELS])[model]
        + 0.011 * (3 * band + 2 - 8)
        + 0.0075 * (left / 12 - 75)
        - 0.0018 * (area - 90)
        + np.log(np.interp(month, [_index(m) for m in MARKET], list(MARKET.values())))
        + rng.normal(scale=_NOISE, size=n)
    )
    years, months = np.divmod(left, 12)
    frame = pl.DataFrame({
        "town": np.array([t.name for t in TOWNS])[blocks.town[at]],
        "flat_type": np.array([m.flat_type for m in MODELS])[model],
        "block": blocks.number[at],
        "street": blocks.street[at],
        "band": 3 * band,
        "area": area,
        "flat_model": np.array([m.name for m in MODELS])[model],
        "began": blocks.began[at] // 12,
        "years": years,
        "months": months,
        "price": np.maximum(np.round(price / 1000) * 1000, 140_000),
        "month": month,
    })  # fmt: skip
    return _as_text(frame)


def _areas(rng: np.random.Generator, model: Integers) -> Floats:
    usual, spread = (np.array([getattr(m, name) for m in MODELS])[model] for name in ("area", "spread"))
    area: Floats = np.round(usual + spread * rng.normal(size=len(model)).clip(-2.5, 2.5))
    return np.where(rng.random(len(model)) < 0.0006, area + 0.3, area)


def _as_text(frame: pl.DataFrame) -> pl.DataFrame:
    number = pl.col("street") // 3 + 1
    road = pl.col("town").replace_strict({t.name: t.road for t in TOWNS})
    kinds = ((pl.lit(" AVE "), 0), (pl.lit(" ST "), 1), (pl.lit(" RD "), 2))
    street = pl.coalesce(
        pl.when(pl.col("street") % 3 == rest).then(pl.concat_str(road, kind, number)) for kind, rest in kinds
    )
    low, high = ((pl.col("band") + step).cast(pl.String).str.zfill(2) for step in (1, 3))
    months = pl.col("months").cast(pl.String).str.zfill(2)
    lease = (
        pl.when(pl.col("months") == 0).then(pl.format("{} years", "years"))
        .when(pl.col("months") == 1).then(pl.format("{} years {} month", "years", months))
        .otherwise(pl.format("{} years {} months", "years", months))
    )  # fmt: skip
    month = pl.format("{}-{}", pl.col("month") // 12, (pl.col("month") % 12 + 1).cast(pl.String).str.zfill(2))
    return frame.with_columns(
        month=month,
        street_name=street,
        storey_range=pl.format("{} TO {}", low, high),
        floor_area_sqm=pl.col("area").cast(pl.String).str.strip_suffix(".0"),
        lease_commence_date=pl.col("began").cast(pl.String),
        remaining_lease=lease,
        resale_price=pl.col("price").cast(pl.Int64).cast(pl.String),
    ).select(COLUMNS)


def _index(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:]) - 1


def _text(month: int) -> str:
    return f"{month // 12:04d}-{month % 12 + 1:02d}"
