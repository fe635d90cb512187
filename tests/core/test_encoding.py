"""The one encoder: what goes in comes out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core.encoding import canonical, decode, digest, encode, plain
from watchkeeper.core.values import (
    Actor,
    Deployment,
    Execution,
    Sample,
    Status,
    Undefined,
    Violation,
    labels_of,
)
from watchkeeper.core.windows import Duration

VALUES = [Deployment, Sample, Violation, Actor, Duration, Execution]
aware = st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))
st.register_type_strategy(datetime, aware)
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))


@dataclass(frozen=True)
class Either:
    value: float | Undefined
    parts: dict[str, tuple[int, ...]]


@given(st.data(), st.sampled_from([Deployment, Sample, Violation, Actor, Duration, Either]))
def test_a_value_survives_its_json(data: st.DataObject, kind: type[object]) -> None:
    value = data.draw(st.from_type(kind))
    assert decode(kind, encode(value)) == value


def test_the_spelling_does_not_depend_on_the_order_of_keys() -> None:
    assert (
        canonical({"b": 1, "a": [1.5, None]})
        == canonical({"a": [1.5, None], "b": 1})
        == b'{"a":[1.5,null],"b":1}'
    )
    assert digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_what_json_cannot_say_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="want a finite one"):
        encode({"rmse": [number]})


def test_only_values_are_encoded() -> None:
    with pytest.raises(TypeError, match="want a value"):
        plain(object())


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"{}", "missing"),
        (b"[]", "want dict, got list"),
        (b'{"name": 1, "how": "os-user"}', r"Actor.name: want str, got int"),
    ],
)
def test_other_data_is_refused_with_its_place(data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        decode(Actor, data)


def test_unknown_keys_are_ignored_so_that_older_versions_can_read() -> None:
    assert decode(Actor, b'{"name": "kim", "how": "os-user", "since": 2030}') == Actor("kim", "os-user")


def test_labels_are_sorted() -> None:
    assert labels_of(project="p", environment="prod") == (("environment", "prod"), ("project", "p"))
    assert plain(Status.AWAITING_LABELS) == "AwaitingLabels"
