import itertools

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeeper.core.statistics import STATISTICS, Categories, Kll, Moments, Presence, Types
from watchkeeper.core.statistics.profiles import PART_ROWS, kept_for, part_frames, profile
from watchkeeper.core.values import Column, ColumnType, Role

COLUMNS = (
    Column("size", ColumnType.FRACTIONAL, Role.FEATURE),
    Column("kind", ColumnType.STRING, Role.FEATURE),
)


def frame(rows: int) -> pl.DataFrame:
    sizes, kinds = [str(row % 997 / 8) for row in range(rows)], ["abc"[row % 3] for row in range(rows)]
    return pl.DataFrame({"size": sizes, "kind": kinds}, schema={"size": pl.String, "kind": pl.String})


def test_each_type_of_column_keeps_its_statistics() -> None:
    assert kept_for(ColumnType.INTEGRAL) == (Presence, Types, Moments, Kll)
    assert kept_for(ColumnType.STRING) == (Presence, Types, Categories)
    assert all(any(kind in kept_for(type_) for type_ in ColumnType) for kind in STATISTICS)


@settings(max_examples=8)
@given(st.lists(st.integers(0, PART_ROWS + 500), max_size=4))
def test_the_result_does_not_see_how_the_frame_is_chunked(cuts: list[int]) -> None:
    whole = frame(PART_ROWS + 500)
    edges = sorted({0, *cuts, whole.height})
    chunked = pl.concat(
        [whole.slice(start, end - start) for start, end in itertools.pairwise(edges)], rechunk=False
    )
    assert profile(chunked, COLUMNS) == WHOLE


WHOLE = profile(frame(PART_ROWS + 500), COLUMNS)


def test_parts_are_fixed_and_merged_in_their_order() -> None:
    whole = frame(PART_ROWS + 500)
    assert [part.height for part in part_frames(whole)] == [PART_ROWS, 500]
    head, tail = whole["size"][:PART_ROWS], whole["size"][PART_ROWS:]
    assert WHOLE[0].state(Moments) == Moments.of(head).merge(Moments.of(tail))
    assert WHOLE[0].state(Kll) == Kll.of(head).merge(Kll.of(tail))
    assert WHOLE[0].state(Categories) is None


def test_an_undeclared_column_is_what_its_cells_look_like() -> None:
    found = profile(pl.DataFrame({"a": ["1", "2.5"]}), (Column("a", ColumnType.UNKNOWN, Role.FEATURE),))
    assert found[0].declared is ColumnType.FRACTIONAL


def test_a_frame_without_rows_has_empty_states() -> None:
    found = profile(frame(0), COLUMNS)
    assert [column.state(Presence) for column in found] == [Presence(0, 0)] * 2


def test_columns_that_are_not_there_and_unlike_columns_are_refused() -> None:
    with pytest.raises(ValueError, match="no column size"):
        profile(pl.DataFrame({"kind": ["a"]}), COLUMNS)
    with pytest.raises(ValueError, match="merge column"):
        WHOLE[0].merge(WHOLE[1])
