"""Endpoints that are CloudFormation stacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from watchkeeper.adapters.aws.stacks import Report, Stacks
from watchkeeper.core.errors import PlatformError
from watchkeeper.core.stacks import StackRequest, StackState
from watchkeeper.core.values import Candidate, CandidateKind, Deployment, Sample

# What of the endpoint's stack says which version serves; all else says how.
OF_VERSION = ("ModelPackageArn", "ModelVersion", "BaselineVersions", "SchemaVersion")


@dataclass(frozen=True, slots=True)
class StackEndpointHost:
    """An `EndpointHost` that changes the parameters of an environment's stack, and nothing behind its back.

    `stacks` are those of an environment's account, `request` an environment's endpoint stack without a
    version, and `parameters` what `OF_VERSION` is for a version. SageMaker ships captures by itself, within
    minutes, and has no way to be told to; what it measures is in CloudWatch.
    """

    stacks: Callable[[str], Stacks]
    request: Callable[[str], StackRequest]
    parameters: Callable[[int, str], Mapping[str, str]]
    report: Report

    def deploy(self, deployment: Deployment) -> None:
        doing = f"deploy model v{deployment.version} to {deployment.endpoint}"
        self._apply(
            doing, deployment.environment, self.parameters(deployment.version, deployment.environment)
        )

    def try_out(self, candidate: Candidate) -> None:
        doing = f"try model v{candidate.version} on {candidate.endpoint}"
        serving = self._serving(doing, candidate.environment)
        tried = {
            "CandidatePackageArn": self.parameters(candidate.version, candidate.environment)[
                "ModelPackageArn"
            ],
            "CandidateVersion": str(candidate.version),
            "CandidateWeight": str(candidate.weight if candidate.kind is CandidateKind.CANARY else 0),
        }
        self._apply(doing, candidate.environment, {**serving, **tried})

    def withdraw(self, candidate: Candidate) -> None:
        doing = f"withdraw model v{candidate.version} from {candidate.endpoint}"
        self._apply(doing, candidate.environment, self._serving(doing, candidate.environment))

    def flush(self) -> None:
        """SageMaker ships captures by itself."""

    def samples(self) -> Sequence[Sample]:
        return ()

    def _serving(self, doing: str, environment: str) -> Mapping[str, str]:
        name = self.request(environment).name
        state: StackState | None = self.stacks(environment).state(name)
        if state is None or not state.there:
            raise PlatformError(f"{doing}: there is no stack {name} that serves", retryable=False)
        return {key: state.parameters[key] for key in OF_VERSION}

    def _apply(self, doing: str, environment: str, version: Mapping[str, str]) -> None:
        request = self.request(environment)
        wanted = replace(request, parameters={**request.parameters, **version})
        try:
            self.stacks(environment).apply(wanted, self.report)
        except PlatformError as error:
            raise PlatformError(f"{doing}: {error}", retryable=error.retryable) from error
