"""The loss model: what it learns, that it comes back as it was, and that it notices when it is another."""

from __future__ import annotations

import numpy as np
import pytest

from watchkeeper.core.errors import IntegrityError
from watchkeeper.model import loss_model
from watchkeeper.model.loss_model import LossModel

ROWS = 1_500


def inputs(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, predictions, labels: the error is ten times as large where the first feature is positive."""
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(ROWS, 3)).astype(np.float32)
    predictions = 1_000_000 + 1_000 * matrix[:, 1].astype(np.float64)
    spread = np.where(matrix[:, 0] > 0, 10_000, 1_000)
    return matrix, predictions, predictions + random.normal(0, spread)


@pytest.fixture(scope="module")
def fitted() -> LossModel:
    return loss_model.fit(*inputs(1), seed=0)


def test_it_expects_large_errors_where_they_were(fitted: LossModel) -> None:
    matrix, predictions, labels = inputs(2)
    expected = fitted.expected(matrix, predictions)
    hard = matrix[:, 0] > 0.2
    easy = matrix[:, 0] < -0.2
    assert expected.absolute[hard].mean() > 5 * expected.absolute[easy].mean()
    assert expected.absolute.mean() == pytest.approx(np.abs(labels - predictions).mean(), rel=0.1)
    assert expected.squared.mean() == pytest.approx(np.square(labels - predictions).mean(), rel=0.15)
    assert expected.absolute.min() >= 0


def test_held_out_losses_are_not_those_of_trees_that_saw_the_row(fitted: LossModel) -> None:
    had, held_out = fitted.held_out
    matrix, predictions, _ = inputs(1)
    seen = fitted.expected(matrix, predictions)
    wrong = [float(np.square(had.absolute - each.absolute).mean()) for each in (seen, held_out)]
    assert wrong[0] < wrong[1]


def test_the_same_rows_give_the_same_files_and_they_come_back(fitted: LossModel) -> None:
    files = loss_model.to_files(fitted)
    assert files == loss_model.to_files(loss_model.fit(*inputs(1), seed=0))
    back = loss_model.from_files(files)
    matrix, predictions, _ = inputs(2)
    for now, then in zip((back, fitted), (fitted, back), strict=True):
        assert (now.expected(matrix, predictions).squared == then.expected(matrix, predictions).squared).all()
    assert loss_model.to_files(back) == files


@pytest.mark.parametrize("name", ["absolute.ubj", "squared.ubj", "held-out.json", "estimator.json"])
def test_another_file_than_was_written_is_no_estimator(fitted: LossModel, name: str) -> None:
    files = loss_model.to_files(fitted)
    for changed in (files[name][:-9], b"{}", b""):
        with pytest.raises(IntegrityError, match="read an estimator"):
            loss_model.from_files({**files, name: changed})
    with pytest.raises(IntegrityError, match="read an estimator"):
        loss_model.from_files({key: data for key, data in files.items() if key != name})
