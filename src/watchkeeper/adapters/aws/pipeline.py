"""Executions of a SageMaker pipeline: started once by a token, followed step by step."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from watchkeeper.adapters.aws.errors import translated
from watchkeeper.core.values import Progress

ENDED = ("Succeeded", "Failed", "Stopped")
_PAUSES = (1.0, 30.0, 1.5)  # the first pause between two looks, the longest, in seconds, and how they grow


@dataclass(frozen=True, slots=True)
class Step:
    """A step that has begun; `failure` is SageMaker's reason."""

    name: str
    status: str
    failure: str = ""


@dataclass(frozen=True, slots=True)
class PipelineRun:
    """An execution as it is. Statuses are SageMaker's: `Executing`, `Succeeded`, `Failed`, `Stopped`."""

    arn: str
    status: str
    failure: str
    steps: tuple[Step, ...]

    @property
    def ended(self) -> bool:
        return self.status in ENDED


@dataclass(frozen=True, slots=True)
class SageMakerPipeline:
    """One pipeline. Source:
    docs.aws.amazon.com/sagemaker/latest/APIReference/API_StartPipelineExecution.html."""

    client: Any
    name: str

    def start(self, parameters: Mapping[str, str], token: str) -> str:
        """Start an execution and return its ARN; the same token starts no second one."""
        with translated(f"start pipeline {self.name}"):
            started = self.client.start_pipeline_execution(
                PipelineName=self.name,
                ClientRequestToken=token,
                PipelineParameters=[{"Name": key, "Value": text} for key, text in parameters.items()],
            )
        arn: str = started["PipelineExecutionArn"]
        return arn

    def newest(self) -> PipelineRun | None:
        """The execution that was started last; None before the first."""
        with translated(f"list the executions of pipeline {self.name}"):
            found = self.client.list_pipeline_executions(
                PipelineName=self.name, SortBy="CreationTime", SortOrder="Descending", MaxResults=1
            )["PipelineExecutionSummaries"]
        return self.run(found[0]["PipelineExecutionArn"]) if found else None

    def parameters(self) -> frozenset[str]:
        """What an execution may be told, by the definition that is deployed."""
        with translated(f"look at pipeline {self.name}"):
            found = self.client.describe_pipeline(PipelineName=self.name)["PipelineDefinition"]
        return frozenset(each["Name"] for each in json.loads(found)["Parameters"])

    def run(self, arn: str) -> PipelineRun:
        """An execution with the steps that have begun, oldest first."""
        with translated(f"look at {arn}"):
            found = self.client.describe_pipeline_execution(PipelineExecutionArn=arn)
            steps = [
                Step(each["StepName"], each.get("StepStatus", ""), each.get("FailureReason", ""))
                for page in self.client.get_paginator("list_pipeline_execution_steps").paginate(
                    PipelineExecutionArn=arn, SortOrder="Ascending"
                )
                for each in page["PipelineExecutionSteps"]
            ]
        return PipelineRun(
            arn, found["PipelineExecutionStatus"], found.get("FailureReason", ""), tuple(steps)
        )

    def follow(self, arn: str, total: int, report: Callable[[Progress], None]) -> PipelineRun:
        """The execution once it has ended; `total` is how many steps a whole one has."""
        pause, longest, growth = _PAUSES
        while True:
            run = self.run(arn)
            done = sum(step.status == "Succeeded" for step in run.steps)
            newest = f"{run.steps[-1].name} {run.steps[-1].status}" if run.steps else run.status
            report(Progress("pipeline", min(done, total), total, newest))
            if run.ended:
                return run
            time.sleep(pause)
            pause = min(pause * growth, longest)
