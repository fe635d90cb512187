"""A whole run: what it finds, that it repeats, and what becomes of one that is not good enough."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.training.history import Runs, request, sales
from watchkeeper.core.values import Progress
from watchkeeper.model.artefact import load
from watchkeeper.monitors.model_quality import figures
from watchkeeper.training.fitting import labels
from watchkeeper.training.pipeline import TrainingResult, train

Run = tuple[TrainingResult, Runs, list[Progress]]


def run(folder: Path, frame: pl.DataFrame | None = None, *accept: str) -> Run:
    tracker, seen = Runs(), list[Progress]()
    return train(request(frame, *accept), folder, tracker, seen.append), tracker, seen


def test_a_run_that_meets_its_thresholds_keeps_a_model_of_all_known_rows(tmp_path: Path) -> None:
    result, tracker, seen = run(tmp_path, None, ">= 0.9")
    assert (result.accepted, result.reasons) == (True, ())
    assert result.metrics.r2 > 0.9
    assert (result.trained_from, result.trained_through) == ("2018-05", "2020-04")
    assert [segment.column for segment in result.segments] == ["town"] * 3
    steps = [progress.step for progress in seen]
    assert steps == ["ingest", "validate", "split", "search", "search", "search", "evaluate", "register"]
    assert list(result.seconds) == ["ingest", "validate", "split", "search", "evaluate", "register"]
    (name, params, metrics, tags, artefact), *others = tracker.logged
    assert (name, others, artefact) == ("train through 2020-04", [], str(result.artefact))
    assert metrics["test_r2"] == result.metrics.r2
    assert tags["data_digest"] == "d" * 64
    assert tags["artefact_digest"] == result.digest
    assert "missed" not in tags
    assert params["rounds"] == str(result.recipe.rounds)
    assert load(result.artefact).target == "price"


def test_a_run_that_misses_a_threshold_is_kept_with_the_reason(tmp_path: Path) -> None:
    result, tracker, _ = run(tmp_path, None, ">= 0.5", ">= 0.9999")
    assert not result.accepted
    assert len(result.reasons) == 1
    assert result.reasons[0].startswith("want r2 >= 0.9999, got 0.9")
    assert tracker.logged[0][3]["missed"] == result.reasons[0]
    assert not (tmp_path / "register/model").exists()
    assert result.trained_through == "2020-02"


def test_the_same_request_gives_the_same_artefact(tmp_path: Path) -> None:
    first, _, _ = run(tmp_path / "a")
    again, _, _ = run(tmp_path / "b")
    assert (first.digest, first.recipe, first.metrics) == (again.digest, again.recipe, again.metrics)


def test_a_second_run_in_one_folder_replaces_the_first(tmp_path: Path) -> None:
    first, _, _ = run(tmp_path)
    assert run(tmp_path)[0].digest == first.digest
    assert not list(tmp_path.glob(".part-*"))


def test_rows_that_are_not_known_yet_change_nothing(tmp_path: Path) -> None:
    frame = sales()
    later = pl.col("month") > "2020-04"
    spoiled = frame.with_columns(pl.when(later).then(pl.lit("1")).otherwise("price").alias("price"))
    assert not spoiled.equals(frame)
    assert run(tmp_path / "a", spoiled)[0].digest == run(tmp_path / "b", frame)[0].digest


def test_test_months_do_not_reach_the_recipe_or_the_model_that_is_judged(tmp_path: Path) -> None:
    tested = pl.col("month").is_in(["2020-03", "2020-04"])
    price = pl.when(tested).then(pl.lit("9") + pl.col("price")).otherwise("price")
    dearer = sales().with_columns(price=price)
    honest, other = run(tmp_path / "a")[0], run(tmp_path / "b", dearer)[0]
    assert honest.recipe == other.recipe
    judged = [load(tmp_path / name / "evaluate/model") for name in ("a", "b")]
    assert judged[0].encoder == judged[1].encoder
    assert honest.digest != other.digest


def test_the_baselines_rows_carry_the_predictions_of_the_model_that_was_judged(tmp_path: Path) -> None:
    result, _, _ = run(tmp_path)
    rows = pl.read_parquet(result.baseline)
    assert rows.columns == ["month", "town", "area", "price", "prediction"]
    assert rows.height == 1440
    tested = rows.filter(pl.col("prediction").is_not_null())
    assert tested["month"].unique().sort().to_list() == ["2020-03", "2020-04"]
    assert figures(labels(tested, "price"), tested["prediction"].to_numpy()) == result.metrics
    inputs = {name: tested[name].to_list() for name in ("month", "town", "area")}
    judged = load(tmp_path / "evaluate/model").predict(inputs)
    assert np.array_equal(judged.values, tested["prediction"].to_numpy())


def test_another_seed_is_another_search(tmp_path: Path) -> None:
    told = request(trials=3)
    other = replace(told, settings=replace(told.settings, seed=1))
    first = train(told, tmp_path / "0", Runs(), lambda _: None)
    second = train(other, tmp_path / "1", Runs(), lambda _: None)
    assert first.recipe != second.recipe
    assert second.metrics.r2 == pytest.approx(first.metrics.r2, abs=0.05)
