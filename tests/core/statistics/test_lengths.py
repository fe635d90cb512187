from collections import Counter

import polars as pl
import pytest

from watchkeeper.core.statistics import Lengths, Signs
from watchkeeper.core.statistics.lengths import BOUND, TextShape, pattern_of
from watchkeeper.core.values import Undefined


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("10 TO 12", "9 A 9"),
        ("406A", "9A"),
        ("ANG  MO\tKIO", "A A A"),
        ("a-b_c", "A-A_A"),
        ("Zürich 八٣", "A A9"),
        ("", ""),
        ("-1.5e3", "-9.9A9"),
        ("." * 100, "." * 64),
    ],
)
def test_a_pattern_is_runs_of_digits_letters_and_blanks(text: str, pattern: str) -> None:
    assert pattern_of(pl.Series([text])).to_list() == [pattern]


def test_lengths_are_in_characters_and_weighted_by_rows() -> None:
    shape = Lengths.of(pl.Series(["é", "é", "é", "abcde", None, ""])).value()
    assert shape == TextShape(1, 5, 2.0, "A", 1.0)
    assert Lengths.of(pl.Series([None, ""])).value() == Undefined("no texts")


def test_of_patterns_as_common_as_each_other_the_first_is_said() -> None:
    assert Lengths.of(pl.Series(["a", "1"])).value() == TextShape(1, 1, 1.0, "9", 0.5)


def test_of_many_patterns_the_common_ones_are_kept_with_their_error() -> None:
    texts = ["." * number for number in range(1, 200)] + ["12"] * 100
    state = Lengths.of(pl.Series(texts[:150])).merge(Lengths.of(pl.Series(texts[150:])))
    assert len(state.patterns.counts) <= BOUND.values
    truth = Counter(pattern_of(pl.Series(texts)).to_list())
    kept = dict(state.patterns.counts)
    assert all(
        kept.get(pattern, 0) <= count <= kept.get(pattern, 0) + state.patterns.error
        for pattern, count in truth.items()
    )


def test_signs_are_of_numbers_alone() -> None:
    assert Signs.of(pl.Series([-1.0, 0.0, float("nan"), None, 2.0, 3.0])) == Signs(1, 1, 2)
