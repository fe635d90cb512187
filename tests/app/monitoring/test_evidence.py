"""Rows that a window's violations are about: which, where they lie, and what is never shown of them."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from tests.app.loop import ANA, KIM, LIVE, Loop, model_of, new_loop, train_in, write_project
from tests.training.history import sales
from watchkeeper.app.captures.pseudonyms import KEY
from watchkeeper.app.monitoring.evidence import EXAMPLES
from watchkeeper.app.monitoring.run import run_monitor
from watchkeeper.app.monitoring.schedule import MonitorRun
from watchkeeper.app.pages.reporting import write_execution_page
from watchkeeper.app.registry.models import approve
from watchkeeper.app.setup.project import load_project
from watchkeeper.core.encoding import decode, encode
from watchkeeper.core.errors import InputError
from watchkeeper.core.ports import Store
from watchkeeper.core.values import Evidence, Execution, Status
from watchkeeper.core.windows import month_start

DATA = MonitorRun("data-quality", "prod", month_start("2020-06"))
FOLDER = "executions/demo-prod-data-quality/2020/06/01/00/"
STRANGE = 8  # rows of a town that no baseline knows
SECRET = (("area: feature, price: label}", "area: feature, price: label}\n  sensitive: [town]"),)


def month_with_faults() -> pl.DataFrame:
    """A month of sales, some rows from a new town and all of them far larger than any before."""
    place = pl.int_range(pl.len())
    return (
        sales()
        .filter(pl.col("month") == LIVE)
        .with_columns(
            town=pl.when(place < STRANGE).then(pl.lit("ATLANTIS")).otherwise("town"),
            area=(pl.col("area").cast(pl.Float64) + 5000).cast(pl.String),
        )
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Loop:
    loop = new_loop(tmp_path_factory.mktemp("evidence"))
    train_in(loop)
    approve(loop.target, 1, "prod", KIM, "good figures")
    loop.send(loop.plan(LIVE, month_with_faults()), model_of(loop))
    return loop


class Counted:
    """A store that knows which captures were read."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.read_keys: list[str] = []

    def read(self, key: str) -> bytes:
        if key.startswith("captures/"):
            self.read_keys.append(key)
        return self.store.read(key)

    def write(self, key: str, data: bytes) -> None:
        self.store.write(key, data)

    def create(self, key: str, data: bytes) -> None:
        self.store.create(key, data)

    def list(self, prefix: str) -> Sequence[str]:
        return self.store.list(prefix)


def of(execution: Execution, check: str) -> Evidence:
    (judgement,) = execution.judgements
    return next(evidence for found, evidence in judgement.findings if found.check == check and evidence)


@pytest.fixture(scope="module")
def judged(trained: Loop) -> Execution:
    return run_monitor(trained.target, DATA, ANA)


def test_every_violation_has_rows_or_says_why_not(judged: Execution) -> None:
    (judgement,) = judged.judgements
    assert judged.status is Status.VIOLATIONS
    assert [(each.subject, each.check) for each in judgement.evidence] == [
        (each.subject, each.check) for each in judgement.violations
    ]
    assert all(bool(each.rows) != bool(each.reason) for each in judgement.evidence)
    drift = of(judged, "baseline_drift_check")
    assert (drift.rows, drift.reason) == ((), "it is about the whole column: no single row has drifted")


def test_a_row_is_where_the_evidence_says(trained: Loop, judged: Execution) -> None:
    evidence = of(judged, "categorical_values_check")
    assert [row.value for row in evidence.rows] == ["ATLANTIS"] * EXAMPLES
    for row in evidence.rows:
        line = trained.store.read(row.file).split(b"\n")[row.line - 1]
        record = json.loads(line)
        assert record["eventMetadata"]["inferenceId"] == row.inference_id
        assert "ATLANTIS" in record["captureData"]["endpointInput"]["data"]


