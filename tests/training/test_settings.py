"""What training can be told, and what it refuses."""

from dataclasses import replace

import pytest

from tests.training.history import request
from watchkeeper.core.values import Metrics
from watchkeeper.core.windows import Duration
from watchkeeper.training.settings import Threshold

METRICS = Metrics(rows=10, rmse=5.0, mae=4.0, mape=0.08, r2=0.9, bias=-0.01)


@pytest.mark.parametrize(
    ("metric", "text", "holds"),
    [
        ("r2", ">= 0.90", True),
        ("r2", "> 0.90", False),
        ("mape", "<=0.08", True),
        ("mape", "< 0.08", False),
        ("bias", ">= -0.02", True),
        ("rmse", "< 4", False),
    ],
)
def test_a_threshold_is_read_and_compared(metric: str, text: str, holds: bool) -> None:
    assert Threshold.parse(metric, text).holds(METRICS) is holds


@pytest.mark.parametrize(
    ("metric", "text"), [("r2", "0.9"), ("r2", "=> 0.9"), ("r2", ">= high"), ("rows", "> 5"), ("auc", "> 5")]
)
def test_another_form_is_refused(metric: str, text: str) -> None:
    with pytest.raises(ValueError, match="accept"):
        Threshold.parse(metric, text)


@pytest.mark.parametrize(
    "changes",
    [
        {"window": Duration(seconds=86400)},
        {"test": Duration()},
        {"window": Duration(months=4)},
        {"trials": 0},
        {"features": ()},
    ],
)
def test_settings_that_cannot_be_met_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="want"):
        replace(request().settings, **changes)  # type: ignore[arg-type]
