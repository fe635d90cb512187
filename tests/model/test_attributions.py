"""Contributions by input column: they add up to the prediction, in its unit, at the level of its month."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.model.models import ROWS, model
from watchkeeper.core.errors import InputError
from watchkeeper.model.attributions import attributions
from watchkeeper.model.features import FeatureSpec
from watchkeeper.model.level import Level, LevelSpec


def test_attributions_add_up_to_the_predictions() -> None:
    watched = model()
    found = attributions(watched, ROWS)
    assert found.sources == (("town",), ("area",))
    assert found.values.shape == (90, 2)
    assert found.predictions == pytest.approx(watched.predict(ROWS).values, rel=1e-5)


def test_features_of_one_column_are_added_up() -> None:
    watched = model()
    spec = tuple(replace(feature, columns=("town",)) for feature in watched.encoder.spec[:1])
    renamed = replace(watched.encoder, spec=(*spec, FeatureSpec("area", "mean_target", ("town",))))
    joined = replace(watched, encoder=replace(renamed, means={**renamed.means, "area": {"A": 50.0}}, overall={
        **renamed.overall, "area": 80.0}))  # fmt: skip
    found = attributions(joined, ROWS)
    assert found.sources == (("town",),)
    assert found.predictions == pytest.approx(joined.predict(ROWS).values, rel=1e-5)


def test_attributions_are_at_the_level_of_the_rows_month() -> None:
    level = Level(LevelSpec("month", ("town",)), {"2020-01": 1.0, "2020-02": 2.0})
    watched = replace(model(), level=level)
    columns: dict[str, list[str | None]] = {**ROWS, "month": ["2020-01", "2020-02"] * 45}
    plain, found = attributions(model(), ROWS), attributions(watched, columns)
    assert found.values[1::2] == pytest.approx(2 * plain.values[1::2])
    assert found.expected[:2] == pytest.approx(plain.expected[:2] * [1, 2])
    assert found.predictions == pytest.approx(watched.predict(columns).values, rel=1e-5)


def test_a_column_that_is_missing_is_named() -> None:
    with pytest.raises(InputError, match="want column area"):
        attributions(model(), {"town": ["A"]})


def test_no_rows_have_no_attributions() -> None:
    found = attributions(model(), {"town": [], "area": []})
    assert found.values.shape == (0, 2)
    assert np.isfinite(found.expected).all()
