"""A schedule's job from the time that comes due to the execution on record, in the container's layout."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.app.loop import Loop
from tests.aws.doubles import Doubles
from tests.aws.processing import run_job
from tests.aws.watched import Watched, watched_project
from watchkeeper.app.aws.functions.job import Due, job_name
from watchkeeper.app.aws.functions.start import Starting
from watchkeeper.app.registry.executions import executions
from watchkeeper.core.values import Status

SCHEDULES = ("demo-dev-data-quality", "demo-dev-model-quality")


@pytest.fixture
def watched(doubles: Doubles, tmp_path: Path, trained: Loop) -> Watched:
    return watched_project(doubles, tmp_path, trained)


def starting(watched: Watched) -> Starting:
    account = watched.deployed.landscape.account
    return Starting(watched.plan, *map(account.client, ("s3", "sagemaker", "sqs")))


def asked_of(watched: Watched) -> list[dict[str, Any]]:
    return [asked for _, name, asked in watched.doubles.calls if name == "CreateProcessingJob"]


def test_a_time_of_a_schedule_becomes_an_execution_on_record(
    watched: Watched, doubles: Doubles, tmp_path: Path
) -> None:
    watched.hour(watched.time - timedelta(hours=1))
    watched.hour(watched.time - timedelta(hours=2))
    doubles.calls.clear()
    for name in SCHEDULES:
        starting(watched).start(Due(name, watched.time))
    jobs = asked_of(watched)
    assert [each["ProcessingJobName"] for each in jobs] == [
        job_name(Due(each, watched.time)) for each in SCHEDULES
    ]
    for job in jobs:
        ran = run_job(doubles, job, tmp_path / "jobs")
        assert (ran.code, ran.message) == (0, "Completed: Job completed successfully with no violations."), (
            ran.said
        )
        mounted = list((ran.root / "processing" / "input").rglob("*.jsonl"))
        hour = f"{watched.time - timedelta(hours=1):%Y/%m/%d/%H}"
        assert mounted
        assert all(hour in path.as_posix() for path in mounted), "exactly the window's hour"
    store = watched.deployed.landscape.central_store()
    found = executions(store)
    assert [(each.schedule, each.status, each.rows) for each in found] == [
        (name, Status.COMPLETED, 60) for name in SCHEDULES
    ]
    assert all(each.inputs[0].key.startswith("captures/dev/schema-v1/demo-dev/AllTraffic/") for each in found)
    folder = f"executions/{SCHEDULES[0]}/{watched.time:%Y/%m/%d/%H}/"
    assert {key.removeprefix(folder) for key in store.list(folder)} == {
        "statistics.json",
        "constraints.json",
        "execution.json",
        "report.html",
    }
    kept = watched.deployed.landscape.capture_store("dev")
    out = f"monitoring/demo-dev/{SCHEDULES[0]}/{watched.time:%Y/%m/%d/%H}/statistics.json"
    assert kept.read(out) == store.read(f"{folder}statistics.json")
