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
    Column,
    Deployment,
    Execution,
    Sample,
    Status,
    Undefined,
    Violation,
    labels_of,
)
from watchkeeper.core.windows import Duration, Window

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


@pytest.mark.parametrize("other", [object(), b"ab", bytearray(b"ab")])
def test_only_values_are_encoded(other: object) -> None:
    with pytest.raises(TypeError, match="want a value"):
        plain(other)


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


SAMPLE = '{"metric": "m", "labels": [["a", "b"]], "value": 1, "time": "2020-01-01T00:00:00Z"}'


@pytest.mark.parametrize(
    ("good", "bad", "reason"),
    [
        ('["a", "b"]', '["a", "b", "c"]', r"Sample.labels\[0\]: want 2 items, got 3"),
        ('["a", "b"]', '["a"]', r"Sample.labels\[0\]: want 2 items, got 1"),
        ('"value": 1', '"value": NaN', "Sample.value: want a finite number, got nan"),
        ('"value": 1', '"value": 1e999', "Sample.value: want a finite number, got inf"),
        ('"value": 1', f'"value": 1{"0" * 400}', "Sample.value: int too large"),
        ('"value": 1', '"value": true', "Sample.value: want float, got bool"),
        ("2020-01-01T00:00:00Z", "yesterday", 'Sample.time: want a time with a zone .*, got "yesterday"'),
    ],
)
def test_a_sample_that_is_none_is_refused_with_its_place(good: str, bad: str, reason: str) -> None:
    assert decode(Sample, SAMPLE).value == 1.0
    with pytest.raises(ValueError, match=f"read {reason}"):
        decode(Sample, SAMPLE.replace(good, bad))


@pytest.mark.parametrize(
    ("kind", "data", "reason"),
    [
        (Column, '{"name": "a", "type": "Whole", "role": "id"}', "read Column.type: 'Whole' is not a valid"),
        (
            Window,
            '{"start": "2020-01-02T00:00:00Z", "end": "2020-01-01T00:00:00Z"}',
            "read Window: a window wants its end after its start",
        ),
    ],
)
def test_what_a_value_itself_refuses_has_its_place_too(kind: type[object], data: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        decode(kind, data)


def test_unknown_keys_are_ignored_so_that_older_versions_can_read() -> None:
    assert decode(Actor, b'{"name": "kim", "how": "os-user", "since": 2030}') == Actor("kim", "os-user")


def test_labels_are_sorted() -> None:
    assert labels_of(project="p", environment="prod") == (("environment", "prod"), ("project", "p"))
    assert plain(Status.AWAITING_LABELS) == "AwaitingLabels"


@dataclass(frozen=True)
class Series:
    """Many plain items, which are looked at all at once where they are of their kind."""

    numbers: tuple[float, ...]
    counts: dict[str, int]


SERIES = '{"numbers": [1.5, 2.5], "counts": {"a": 1}}'


@pytest.mark.parametrize(
    ("good", "bad", "reason"),
    [
        ("2.5", "NaN", r"Series.numbers\[1\]: want a finite number, got nan"),
        ("2.5", '"2.5"', r"Series.numbers\[1\]: want float, got str"),
        ("2.5", "true", r"Series.numbers\[1\]: want float, got bool"),
        ('"a": 1', '"a": true', "Series.counts.a: want int, got bool"),
        ('"a": 1', '"a": 1.5', "Series.counts.a: want int, got float"),
    ],
)
def test_one_item_among_many_that_is_none_has_its_place(good: str, bad: str, reason: str) -> None:
    assert decode(Series, SERIES) == Series((1.5, 2.5), {"a": 1})
    with pytest.raises(ValueError, match=f"read {reason}"):
        decode(Series, SERIES.replace(good, bad))


def test_whole_numbers_among_floats_come_back_as_floats() -> None:
    found = decode(Series, SERIES.replace("2.5", "2")).numbers
    assert [type(number) for number in found] == [float, float]
