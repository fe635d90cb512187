"""The pipeline's definition: every step's arguments are what the call that SageMaker makes of them takes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.aws.doubles import Doubles
from tests.aws.projects import landscape_of, push_images, quiet
from tests.aws.shapes import request_faults
from watchkeeper.app.aws.costs import PROCESSING_JOBS, Traffic, monthly_units
from watchkeeper.app.aws.deploying import Choice, deploy
from watchkeeper.app.aws.landscape import Landscape
from watchkeeper.app.aws.layers import known_outputs
from watchkeeper.app.aws.pipeline import pipeline_definition
from watchkeeper.app.aws.site import Site
from watchkeeper.app.aws.training import STEPS
from watchkeeper.app.setup.aws_sections import CENTRAL

CALLS = {
    "Processing": ("CreateProcessingJob", {"ProcessingJobName": "job"}),
    "Training": ("CreateTrainingJob", {"TrainingJobName": "job"}),
    "Tuning": ("CreateHyperParameterTuningJob", {"HyperParameterTuningJobName": "job"}),
    "RegisterModel": ("CreateModelPackage", {}),
}


@pytest.fixture
def landscape(doubles: Doubles, tmp_path: Path) -> Landscape:
    return landscape_of(doubles, tmp_path)


@pytest.fixture
def made(landscape: Landscape) -> dict[str, Any]:
    deploy(landscape, Choice((CENTRAL,)), quiet)
    store = landscape.central_store()
    push_images(store)
    text = pipeline_definition(Site(landscape, CENTRAL, known_outputs(landscape)), store).text
    found: dict[str, Any] = json.loads(text)
    return found


def steps_of(definition: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for step in definition["Steps"]:
        yield step
        if step["Type"] == "Condition":
            yield from step["Arguments"]["IfSteps"]
            yield from step["Arguments"]["ElseSteps"]


def test_the_plan_counts_the_jobs_of_an_execution_that_makes_a_model(
    made: dict[str, Any], landscape: Landscape
) -> None:
    (condition,) = [step for step in made["Steps"] if step["Type"] == "Condition"]
    run = [*made["Steps"], *condition["Arguments"]["IfSteps"]]
    assert [step["Type"] for step in run].count("Processing") == PROCESSING_JOBS
    (tuning,) = [step for step in run if step["Type"] == "Tuning"]
    limits = tuning["Arguments"]["HyperParameterTuningJobConfig"]["ResourceLimits"]
    jobs = limits["MaxNumberOfTrainingJobs"] + [step["Type"] for step in run].count("Training")
    units = monthly_units(landscape, Traffic(), datetime(2026, 1, 1, tzinfo=UTC))
    reasons = [each.why for each in units if each.kind.startswith("job-hours/")]
    assert reasons == [f"{jobs} training jobs", f"{PROCESSING_JOBS} processing jobs"]


def filled(value: Any) -> Any:
    """A definition's arguments with a text where SageMaker puts one when it runs."""
    if isinstance(value, list):
        return [filled(each) for each in value]
    if isinstance(value, dict):
        if set(value) <= {"Get", "Std:Join"}:
            return "s3://bucket/somewhere"
        return {key: filled(each) for key, each in value.items()}
    return value


def references(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from references(each)
    if isinstance(value, dict):
        if isinstance(value.get("Get"), str):
            yield value["Get"]
        for each in value.values():
            yield from references(each)


def test_each_step_s_arguments_are_to_the_letter_what_its_call_takes(made: dict[str, Any]) -> None:
    checked = []
    for step in steps_of(made):
        if step["Type"] in CALLS:
            call, named = CALLS[step["Type"]]
            assert request_faults("sagemaker", call, {**named, **filled(step["Arguments"])}) == [], step[
                "Name"
            ]
            checked.append(step["Name"])
    assert checked == ["Prepare", "Tune", "Evaluate", "Fit", "Baseline", "Register", "Record", "Missed"]
    assert len([*steps_of(made)]) - 2 == STEPS, "the two of a run that misses its thresholds aside"


def test_whatever_a_step_refers_to_is_there_before_it(made: dict[str, Any]) -> None:
    known = {f"Parameters.{each['Name']}" for each in made["Parameters"]}
    known |= {"Execution.PipelineExecutionId", "Execution.PipelineExecutionArn"}
    before: set[str] = set()
    for step in steps_of(made):
        inner = {key: each for key, each in step["Arguments"].items() if key not in ("IfSteps", "ElseSteps")}
        for reference in references(inner):
            if reference.startswith("Steps."):
                assert reference.split(".")[1] in before, (step["Name"], reference)
            else:
                assert reference in known, (step["Name"], reference)
        before.add(step["Name"])


def test_no_step_needs_a_closed_service(made: dict[str, Any]) -> None:
    kinds = {step["Type"] for step in steps_of(made)}
    assert kinds == {"Processing", "Training", "Tuning", "RegisterModel", "Condition", "Fail"}


def test_every_job_is_encrypted_in_the_network_and_names_its_image_by_digest(made: dict[str, Any]) -> None:
    for step in steps_of(made):
        text = json.dumps(step["Arguments"])
        if step["Type"] in ("Processing", "Training", "Tuning"):
            assert "VolumeKmsKeyId" in text
            assert "Subnets" in text
            assert "@sha256:" in text
    registered = next(step for step in steps_of(made) if step["Name"] == "Register")["Arguments"]
    assert set(registered["DriftCheckBaselines"]) == {"ModelDataQuality", "ModelQuality"}
    assert registered["ModelApprovalStatus"] == "PendingManualApproval"
