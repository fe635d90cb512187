import itertools
from functools import reduce

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeeper.core.statistics import (
    CONTRACT,
    STATISTICS,
    Categories,
    Distinct,
    Duplicates,
    Freshness,
    Hours,
    Kll,
    Lengths,
    Moments,
    Presence,
    Signs,
    Types,
)
from watchkeeper.core.statistics.distances import Mode
from watchkeeper.core.statistics.distinct import DistinctCount
from watchkeeper.core.statistics.duplicates import DuplicateRows
from watchkeeper.core.statistics.profiles import (
    PART_ROWS,
    ColumnProfile,
    RowsProfile,
    Settlement,
    assumed,
    kept_for,
    merge_profiles,
    part_frames,
    part_profile,
    profile,
    settled,
)
from watchkeeper.core.values import Column, ColumnType, Role

COLUMNS = (
    Column("size", ColumnType.FRACTIONAL, Role.FEATURE),
    Column("kind", ColumnType.STRING, Role.FEATURE),
)
UNDECLARED = (Column("a", ColumnType.UNKNOWN, Role.FEATURE),)


def frame(rows: int) -> pl.DataFrame:
    sizes, kinds = [str(row % 997 / 8) for row in range(rows)], ["abc"[row % 3] for row in range(rows)]
    return pl.DataFrame({"size": sizes, "kind": kinds}, schema={"size": pl.String, "kind": pl.String})


def test_each_type_of_column_keeps_its_statistics() -> None:
    numbers = kept_for(ColumnType.INTEGRAL, Mode.CORRECT)
    assert numbers == kept_for(ColumnType.FRACTIONAL, Mode.CORRECT)
    assert numbers == (Presence, Types, Moments, Kll, Distinct, Signs)
    assert kept_for(ColumnType.STRING, Mode.CORRECT) == (Presence, Types, Categories, Distinct, Lengths)
    assert kept_for(ColumnType.UNKNOWN, Mode.CORRECT, Role.TIME) == (Presence, Types, Freshness)


def test_compatible_mode_keeps_what_the_contracts_files_hold() -> None:
    assert kept_for(ColumnType.FRACTIONAL, Mode.COMPATIBLE) == (Presence, Types, Moments, Kll, Distinct)
    assert kept_for(ColumnType.STRING, Mode.COMPATIBLE, Role.TIME) == (Presence, Types, Categories, Distinct)


def test_every_statistic_is_of_columns_or_of_rows() -> None:
    of_columns = {
        kind
        for type_, role in itertools.product(ColumnType, Role)
        for kind in kept_for(type_, Mode.CORRECT, role)
    }
    assert of_columns | {Duplicates, Hours} == set(STATISTICS)
    assert set(CONTRACT) < of_columns


@settings(max_examples=8)
@given(st.lists(st.integers(0, PART_ROWS + 500), max_size=4), st.sampled_from(Mode))
def test_the_result_does_not_see_how_the_frame_is_chunked(cuts: list[int], mode: Mode) -> None:
    whole = frame(PART_ROWS + 500)
    edges = sorted({0, *cuts, whole.height})
    chunked = pl.concat(
        [whole.slice(start, end - start) for start, end in itertools.pairwise(edges)], rechunk=False
    )
    assert profile(chunked, COLUMNS, mode) == WHOLE[mode]


WHOLE = {mode: profile(frame(PART_ROWS + 500), COLUMNS, mode) for mode in Mode}


@pytest.mark.parametrize("mode", Mode)
def test_parts_are_fixed_and_merged_in_their_order(mode: Mode) -> None:
    whole = frame(PART_ROWS + 500)
    assert [part.height for part in part_frames(whole)] == [PART_ROWS, 500]
    head, tail = whole["size"][:PART_ROWS], whole["size"][PART_ROWS:]
    take = Moments.of if mode is Mode.CORRECT else Moments.in_row_order
    sizes = WHOLE[mode][0]
    assert sizes.state(Moments) == take(head).merge(take(tail))
    assert sizes.state(Kll) == Kll.of(head).merge(Kll.of(tail))
    assert sizes.state(Categories) is None


@pytest.mark.parametrize("mode", Mode)
def test_numbers_that_came_typed_give_what_their_texts_give(mode: Mode) -> None:
    texts = frame(3000)
    typed = texts.with_columns(pl.col("size").cast(pl.Float64))
    assert part_profile(typed, COLUMNS, mode) == part_profile(texts, COLUMNS, mode)


def test_codes_that_came_as_numbers_are_the_texts_they_were_declared() -> None:
    columns = (Column("code", ColumnType.STRING, Role.FEATURE),)
    typed = pl.DataFrame({"code": [7, None, 7, 12]})
    texts = typed.with_columns(pl.col("code").cast(pl.String))
    assert part_profile(typed, columns) == part_profile(texts, columns)


