"""The steps before fitting, each called alone: what they write, and what they refuse."""

import errno
from pathlib import Path

import polars as pl
import pytest

from tests.training.history import request, sales
from watchkeeper.core.errors import InputError, PlatformError
from watchkeeper.training.files import step_folder
from watchkeeper.training.ingest import ingest
from watchkeeper.training.search import search
from watchkeeper.training.split import read_parts, split
from watchkeeper.training.validate import validate


def test_ingest_takes_the_window_and_nothing_that_is_not_yet_known(tmp_path: Path) -> None:
    taken = ingest(request(months=12), tmp_path)
    months = pl.read_parquet(tmp_path / "ingest/rows.parquet")["month"]
    assert (months.min(), months.max()) == ("2019-05", "2020-04")
    assert (taken.rows, taken.later, taken.earlier) == (12 * 60, 2 * 60, 16 * 60)


def test_a_frame_without_a_column_or_without_rows_of_the_window_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="want column area, price, got month, town"):
        ingest(request(sales().select("month", "town")), tmp_path)
    with pytest.raises(InputError, match="months 2018-05 to 2020-04, got none in 60 rows"):
        ingest(request(sales("2021-01", "2021-01")), tmp_path)
    assert list(tmp_path.iterdir()) == []


def _spoiled(**changes: tuple[int, str | None]) -> pl.DataFrame:
    """The sales with one value changed per column, at a row of the source (from 0)."""
    frame = sales()
    for name, (row, text) in changes.items():
        frame[row, name] = text
    return frame


def test_validate_names_every_fault_by_column_count_and_line(tmp_path: Path) -> None:
    frame = _spoiled(month=(900, "2019/05"), price=(901, "-5"), area=(902, "6O"))
    frame[903, "price"] = None
    ingest(request(frame), tmp_path)
    with pytest.raises(InputError) as caught:
        validate(request(), tmp_path)
    message = str(caught.value)
    assert 'column month: want a month as YYYY-MM, got 1 that are not (line 902 "2019/05")' in message
    assert (
        'column price: want a number above 0, got 2 that are not (line 903 "-5", line 905 nothing)' in message
    )
    assert 'column area: want a number above 0, got 1 that are not (line 904 "6O")' in message
    assert not (tmp_path / "validate").exists()


def test_a_missing_category_is_counted_and_no_fault(tmp_path: Path) -> None:
    ingest(request(_spoiled(town=(900, None))), tmp_path)
    assert validate(request(), tmp_path).missing == {"town": 1}


def test_the_split_is_by_time_alone(tmp_path: Path) -> None:
    shuffled = sales().sample(fraction=1.0, shuffle=True, seed=1)
    ingest(request(shuffled), tmp_path)
    parts = split(request(), tmp_path)
    spans = [(part.first, part.last, part.rows) for part in (parts.train, parts.validation, parts.test)]
    assert spans == [("2018-05", "2019-12", 1200), ("2020-01", "2020-02", 120), ("2020-03", "2020-04", 120)]
    assert read_parts(tmp_path, "train", "validation", "test").height == 1440


def test_a_shorter_history_shortens_train(tmp_path: Path) -> None:
    ingest(request(sales("2019-06")), tmp_path)
    parts = split(request(), tmp_path)
    assert (parts.train.first, parts.train.last, parts.validation.first) == ("2019-06", "2019-12", "2020-01")


def test_a_part_without_rows_is_refused(tmp_path: Path) -> None:
    ingest(request(sales("2018-01", "2020-02")), tmp_path)
    with pytest.raises(InputError, match="want rows for test, got none"):
        split(request(), tmp_path)
    assert not (tmp_path / "split").exists()


def test_a_step_called_before_its_time_says_which_file_it_misses(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"train\.parquet: an earlier step"):
        search(request(), tmp_path, lambda _: None)


def _write(folder: Path, text: str, then: Exception | None = None) -> None:
    with step_folder(folder, "step") as written:
        (written / "a").write_text(text)
        if then:
            raise then


def test_a_step_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    _write(tmp_path, "first")
    with pytest.raises(ZeroDivisionError):
        _write(tmp_path, "second", ZeroDivisionError())
    with pytest.raises(PlatformError, match="No space left"):
        _write(tmp_path, "second", OSError(errno.ENOSPC, "No space left on device"))
    assert [path.name for path in tmp_path.iterdir()] == ["step"]
    assert (tmp_path / "step/a").read_text() == "first"
    _write(tmp_path, "second")
    assert (tmp_path / "step/a").read_text() == "second"


def test_trials_that_others_have_left_behind_are_pruned_and_none_of_them_is_best(tmp_path: Path) -> None:
    wanted = request(trials=14)
    for step in (ingest, validate, split):
        step(wanted, tmp_path)
    found = search(wanted, tmp_path, lambda _: None)
    kept = [trial for trial in found.trials if not trial.pruned]
    assert len(found.trials) == 14
    assert 4 <= len(kept) < 14
    best = min(kept, key=lambda trial: trial.rmse)
    assert (found.recipe.params, found.recipe.rounds) == (best.params, best.rounds)
    assert search(wanted, tmp_path, lambda _: None) == found
