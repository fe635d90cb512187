"""The model behind MLflow's calling form."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pytest

from tests.model.models import ROWS, example, model
from watchkeeper.model.artefact import save
from watchkeeper.model.pyfunc import _load_pyfunc


def test_a_frame_of_text_or_numbers_is_answered_as_the_model_does(tmp_path: Path) -> None:
    save(tmp_path / "m", model(), example())
    loaded = _load_pyfunc(str(tmp_path / "m"))
    expected = model().predict(ROWS).values
    frame = pd.DataFrame(ROWS)
    assert np.array_equal(loaded.predict(frame), expected)
    assert np.array_equal(loaded.predict(frame.assign(area=frame["area"].astype(float))), expected)


def test_missing_values_of_every_sort_are_missing(tmp_path: Path) -> None:
    save(tmp_path / "m", model(), example())
    frame = pd.DataFrame({"town": ["A"] * 3, "area": pd.Series([None, float("nan"), pd.NA], dtype=object)})
    expected = model().predict({"town": ["A"] * 3, "area": [None] * 3}).values
    assert np.array_equal(_load_pyfunc(str(tmp_path / "m")).predict(frame), expected)


def test_parameters_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "m", model(), example())
    with pytest.raises(ValueError, match="takes no params"):
        _load_pyfunc(str(tmp_path / "m")).predict(pd.DataFrame(ROWS), {"alpha": 1})


def test_neither_mlflow_nor_pandas_is_imported() -> None:
    code = "import sys, watchkeeper.model.pyfunc; print({'mlflow', 'pandas', 'polars'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
