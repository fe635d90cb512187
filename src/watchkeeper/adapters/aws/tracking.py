"""Versions as packages of SageMaker's model registry, beside their runs in MLflow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from watchkeeper.adapters.aws.errors import translated
from watchkeeper.core.ports import Tracker
from watchkeeper.core.values import ApprovalStatus

_APPROVAL, _SERVING = (
    "approval.",
    "serving.",
)  # what begins a tag on an environment's approval, or on what serves
_DESCRIBED = 1024  # characters of a stage's description


@dataclass(frozen=True, slots=True)
class PackageTracker:
    """A `Tracker` that mirrors our records into a version's package, and into `runs`, which is MLflow.

    `package_of` says which package a version is, "" where it is none. Each environment's word goes into the
    package's `ModelLifeCycle`; its `ModelApprovalStatus` says no more than that the version is fit to leave
    `first`, the first environment. Package and run name each other. Source:
    docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateModelPackage.html.
    """

    client: Any
    runs: Tracker
    package_of: Callable[[int], str]
    first: str

    def log_run(
        self,
        name: str,
        params: Mapping[str, str],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        artefact: str,
    ) -> str:
        return self.runs.log_run(name, params, metrics, tags, artefact)

    def register(self, run_id: str, version: int, status: ApprovalStatus) -> None:
        self.runs.register(run_id, version, status)
        if package := self.package_of(version):
            named = {"mlflow_run_id": run_id, "watchkeeper_version": str(version)}
            self._update(package, CustomerMetadataProperties=named)
            self.runs.mirror(version, {"model_package_arn": package}, [])

    def mirror(self, version: int, tags: Mapping[str, str], aliases: Sequence[str]) -> None:
        self.runs.mirror(version, tags, aliases)
        package = self.package_of(version)
        for tag, text in tags.items():
            if package and (stage := _stage(tag, text)):
                self._update(package, **self._said(stage, tag, text))

    def _said(self, stage: Mapping[str, str], tag: str, text: str) -> dict[str, Any]:
        """The stage, and whether the version may leave the first environment, where the tag says so."""
        beyond = stage["Stage"] != self.first
        if beyond and tag.startswith(_SERVING):
            return {"ModelLifeCycle": stage, "ModelApprovalStatus": ApprovalStatus.APPROVED.value}
        if beyond and text in (ApprovalStatus.APPROVED, ApprovalStatus.REJECTED):
            return {"ModelLifeCycle": stage, "ModelApprovalStatus": str(text)}
        return {"ModelLifeCycle": stage}

    def _update(self, package: str, **changed: Any) -> None:
        with translated(f"update the model package {package}"):
            self.client.update_model_package(ModelPackageArn=package, **changed)


def _stage(tag: str, text: str) -> dict[str, str] | None:
    """A package's stage from a tag of ours; None for other tags."""
    if tag.startswith(_APPROVAL):
        stage, word = tag.removeprefix(_APPROVAL), str(text)
        return {"Stage": stage, "StageStatus": word, "StageDescription": f"{word} for {stage}"[:_DESCRIBED]}
    if tag.startswith(_SERVING):
        stage = tag.removeprefix(_SERVING)
        said = f"serves in {stage} since {text}"
        return {"Stage": stage, "StageStatus": "Serving", "StageDescription": said[:_DESCRIBED]}
    return None
