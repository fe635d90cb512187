"""A schedule's job from the time that comes due to the execution on record, in the container's layout."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.app.loop import Loop
from tests.aws.doubles import Doubles
from tests.aws.formation import ACCOUNT, REGION
from tests.aws.model_monitor import job_of
from tests.aws.processing import Ran, run_job
from tests.aws.templates import Stack, parse
from tests.aws.watched import Watched, watched_project
from tests.deploy.test_analyzer_image import FOLDER
from watchkeeper.app.aws.environment_layers import MODEL_MONITOR
from watchkeeper.app.aws.functions.job import Due, job_name
from watchkeeper.app.aws.functions.start import Starting
from watchkeeper.app.aws.layers import known_outputs
from watchkeeper.app.aws.site import Site
from watchkeeper.app.container.run import METRICS
from watchkeeper.app.registry.executions import executions
from watchkeeper.core.metrics import METRIC_OF_SERIES
from watchkeeper.core.values import Sample, Status
from watchkeeper.render.cloudwatch import dimensions_of, sample_metrics

OPTIONAL = {"charset-normalizer", "pygments", "rich"}  # httpx takes them where they are
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
        names = (
            {name.lower().replace("_", "-") for name in ran.packages}
            - {"watchkeeper", "setuptools"}
            - OPTIONAL
        )
        assert names <= set((FOLDER / "packages.txt").read_text(encoding="utf-8").split()), "of the image"
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
    hold_labels([sample for each in found for sample in each.samples])
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


def hold_labels(found: Sequence[Sample]) -> None:
    """Samples have the labels that their metrics declare, and what is put into CloudWatch has the dimensions
    that the exporter asks for."""
    assert len({sample.metric for sample in found}) > 10
    common = {"project", "environment", "endpoint", "schedule"}
    for sample in found:
        own = {name for name, _ in sample.labels} - common
        assert own == set(METRIC_OF_SERIES[sample.metric].labels), sample.metric
    lines = [json.loads(line) for line in sample_metrics(found).splitlines()]
    for line in lines:
        metric = METRIC_OF_SERIES[f"watchkeeper_{line['MetricName']}"]
        assert sorted(each["Name"] for each in line["Dimensions"]) == sorted(dimensions_of(metric))
    drift = [sample.value for sample in found if sample.metric == "watchkeeper_data_quality_drift_distance"]
    worst = [line["Value"] for line in lines if line["MetricName"] == "data_quality_drift_distance"]
    assert (len(drift) > 1, worst) == (True, [max(drift)])
    every = sample_metrics(found, by_feature=True).splitlines()
    assert len(every) == len(found)


def two_ways(watched: Watched, schedule: str, folder: Path) -> list[Ran]:
    """The same time of a schedule started by our function, then by Model Monitor, each on records that know
    of no execution."""
    doubles, landscape = watched.doubles, watched.deployed.landscape
    starting(watched).start(Due(schedule, watched.time))
    first = run_job(doubles, asked_of(watched)[-1], folder / "eventbridge")
    store = landscape.central_store()
    for key in store.list("executions/"):
        store.remove(key)
    site = Site(landscape, "dev", known_outputs(landscape))
    told = {**MODEL_MONITOR.told(site), "AnalyzerImage": "analyzer@sha256:0"}
    stack = Stack(parse(MODEL_MONITOR.text(site)), told, "s", ACCOUNT, REGION)
    captures = f"s3://{landscape.bucket('dev')}/captures/dev/schema-v1"
    second = run_job(doubles, job_of(stack, schedule, watched.time, captures), folder / "model-monitor")
    return [first, second]


def timeless(text: str) -> str:
    """Without when it was, and how old things were then."""
    ages = r'(_age_seconds",.*?"value": )[\d.]+|(_age_seconds.{0,400}?)[\d,]{9,}(?=<)'
    return re.sub(
        r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?", "…", re.sub(ages, r"\1\2…", text, flags=re.DOTALL)
    )


def test_both_ways_of_scheduling_give_the_same_files(watched: Watched, tmp_path: Path) -> None:
    watched.hour(watched.time - timedelta(hours=1), scale=3.0)
    for schedule in SCHEDULES:
        ours, theirs = two_ways(watched, schedule, tmp_path / schedule)
        hold_equal(ours, theirs, violations=schedule == "demo-dev-model-quality")


def hold_equal(ours: Ran, theirs: Ran, violations: bool) -> None:
    """Files to the byte; what says when it was, but for that."""
    assert (ours.code, theirs.code) == (0, 0), theirs.said
    assert ours.message == theirs.message
    names = sorted(path.name for path in (ours.root / "processing" / "output").iterdir())
    assert names == sorted(path.name for path in (theirs.root / "processing" / "output").iterdir())
    assert {"statistics.json", "constraints.json"} < set(names)
    assert ("constraint_violations.json" in names) is violations
    for name in names:
        if name in ("execution.json", "report.html"):
            assert timeless(ours.left(name)) == timeless(theirs.left(name)), name
        else:
            assert ours.left(name) == theirs.left(name), name
    assert not (ours.root / "output" / METRICS).exists(), "it put them into CloudWatch itself"
    lines = (theirs.root / "output" / METRICS).read_text().splitlines()
    assert {json.loads(line)["Dimensions"][0]["Value"] for line in lines} == {"demo-dev"}


def test_a_job_says_why_it_reached_no_verdict_or_did_not_run(
    watched: Watched, doubles: Doubles, tmp_path: Path
) -> None:
    starting(watched).start(Due(SCHEDULES[0], watched.time))
    (job,) = asked_of(watched)
    assert "ProcessingInputs" not in job
    ran = run_job(doubles, job, tmp_path / "empty")
    assert (ran.code, ran.message.split(":")[:3]) == (0, ["Completed", " no verdict", " NoTraffic"]), ran.said
    job["Environment"]["start_time"] = "2026-11-29T09:30:00Z"
    ran = run_job(doubles, job, tmp_path / "of no time")
    assert ran.code == 2
    assert ran.message.startswith(
        "run monitor data-quality in dev: want the window of a time of its schedule"
    )
