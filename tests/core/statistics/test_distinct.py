import itertools
import math
import subprocess
import sys
from functools import reduce

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeeper.core.statistics import Distinct
from watchkeeper.core.statistics.distinct import EXACT, DistinctCount
from watchkeeper.core.statistics.hashing import mixed
from watchkeeper.core.statistics.hyperloglog import REGISTERS, STANDARD_ERROR, estimate, registers_of


def slow_registers(hashes: list[int]) -> list[int]:
    """HyperLogLog's registers bit by bit: the first 14 choose, the rest is searched for its first one."""
    found = [0] * REGISTERS
    for each in hashes:
        bits = f"{each:064b}"
        place, rest = int(bits[:14], 2), bits[14:]
        found[place] = max(found[place], rest.find("1") + 1 if "1" in rest else 51)
    return found


@given(st.lists(st.integers(0, 2**64 - 1), max_size=30))
def test_registers_are_those_of_the_definition(hashes: list[int]) -> None:
    assert registers_of(np.array(hashes, np.uint64)).tolist() == slow_registers(hashes)


@pytest.mark.parametrize("size", [1, 100, 10_000, 40_000, 100_000, 1_000_000])
def test_estimates_keep_to_their_error(size: int) -> None:
    """Root mean square over 20 sets, of which one alone may be three standard errors off."""
    offsets = range(0, 20 * size, size)
    found = [estimate(registers_of(mixed(np.arange(low, low + size, dtype=np.uint64)))) for low in offsets]
    off = np.array(found) / size - 1
    assert float(np.sqrt(np.mean(off**2))) < 1.5 * STANDARD_ERROR
    assert float(np.abs(off).max()) < 4 * STANDARD_ERROR


def slow_estimate(registers: list[int]) -> float:
    """Ertl's formula (2017) with its series written out."""
    counts = [registers.count(rank) / REGISTERS for rank in range(52)]
    low, high = counts[0], 1 - counts[51]
    sigma = low + sum(low ** (2**k) * 2 ** (k - 1) for k in range(1, 60))
    tau = (1 - high - sum((1 - high ** (2**-k)) ** 2 * 2**-k for k in range(1, 60))) / 3
    middle = sum(counts[rank] * 2**-rank for rank in range(1, 51))
    return float(REGISTERS / (2 * math.log(2) * (sigma + middle + tau * 2**-50)))


@pytest.mark.parametrize(("lowest", "highest"), [(0, 3), (0, 51), (5, 20), (48, 51)])
def test_the_estimate_is_that_of_the_formula(lowest: int, highest: int) -> None:
    registers = np.random.default_rng(5).integers(lowest, highest + 1, REGISTERS).astype(np.uint8)
    assert estimate(registers) == pytest.approx(slow_estimate(registers.tolist()), rel=1e-9)


def test_no_hashes_are_estimated_as_none() -> None:
    assert estimate(registers_of(np.empty(0, np.uint64))) == 0.0


def test_it_is_exact_up_to_as_many_values_as_take_the_room_of_the_registers() -> None:
    values = pl.Series(np.arange(EXACT + 1) / 8)
    assert Distinct.of(values[:-1]).value() == DistinctCount(EXACT, 0.0)
    beyond = Distinct.of(values).value()
    assert beyond.error == STANDARD_ERROR
    assert beyond.count == pytest.approx(EXACT + 1, rel=0.03)


@settings(max_examples=10)
@given(st.lists(st.integers(0, 60_000), max_size=5), st.sampled_from([7, 3_000, 60_000]))
def test_parts_give_the_whole_to_the_bit(cuts: list[int], distinct: int) -> None:
    values = pl.Series(np.arange(60_000) * 7919 % distinct)
    edges = sorted({0, *cuts, 60_000})
    parts = [Distinct.of(values[start:end]) for start, end in itertools.pairwise(edges)]
    assert reduce(lambda left, right: left.merge(right), parts) == Distinct.of(values)


def test_another_process_has_the_same_hashes() -> None:
    """Text's are Polars' own, seeded; they must not depend on a process' random state."""
    program = (
        "import polars as pl; from watchkeeper.core.statistics import Distinct, Duplicates; "
        "s = pl.Series(['a', 'é', '', 'ANG MO KIO']); "
        "print(Distinct.of(s).hashes.hex(), Duplicates.of(s.to_frame('a').to_struct()).hashes.hex())"
    )
    runs = {
        subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout
        for _ in range(2)
    }
    assert len(runs) == 1
    assert len(runs.pop()) > 100
