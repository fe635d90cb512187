"""What two schema versions do not agree on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core.schemas import SchemaChangeKind, schema_changes
from watchkeeper.core.values import Column, ColumnType, Role, Schema


def column(name: str, type_: ColumnType = ColumnType.INTEGRAL, role: Role = Role.FEATURE) -> Column:
    return Column(name, type_, role)


def changes(before: list[Column], after: list[Column]) -> list[tuple[str, str, bool]]:
    found = schema_changes(Schema(1, tuple(before)), Schema(2, tuple(after)))
    return [(each.kind.value, each.words, each.guess) for each in found]


TOWN, AREA = column("town", ColumnType.STRING), column("area")


def test_the_same_columns_do_not_differ() -> None:
    assert changes([TOWN, AREA], [TOWN, AREA]) == []


def test_a_column_of_its_own_was_added_or_removed() -> None:
    floor = column("storey", ColumnType.FRACTIONAL)
    assert changes([TOWN, AREA], [TOWN, AREA, floor]) == [
        ("added", "storey was added: Fractional, feature", False)
    ]
    assert changes([TOWN, AREA, floor], [TOWN, AREA]) == [
        ("removed", "storey was removed: Fractional, feature", False)
    ]


def test_a_column_in_the_same_place_under_another_name_is_guessed_to_be_renamed() -> None:
    assert changes([TOWN, AREA], [TOWN, column("floor_size")]) == [
        ("renamed", "area may be called floor_size now: same type and role", True)
    ]


def test_a_like_name_elsewhere_is_guessed_to_be_the_same() -> None:
    found = changes([AREA, TOWN], [TOWN, column("area_sqm")])
    assert found == [("renamed", "area may be called area_sqm now: same type and role", True)]


def test_another_name_in_another_place_is_another_column() -> None:
    found = changes([AREA, TOWN], [TOWN, column("storeys")])
    assert [kind for kind, _, _ in found] == ["added", "removed"]


def test_another_type_or_role_is_no_new_name() -> None:
    assert [kind for kind, _, _ in changes([TOWN], [column("towns")])] == ["added", "removed"]
    assert [kind for kind, _, _ in changes([AREA], [column("areas", role=Role.ID)])] == ["added", "removed"]


def test_type_and_role_of_one_column_are_two_changes() -> None:
    assert changes([AREA], [column("area", ColumnType.FRACTIONAL, Role.IGNORED)]) == [
        ("retyped", "area was Integral, is Fractional", False),
        ("role changed", "area was feature, is ignored", False),
    ]


def test_only_those_that_have_to_move_are_said_to_have_moved() -> None:
    a, b, c, d = (column(name) for name in "abcd")
    assert changes([a, b, c, d], [d, a, b, c]) == [("reordered", "d moved from place 4 to 1", False)]


def test_an_added_column_moves_no_other() -> None:
    a, b, new = column("a"), column("b"), column("xyzzy", ColumnType.STRING)
    assert [kind for kind, _, _ in changes([a, b], [new, a, b])] == ["added"]


names = st.lists(st.text("abcxyz", min_size=1, max_size=4), unique=True, max_size=8)
schemas = names.flatmap(
    lambda chosen: st.tuples(
        *(
            st.builds(Column, st.just(name), st.sampled_from(ColumnType), st.sampled_from(Role))
            for name in chosen
        )
    )
)


@given(schemas, schemas)
def test_every_column_that_only_one_version_has_is_accounted_for_once(
    before: tuple[Column, ...], after: tuple[Column, ...]
) -> None:
    found = schema_changes(Schema(1, before), Schema(2, after))
    kinds = [each.kind for each in found]
    old, new = {c.name for c in before}, {c.name for c in after}
    renamed = kinds.count(SchemaChangeKind.RENAMED)
    assert kinds.count(SchemaChangeKind.ADDED) + renamed == len(new - old)
    assert kinds.count(SchemaChangeKind.REMOVED) + renamed == len(old - new)
    assert (found == ()) is (before == after)