def test_rows_are_placed_without_reading_the_window_again(trained: Loop) -> None:
    store = Counted(trained.store)
    fresh = replace(trained.target, store=store)
    for key in [key for key in trained.store.list("executions/") if key.endswith("execution.json")]:
        trained.store.objects.pop(key)
    execution = run_monitor(fresh, DATA, ANA)
    placed = {row.file for each in execution.judgements[0].evidence for row in each.rows}
    assert len(store.read_keys) <= len(execution.inputs) + len(placed), "files of examples, and no others"


def test_it_is_on_record_and_on_the_page(trained: Loop, judged: Execution) -> None:
    assert decode(Execution, encode(judged)) == judged
    write_execution_page(trained.target, judged)
    page = trained.store.read(f"{FOLDER}report.html").decode()
    row = of(judged, "categorical_values_check").rows[0]
    assert row.file in page
    assert row.inference_id is not None
    assert row.inference_id in page
    assert "no single row has drifted" in page


def test_executions_on_record_from_before_have_none(judged: Execution) -> None:
    data = json.loads(encode(judged))
    del data["judgements"][0]["evidence"]
    old = decode(Execution, json.dumps(data))
    assert [evidence for _, evidence in old.judgements[0].findings] == [None] * len(old.violations)


def test_a_sensitive_columns_values_are_nowhere(tmp_path: Path) -> None:
    loop = new_loop(tmp_path, *SECRET)
    train_in(loop)
    approve(loop.target, 1, "prod", KIM, "good figures")
    loop.send(loop.plan(LIVE, month_with_faults()), model_of(loop))
    execution = run_monitor(loop.target, DATA, ANA)
    write_execution_page(loop.target, execution)
    evidence = of(execution, "categorical_values_check")
    assert [row.value for row in evidence.rows] == ["•••"] * EXAMPLES
    for key in loop.store.list(FOLDER):
        said = loop.store.read(key).decode()
        for value in ("ATLANTIS", "NORTH", "EAST", "WEST"):
            assert value not in said, (key, value)


def test_hashed_values_have_names_that_tell_the_same_from_others(tmp_path: Path) -> None:
    hashed = (SECRET[0][0], SECRET[0][1].replace("[town]", "{town: hash}"))
    names = []
    for folder in (tmp_path / "one", tmp_path / "other"):
        loop = new_loop(folder, hashed)
        train_in(loop)
        approve(loop.target, 1, "prod", KIM, "good figures")
        loop.send(loop.plan(LIVE, month_with_faults()), model_of(loop))
        evidence = of(run_monitor(loop.target, DATA, ANA), "categorical_values_check")
        values = {row.value for row in evidence.rows}
        assert len(values) == 1  # every row of them is of the same town
        names.append(values.pop() or "")
        said = b"".join(loop.store.read(key) for key in loop.store.list(FOLDER)).decode()
        assert names[-1] in said
        assert "ATLANTIS" not in said
        assert stat.S_IMODE((folder / KEY).stat().st_mode) == 0o600
    assert all(re.fullmatch(r"#[0-9a-f]{12}", name) for name in names)
    assert names[0] != names[1]  # each workspace has a key of its own


def test_a_dropped_column_is_not_captured(tmp_path: Path) -> None:
    dropped = (SECRET[0][0], SECRET[0][1].replace("[town]", "{town: drop, price: mask}"))
    project = load_project(write_project(tmp_path, dropped))
    assert project.environment("prod").capture_policy("prod").mask == {"town"}
    assert set(project.environment("prod").data.sensitive) == {"town", "price"}
    label = (SECRET[0][0], SECRET[0][1].replace("[town]", "{price: drop}"))
    with pytest.raises(InputError, match=r"data.sensitive.price: unknown input column"):
        load_project(write_project(tmp_path / "label", label))
    with pytest.raises(InputError, match=r"data.sensitive.town"):
        load_project(
            write_project(tmp_path / "no", (SECRET[0][0], SECRET[0][1].replace("[town]", "{town: blur}")))
        )


def test_a_sensitive_column_that_the_data_lacks_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match='unknown column "twon"; did you mean "town"'):
        load_project(write_project(tmp_path, (SECRET[0][0], SECRET[0][1].replace("[town]", "[twon]"))))
