"""64-bit hashes of values that are the same in every process, and unlike each other in every bit."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

SEED = 20260730


def mixed(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Each word with its bits stirred, one to one: MurmurHash3's finaliser (Appleby, 2011)."""
    stirred = bits ^ (bits >> np.uint64(33))
    stirred *= np.uint64(0xFF51AFD7ED558CCD)
    stirred ^= stirred >> np.uint64(33)
    stirred *= np.uint64(0xC4CEB9FE1A85EC53)
    stirred ^= stirred >> np.uint64(33)
    return stirred


def of_numbers(values: NDArray[np.float64]) -> NDArray[np.uint64]:
    """By the bits of the doubles, so the same wherever they come from. Shape (n,)."""
    return mixed(values.view(np.uint64))


def of_texts(values: pl.Series) -> NDArray[np.uint64]:
    """By Polars' hash with a fixed seed, which is the same as long as its version is. Shape (n,)."""
    return mixed(values.hash(SEED).to_numpy())


def of_rows(rows: pl.Series) -> NDArray[np.uint64]:
    """As for texts; a series of structs is hashed field by field, null being a value. Shape (n,)."""
    frame = rows.struct.unnest() if rows.dtype == pl.Struct else rows.to_frame()
    return mixed(frame.hash_rows(SEED).to_numpy()) if frame.width else np.zeros(len(rows), np.uint64)


def distinct(hashes: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Each hash once, ascending, and how often it was there."""
    ordered = np.sort(hashes)
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])[: ordered.size])
    return ordered[starts], np.diff(starts, append=ordered.size)
