"""Pipeline executions whose steps have an outcome that a test chooses; moto has no steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.aws.formation import ACCOUNT, REGION, Refused


@dataclass
class Pipelines:
    """Executions by ARN. Each look at one carries the next of its `plan` out: a step and how it ended."""

    plan: list[tuple[str, str]] = field(default_factory=lambda: [("Prepare", "Succeeded")])
    fails: str = ""
    tokens: dict[str, str] = field(default_factory=dict)
    executions: dict[str, dict[str, Any]] = field(default_factory=dict)

    def start(self, asked: dict[str, Any]) -> dict[str, Any]:
        token = asked["ClientRequestToken"]
        if token not in self.tokens:
            number = f"{len(self.executions) + 1:012d}"
            arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:pipeline/{asked['PipelineName']}/execution/{number}"
            self.tokens[token] = arn
            self.executions[arn] = {"asked": asked, "done": 0}
        return {"PipelineExecutionArn": self.tokens[token]}

    def list(self, asked: dict[str, Any]) -> dict[str, Any]:
        ours = f":pipeline/{asked['PipelineName']}/"
        arns = [arn for arn in self.executions if ours in arn]
        newest_first = reversed(arns) if asked.get("SortOrder", "Descending") == "Descending" else arns
        found = [{"PipelineExecutionArn": arn} for arn in newest_first]
        return {"PipelineExecutionSummaries": found[: asked.get("MaxResults", 10)]}

    def describe(self, asked: dict[str, Any]) -> dict[str, Any]:
        execution = self._found(asked)
        execution["done"] = min(execution["done"] + 1, len(self.plan))
        over = execution["done"] == len(self.plan)
        failed = any(outcome == "Failed" for _, outcome in self.plan[: execution["done"]])
        status = "Failed" if failed else "Succeeded" if over else "Executing"
        return {
            "PipelineExecutionArn": asked["PipelineExecutionArn"],
            "PipelineExecutionStatus": status,
            **({"FailureReason": self.fails} if failed else {}),
        }

    def steps(self, asked: dict[str, Any]) -> dict[str, Any]:
        done = self._found(asked)["done"]
        return {
            "PipelineExecutionSteps": [
                {
                    "StepName": name,
                    "StepStatus": outcome,
                    "StartTime": datetime.now(UTC),
                    **({"FailureReason": self.fails} if outcome == "Failed" else {}),
                }
                for name, outcome in self.plan[:done]
            ][:: 1 if asked.get("SortOrder") == "Ascending" else -1]
        }

    def _found(self, asked: dict[str, Any]) -> dict[str, Any]:
        arn = asked["PipelineExecutionArn"]
        if arn not in self.executions:
            raise Refused(f"Pipeline execution {arn} does not exist.", "ResourceNotFound")
        return self.executions[arn]
