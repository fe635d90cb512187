"""Windows in which two schema versions were spoken: who is judged by what, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from tests.app.loop import ANA, KIM, Loop, copied, model_of, new_loop, quiet, train_in
from tests.training.history import sales
from watchkeeper.adapters.sources.dataset import dataset
from watchkeeper.app.monitoring.run import run_monitor
from watchkeeper.app.monitoring.schedule import MonitorRun
from watchkeeper.app.registry.models import approve
from watchkeeper.app.registry.schema_list import schema_diff, schema_use, schema_uses
from watchkeeper.app.retraining.train import train
from watchkeeper.app.setup.project import load_project
from watchkeeper.core.errors import InputError
from watchkeeper.core.values import Execution, Status
from watchkeeper.core.windows import month_start
from watchkeeper.readers.contract import data_quality_statistics

FLOOR = (("town: feature, area: feature,", "town: feature, area: feature, floor: feature,"),)


def with_floors() -> pl.DataFrame:
    return sales().with_columns(floor=(pl.int_range(pl.len()) % 12).cast(pl.String))


@pytest.fixture(scope="module")
def two_schemas(tmp_path_factory: pytest.TempPathFactory) -> Loop:
    """Model v1 without floors and model v2 with them, each having answered half of June 2020."""
    loop = new_loop(tmp_path_factory.mktemp("spanning"))
    train_in(loop)
    first = model_of(loop)
    requests = loop.plan("2020-06")
    loop.send(requests[::2], first, version=1)
    loop.clock.move_to(month_start("2020-06"))
    project = load_project(new_loop(tmp_path_factory.mktemp("wider"), *FLOOR).target.folder)
    wider = replace(loop, target=replace(loop.target, project=project))
    train(wider.target, dataset(with_floors(), "file", "sales with floors"), ANA, quiet)
    wider.send(wider.plan("2020-06", with_floors())[1::2], model_of(wider), version=2)
    for version in (1, 2):
        approve(wider.target, version, "prod", KIM, "")
    return wider


@pytest.fixture
def loop(two_schemas: Loop, tmp_path: Path) -> Loop:
    fresh = copied(two_schemas, tmp_path)
    return replace(fresh, target=replace(fresh.target, project=two_schemas.target.project))


def judge(loop: Loop) -> Execution:
    return run_monitor(loop.target, MonitorRun("data-quality", "prod", month_start("2020-07")), ANA)


def test_a_column_that_one_version_lacks_is_judged_only_where_it_is(loop: Loop) -> None:
    execution = judge(loop)
    assert [(each.model_version, each.violations) for each in execution.judgements] == [(1, ()), (2, ())]
    assert execution.status is Status.COMPLETED
    folder = "executions/demo-prod-data-quality/2020/07/01/00/"
    seen = [
        {f.name: f.num_missing for f in data_quality_statistics(loop.store.read(key), "s").features}
        for key in (f"{folder}model-v1/statistics.json", f"{folder}model-v2/statistics.json")
    ]
    assert "floor" not in seen[0]
    assert seen[1]["floor"] == 0, "rows of the other version are no missing values"


def test_the_execution_says_where_the_versions_do_not_agree(loop: Loop) -> None:
    (note,) = [each for each in judge(loop).notes if "spans" in each]
    rows = [each.rows for each in judge(loop).judgements]
    assert note.startswith(
        f"the window spans schema v1 ({rows[0]} rows) and v2 ({rows[1]} rows); floor was added"
    )


def test_rows_captured_under_a_version_that_lacks_a_column_are_not_judged_and_counted(loop: Loop) -> None:
    for key in loop.store.list("captures/prod/schema-v1/"):
        text = loop.store.read(key)
        assert b'"modelVersion":"1"' in text
        loop.store.write(key, text.replace(b'"modelVersion":"1"', b'"modelVersion":"2"'))
    execution = judge(loop)
    (judged,) = execution.judgements
    assert (judged.model_version, judged.violations) == (2, ())
    lacks = "rows of model v2 were captured under schema v1, which lacks floor: not judged"
    assert [note.endswith(lacks) for note in execution.notes].count(True) == 1


def test_one_version_has_nothing_to_say(loop: Loop) -> None:
    for key in loop.store.list("captures/prod/schema-v2/"):
        del loop.store.objects[key]
    assert not [each for each in judge(loop).notes if "schema" in each]


def test_schemas_are_listed_with_the_models_that_speak_them(loop: Loop) -> None:
    assert [(each.schema.version, each.models) for each in schema_uses(loop.store)] == [(1, (1,)), (2, (2,))]
    assert schema_use(loop.store, 2).schema.columns[3].name == "floor"
    (change,) = schema_diff(loop.store, 1, 2).changes
    assert (change.kind.value, change.column) == ("added", "floor")
    (back,) = schema_diff(loop.store, 2, 1).changes
    assert (back.kind.value, back.column) == ("removed", "floor")
    with pytest.raises(InputError, match=r"find schema version 3: want one on record \(1, 2\)"):
        schema_diff(loop.store, 1, 3)