def test_distinct_values_are_exact_while_every_category_is_counted() -> None:
    columns = (Column("id", ColumnType.STRING, Role.FEATURE), Column("n", ColumnType.INTEGRAL, Role.FEATURE))
    few = pl.DataFrame({"id": [str(row) for row in range(5000)], "n": range(5000)})
    ids, numbers = part_profile(few, columns)
    assert ids.distinct() == DistinctCount(5000, 0.0)
    found = numbers.distinct()
    assert found is not None
    assert found.error > 0
    assert found.count == pytest.approx(5000, rel=0.03)
    assert ColumnProfile("x", ColumnType.UNKNOWN, ()).distinct() is None
    many = pl.DataFrame({"id": pl.Series(range(70_000)).cast(pl.String)})
    beyond = part_profile(many, columns[:1])[0].distinct()
    assert beyond is not None
    assert beyond.count == pytest.approx(70_000, rel=0.03)


def test_an_undeclared_column_is_what_its_cells_look_like() -> None:
    found = profile(pl.DataFrame({"a": ["1", "2.5"]}), UNDECLARED)
    assert found[0].declared is ColumnType.FRACTIONAL


def settle(parts: list[list[str | None]]) -> Settlement:
    """As a run does: the first part decides what is assumed, and all of them whether that was so."""
    frames = [pl.DataFrame({"a": pl.Series(cells, dtype=pl.String)}) for cells in parts]
    taken = assumed(UNDECLARED, frames[0])
    merged = reduce(merge_profiles, (part_profile(part, taken) for part in frames))
    return settled(UNDECLARED, taken, merged, Mode.CORRECT)


@pytest.mark.parametrize(
    ("parts", "type_", "again"),
    [
        ([["1"], ["2"]], ColumnType.INTEGRAL, ()),
        ([["1"], ["2.5"]], ColumnType.FRACTIONAL, ()),
        ([["1"], ["x"]], ColumnType.STRING, ("a",)),
        ([["x"], ["1"]], ColumnType.STRING, ()),
        ([[None], ["1"]], ColumnType.INTEGRAL, ("a",)),
        ([[None], [""]], ColumnType.UNKNOWN, ()),
    ],
)
def test_a_type_assumed_from_the_first_part_is_settled_by_all(
    parts: list[list[str | None]], type_: ColumnType, again: tuple[str, ...]
) -> None:
    assert settle(parts) == Settlement((Column("a", type_, Role.FEATURE),), again)


def test_a_declared_type_is_never_settled_anew() -> None:
    bad = pl.DataFrame({"size": ["x"], "kind": ["1"]})
    assert assumed(COLUMNS, bad) == COLUMNS
    assert settled(COLUMNS, COLUMNS, part_profile(bad, COLUMNS), Mode.CORRECT) == Settlement(COLUMNS, ())


def test_a_column_that_the_first_part_lacks_stays_unknown() -> None:
    assert assumed(UNDECLARED, pl.DataFrame({"b": ["1"]})) == UNDECLARED


def test_a_frame_without_rows_has_empty_states() -> None:
    found = profile(frame(0), COLUMNS)
    assert [column.state(Presence) for column in found] == [Presence(0, 0)] * 2


def test_columns_that_are_not_there_and_unlike_columns_are_refused() -> None:
    with pytest.raises(ValueError, match="no column size"):
        profile(pl.DataFrame({"kind": ["a"]}), COLUMNS)
    with pytest.raises(ValueError, match="merge column"):
        WHOLE[Mode.CORRECT][0].merge(WHOLE[Mode.CORRECT][1])
    with pytest.raises(ValueError, match="shorter"):
        WHOLE[Mode.CORRECT][0].merge(WHOLE[Mode.COMPATIBLE][0])


def test_whole_rows_are_counted_over_the_columns_named_and_by_hour() -> None:
    times = pl.Series(["2022-03-01T05:00:00Z", "2022-03-01T05:30:00Z", "2022-03-01T07:00:00Z"])
    part = pl.DataFrame({"a": ["x", "x", "y"], "b": [1, 1, 1], "_line": [2, 3, 4], "_time": times})
    first = RowsProfile.of(part, ("a", "b", "absent"), "_time")
    assert first.duplicates.value() == DuplicateRows(3, 1, 0.0, 1.0)
    again = first.merge(RowsProfile.of(part, ("a", "b", "absent"), "_time"))
    assert again.duplicates.value() == DuplicateRows(6, 4, 0.0, 1.0)
    assert again.hours is not None
    assert again.hours.value().hours == (("2022-03-01T05:00:00Z", 4), ("2022-03-01T07:00:00Z", 2))
    untimed = RowsProfile.of(part, ("a",))
    assert untimed.hours is None
    assert RowsProfile().merge(first) == first.merge(RowsProfile()) == first
