"""Two baselines beside each other: which two, what is said of them, and the page."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from tests.app.loop import ANA, KIM, Loop, bring_to_prod, copied, new_loop, train_in
from tests.training.history import sales
from watchkeeper.app.baselines.differences import BaselineDiff, baseline_diff, chosen, diff_page
from watchkeeper.app.baselines.making import BaselineFor
from watchkeeper.app.baselines.suggesting import suggest_baseline
from watchkeeper.app.registry.approval import Word, reject_baseline
from watchkeeper.app.registry.baselines import baseline_record
from watchkeeper.core.errors import InputError, IntegrityError

DATA, QUALITY = BaselineFor("data-quality", 1), BaselineFor("model-quality", 1)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Loop:
    loop = new_loop(tmp_path_factory.mktemp("served"))
    train_in(loop)
    bring_to_prod(loop)
    return loop


@pytest.fixture
def loop(served: Loop, tmp_path: Path) -> Loop:
    shutil.copytree(served.target.folder / "training", tmp_path / "training")
    return copied(served, tmp_path)


def other_rows(loop: Loop, wanted: BaselineFor) -> None:
    """A second baseline: another town, larger flats, predictions a tenth too high."""
    frame = (
        sales()
        .tail(90)
        .with_columns(
            town=pl.col("town").replace("WEST", "SOUTH"),
            area=(pl.col("area").cast(pl.Int64) * 2).cast(pl.String),
            prediction=pl.col("price").cast(pl.Float64) * 1.1,
        )
    )
    path = loop.target.folder / "other.parquet"
    frame.write_parquet(path)
    suggest_baseline(loop.target, wanted, path, ANA)


def compared(loop: Loop, monitor: str) -> BaselineDiff:
    records = chosen(loop.target.project, loop.store, monitor, (None, None), "prod")
    return baseline_diff(loop.store, *records)


def test_the_one_in_use_is_compared_with_the_newest(loop: Loop) -> None:
    other_rows(loop, DATA)
    found = compared(loop, "data-quality")
    assert (found.before.version, found.after.version) == (1, 2)
    said = {(change.column, change.what) for change in found.changes}
    assert ("", "It is made of 90 rows instead of 120.") in said
    assert any(column == "town" and '"SOUTH"' in what for column, what in said)
    assert any(column == "area" and "would be drift" in what for column, what in said)
    back = baseline_diff(loop.store, found.after, found.before)
    assert any(change.what == "It is made of 120 rows instead of 90." for change in back.changes)


def test_errors_that_may_be_larger_are_said(loop: Loop) -> None:
    other_rows(loop, QUALITY)
    said = [(change.column, change.what) for change in compared(loop, "model-quality").changes]
    assert ("", "It is made of 90 rows instead of 120.") in said
    rmse = [what for column, what in said if column == "rmse"]
    assert rmse[0].startswith("rmse of the baseline's rows is ")
    assert rmse[1].startswith("rmse at most ")
    assert " before." in rmse[1]


def test_the_page_shows_both_distributions_of_each_changed_column(loop: Loop) -> None:
    other_rows(loop, DATA)
    found = compared(loop, "data-quality")
    html = diff_page(loop.target.project, loop.store, found)
    assert html.startswith("<!doctype html>")
    assert html.count("<svg") >= 2
    for words in ("SOUTH", "Distribution of area, v1 and v2", "v2 of model v1: 90 rows, file other.parquet"):
        assert words in html
    assert "http" not in html.replace("http://www.w3.org", ""), "it loads nothing"


def test_the_same_rows_again_would_change_nothing(loop: Loop) -> None:
    suggest_baseline(loop.target, DATA, None, KIM)
    found = compared(loop, "data-quality")
    assert found.changes == ()
    assert "Nothing would change" in diff_page(loop.target.project, loop.store, found)


def test_what_cannot_be_compared_says_what_to_do(loop: Loop) -> None:
    project = loop.target.project
    with pytest.raises(InputError, match=r"it is the newest of model v1, .*`watchkeeper baseline suggest"):
        chosen(project, loop.store, "data-quality", (None, None), "prod")
    with pytest.raises(InputError, match=r"find data-quality baseline 5: want one on record \(1\)"):
        chosen(project, loop.store, "data-quality", (1, 5), "prod")
    with pytest.raises(InputError, match='unknown monitor "quality"'):
        chosen(project, loop.store, "quality", (1, 1), "prod")
    reject_baseline(loop.target, baseline_record(loop.store, "data-quality", 1), Word("prod", KIM, "no"))
    with pytest.raises(InputError, match=r"none of model v1 is approved: `watchkeeper baseline suggest"):
        chosen(project, loop.store, "data-quality", (None, None), "prod")


def test_where_no_model_serves_two_versions_have_to_be_named(tmp_path: Path) -> None:
    loop = new_loop(tmp_path)
    train_in(loop)
    with pytest.raises(InputError, match="no model serves there; name two versions"):
        chosen(loop.target.project, loop.store, "data-quality", (None, None), "prod")


def test_a_tampered_file_is_not_compared(loop: Loop) -> None:
    other_rows(loop, DATA)
    loop.store.write("baselines/data-quality/v2/constraints.json", b"{}")
    with pytest.raises(IntegrityError):
        compared(loop, "data-quality")
