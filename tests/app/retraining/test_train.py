"""Training as a use case: what is registered, what is not, and what is known at the time."""

from __future__ import annotations

import json
import re
from pathlib import Path

import polars as pl
import pytest

from tests.app.loop import ANA, history, new_loop, quiet, train_in
from tests.shared import CHECKOUT
from tests.training.history import sales
from watchkeeper.adapters.sources.dataset import dataset
from watchkeeper.app.baselines.making import files_of
from watchkeeper.app.registry.baselines import baseline_record, baseline_records
from watchkeeper.app.registry.catalogue import catalogue
from watchkeeper.app.registry.schemas import schemas
from watchkeeper.app.retraining.train import code_version, known_through, train
from watchkeeper.app.setup.project import load_project
from watchkeeper.core.encoding import encode
from watchkeeper.core.errors import InputError
from watchkeeper.core.values import ColumnType, Role
from watchkeeper.core.windows import add_months, month_start


def test_a_model_that_meets_its_thresholds_is_registered_with_a_baseline_a_monitor(tmp_path: Path) -> None:
    loop = new_loop(tmp_path)
    trained = train_in(loop)
    assert trained.model is not None
    assert catalogue(loop.store).versions == (trained.model,)
    assert (trained.model.trained_through, trained.model.labels_known_in) == ("2020-03", "2020-04")
    assert trained.model.metrics["r2"] == trained.metrics.r2 > 0.5
    (schema,) = schemas(loop.store)
    assert [(c.name, c.type, c.role) for c in schema.columns][-2:] == [
        ("price", ColumnType.FRACTIONAL, Role.LABEL),
        ("prediction", ColumnType.FRACTIONAL, Role.PREDICTION),
    ]
    assert [record.monitor for record in trained.baselines] == ["data-quality", "model-quality"]
    record = baseline_record(loop.store, "model-quality", 1)
    files = files_of(loop.store, record)
    assert (record.version, record.model_version, record.digest) == (1, 1, files.digest)
    assert json.loads(files.statistics)["dataset"]["item_count"] == 120, "the test months' rows"
    assert "rows of 2020-02 to 2020-03" in record.source
    assert loop.actions() == ["training.start", "model.register", "baseline.suggest", "baseline.suggest"]
    assert json.loads(encode(trained))["model"]["version"] == 1, "it can be said as JSON"


def test_nothing_that_is_not_known_by_then_is_in_the_training_files(tmp_path: Path) -> None:
    loop = new_loop(tmp_path)
    train_in(loop)
    files = sorted(tmp_path.glob("training/*/**/*.parquet"))
    assert len(files) >= 5
    assert max(str(pl.read_parquet(file)["month"].max()) for file in files) == "2020-03"


def test_a_model_that_misses_a_threshold_leaves_a_run_and_no_version(tmp_path: Path) -> None:
    loop = new_loop(tmp_path, ('r2: ">= 0.5"', 'r2: ">= 0.9999"'))
    trained = train_in(loop)
    assert trained.model is None
    assert trained.missed[0].startswith("want r2 >= 0.9999, got 0.9")
    assert loop.actions() == ["training.start", "training.not-accepted"]
    assert list(loop.store.objects) == []
    assert len(loop.tracker.runs) == 1


def test_data_that_cannot_be_used_leaves_nothing_but_the_run_s_beginning(tmp_path: Path) -> None:
    loop = new_loop(tmp_path)
    rows = sales().with_columns(
        area=pl.when(pl.int_range(pl.len()) == 1000).then(pl.lit("many")).otherwise(pl.col("area"))
    )
    with pytest.raises(InputError, match=r'column area: want a number above 0, got 1 .*line 1002 "many"'):
        train(loop.target, dataset(rows, "file", "x"), ANA, quiet)
    assert (loop.actions(), list(loop.store.objects)) == (["training.start"], [])


def test_a_second_run_is_the_next_version_with_the_next_baselines(tmp_path: Path) -> None:
    loop = new_loop(tmp_path)
    train_in(loop)
    loop.clock.move_to(add_months(loop.clock.now(), 1))
    trained = train_in(loop)
    assert trained.model is not None
    assert (trained.model.version, trained.model.trained_through, trained.model.schema_version) == (
        2,
        "2020-04",
        1,
    )
    assert [r.model_version for r in baseline_records(loop.store, "data-quality")] == [1, 2]
    assert len(schemas(loop.store)) == 1


def test_data_that_ended_long_ago_are_learnt_from_to_their_end(tmp_path: Path) -> None:
    loop = new_loop(tmp_path)
    loop.clock.move_to(month_start("2026-01"))
    trained = train_in(loop)
    assert trained.model is not None
    assert trained.model.trained_through == "2020-06"


@pytest.mark.parametrize(
    ("delay", "newest"),
    [
        ("1 month", "2019-11"),
        ("2 months", "2019-10"),
        ("0 months", "2019-12"),
        ("30 days", "2019-11"),
        ("40 days", "2019-10"),
    ],
)
def test_labels_are_known_when_their_delay_is_over(tmp_path: Path, delay: str, newest: str) -> None:
    loop = new_loop(tmp_path, ("delay: 1 month", f"delay: {delay}"))
    assert known_through(loop.target.project, "2020-01") == newest


def test_a_project_without_a_labelled_monitor_knows_the_month_before(tmp_path: Path) -> None:
    loop = new_loop(tmp_path)
    text = loop.target.project.text
    start, end = text.index("  model-quality:"), text.index("alerts:")
    (tmp_path / "watchkeeper.yaml").write_text(text[:start] + text[end:])
    assert known_through(load_project(tmp_path), "2020-01") == "2019-12"


def test_training_twice_gives_the_same_artefact(tmp_path: Path) -> None:
    digests = set()
    for name in ("a", "b"):
        trained = train(new_loop(tmp_path / name).target, history(), ANA, quiet)
        assert trained.model is not None
        digests.add(trained.model.digest)
    assert len(digests) == 1


def test_the_code_s_version_names_the_commit_of_a_checkout() -> None:
    version = code_version()
    assert re.fullmatch(r"[\w.]+\+[0-9a-f]{12}" if (CHECKOUT / ".git").exists() else r"[\w.]+", version)
