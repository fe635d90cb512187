"""Attributions row by row as `explanations_shap/out.csv`: there and back, and what is none."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from watchkeeper.core.errors import InputError
from watchkeeper.monitors.explainability_values import Attributions
from watchkeeper.readers.clarify import local_attributions
from watchkeeper.render.clarify import local_attributions_csv

NAMES = ("town", 'the "size"', "a,b")
FOUND = Attributions("label0", tuple((name, 1.0) for name in NAMES), 0.0)


@given(arrays(np.float64, st.tuples(st.integers(1, 20), st.just(3)), elements=st.floats(-1e300, 1e300)))
def test_attributions_are_read_as_they_were_written(values: np.ndarray) -> None:
    text = local_attributions_csv(FOUND, values)
    assert text.splitlines()[0] == '"town_label0","the ""size""_label0","a,b_label0"'
    assert np.array_equal(local_attributions(text, NAMES, "out.csv"), values)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b,c\n1,2,x\n", "want a number in each cell"),
        ("a,b,c\n1,2,3\n1,2\n", "want a number in each cell of lines of one length"),
        ("a,b\n1,2\n", "want lines of 3 finite numbers, got an array of (1, 2)"),
        ("a,b,c\n1,2,nan\n", "want lines of 3 finite numbers"),
        ("a,b,c\n", "want lines of 3 finite numbers, got an array of (0,)"),
        ("", "want lines of 3 finite numbers"),
    ],
)
def test_what_is_no_table_of_numbers_is_an_error(text: str, said: str) -> None:
    with pytest.raises(InputError, match=f"read out.csv: {re.escape(said)}"):
        local_attributions(text, NAMES, "out.csv")
