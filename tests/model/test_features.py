"""Encoding: what is fitted, what falls back, what is missing, and what is refused."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core.encoding import decode, encode
from watchkeeper.core.errors import InputError
from watchkeeper.model.features import Encoder, FeatureSpec, check_spec

TOWN = FeatureSpec("town_price", "mean_target", ("town",), per="area")
STREET = FeatureSpec("street_price", "mean_target", ("street",), "area", 1.0, "town_price")
ADDRESS = FeatureSpec("address_price", "mean_target", ("block", "street"), "area", 1.0, "street_price")
AREA = FeatureSpec("area", "number", ("area",))
LEASE = FeatureSpec("lease", "years", ("lease",))
SPEC = (TOWN, STREET, ADDRESS, AREA, LEASE)

COLUMNS: dict[str, list[str | None]] = {
    "town": ["A", "A", "A", "B"],
    "street": ["S1", "S1", "S2", "S3"],
    "block": ["1", "2", "1", "1"],
    "area": ["10", "10", "10", "20"],
    "lease": ["61 years 06 months", "61", None, ""],
}
TARGET = np.array([100.0, 200.0, 300.0, 800.0])


def encoder() -> Encoder:
    return Encoder.fit(SPEC, COLUMNS, TARGET)


def row(**changes: str | None) -> dict[str, list[str | None]]:
    known = {"town": "A", "street": "S1", "block": "1", "area": "10", "lease": "61"}
    return {name: [text] for name, text in (known | changes).items()}


def test_a_category_is_the_mean_of_target_per_unit_drawn_to_its_fallback() -> None:
    fitted = encoder()
    assert fitted.means["town_price"] == {"A": 20.0, "B": 40.0}
    assert fitted.means["street_price"] == pytest.approx(
        {"S1": (10 + 20 + 20) / 3, "S2": (30 + 20) / 2, "S3": 40}
    )
    street = fitted.means["street_price"]["S1"]
    assert fitted.means["address_price"]["1\x1fS1"] == pytest.approx((10 + street) / 2)
    assert fitted.overall == pytest.approx(
        dict.fromkeys(("town_price", "street_price", "address_price"), 25.0)
    )


def test_a_category_not_seen_in_training_falls_back_step_by_step_and_is_counted() -> None:
    fitted = encoder()
    cases = [
        (row(block="9"), fitted.means["street_price"]["S1"], {"block+street": 1}),
        (row(street="S9"), 20.0, {"street": 1, "block+street": 1}),
        (row(street="S9", town="Z"), 25.0, {"town": 1, "street": 1, "block+street": 1}),
    ]
    for columns, expected, unseen in cases:
        encoded = fitted.transform(columns)
        assert encoded.matrix[0, 2] == pytest.approx(expected)
        assert encoded.unseen == unseen


def test_joined_categories_are_not_confused_by_their_seam() -> None:
    spec = (FeatureSpec("both", "mean_target", ("x", "y")),)
    fitted = Encoder.fit(spec, {"x": ["1 2", "1"], "y": ["3", "2 3"]}, np.array([1.0, 5.0]))
    assert fitted.transform({"x": ["1 2", "1"], "y": ["3", "2 3"]}).matrix[:, 0].tolist() == [1.0, 5.0]


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_missing_value_is_missing_and_no_unseen_category(nothing: str | None) -> None:
    encoded = encoder().transform(row(town=nothing, block=nothing, area=nothing, lease=nothing))
    assert np.isnan(encoded.matrix[0, [0, 2, 3, 4]]).all()
    assert not np.isnan(encoded.matrix[0, 1])
    assert encoded.unseen == {}


def test_an_unseen_street_in_a_missing_town_takes_the_overall_mean() -> None:
    assert encoder().transform(row(town=None, street="S9")).matrix[0, 1] == 25.0


def test_a_text_that_is_no_number_is_named_with_column_and_row() -> None:
    columns = {name: [*texts, texts[0]] for name, texts in COLUMNS.items()} | {
        "area": ["10", "10", "1O", "20", "7"]
    }
    with pytest.raises(InputError, match=r'column area, row 3: want a number, got "1O"'):
        encoder().transform(columns)


def test_missing_columns_and_ragged_columns_are_refused() -> None:
    with pytest.raises(InputError, match="want column street, block"):
        encoder().transform({name: COLUMNS[name] for name in ("town", "area", "lease")})
    with pytest.raises(InputError, match="one length"):
        encoder().transform(COLUMNS | {"town": ["A"]})


def test_an_area_of_zero_is_refused_when_fitting() -> None:
    with pytest.raises(InputError, match='per area, row 2: want a number above 0, got "0"'):
        Encoder.fit(SPEC, COLUMNS | {"area": ["10", "0", "10", "20"]}, TARGET)


def test_only_training_rows_are_in_the_means() -> None:
    before = encoder()
    before.transform(row(street="S9"))
    assert before == encoder()


def test_an_encoder_is_plain_data_and_comes_back_the_same() -> None:
    fitted = encoder()
    back = decode(Encoder, encode(fitted))
    assert back == fitted
    assert json.loads(encode(fitted))["means"]["town_price"] == {"A": 20.0, "B": 40.0}
    assert np.array_equal(back.transform(COLUMNS).matrix, fitted.transform(COLUMNS).matrix, equal_nan=True)


texts = st.sampled_from(["A", "B", "C", "Z", "", None])


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=20))
def test_rows_are_encoded_alike_alone_and_together(rows: list[tuple[str | None, str | None]]) -> None:
    spec = (
        FeatureSpec("t", "mean_target", ("t",)),
        FeatureSpec("s", "mean_target", ("t", "s"), None, 2.0, "t"),
    )
    fitted = Encoder.fit(spec, {"t": ["A", "B", "A"], "s": ["A", "B", "C"]}, np.array([1.0, 2.0, 4.0]))
    columns = {"t": [t for t, _ in rows], "s": [s for _, s in rows]}
    together = fitted.transform(columns)
    alone = [fitted.transform({"t": [t], "s": [s]}) for t, s in rows]
    assert np.array_equal(together.matrix, np.concatenate([one.matrix for one in alone]), equal_nan=True)
    assert sum(together.unseen.values()) == sum(sum(one.unseen.values()) for one in alone)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "one_hot"}, "want a kind of"),
        ({"columns": ()}, "0 columns"),
        ({"kind": "number", "columns": ("a", "b")}, "2 columns"),
        ({"kind": "number", "fallback": "x"}, "only kind mean_target"),
        ({"smoothing": -1.0}, "smoothing"),
        ({"smoothing": math.nan}, "smoothing"),
    ],
)
def test_a_feature_that_makes_no_sense_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FeatureSpec(**({"name": "f", "kind": "mean_target", "columns": ("a",)} | changes))  # type: ignore[arg-type]


def test_a_fallback_has_to_be_an_earlier_mean() -> None:
    for spec in (
        (STREET, TOWN),
        (TOWN, FeatureSpec("x", "mean_target", ("s",), None, 0.0, "area")),
        (TOWN, TOWN),
        (),
    ):
        with pytest.raises(ValueError, match=r"fallback|twice|at least one"):
            check_spec(spec)
