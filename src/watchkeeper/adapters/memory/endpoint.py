"""Endpoints that only remember what they were told to serve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from watchkeeper.core.errors import PlatformError
from watchkeeper.core.values import Candidate, Deployment, Sample


@dataclass(slots=True)
class MemoryEndpointHost:
    """An `EndpointHost` for tests; it refuses the versions in `broken`."""

    serving: dict[str, int] = field(default_factory=dict)
    broken: frozenset[int] = frozenset()
    tried: dict[str, Candidate] = field(default_factory=dict)

    def deploy(self, deployment: Deployment) -> None:
        self._load(deployment)
        self.serving[deployment.endpoint] = deployment.version
        self.tried.pop(deployment.endpoint, None)

    def try_out(self, candidate: Candidate) -> None:
        self._load(candidate)
        self.tried[candidate.endpoint] = candidate

    def withdraw(self, candidate: Candidate) -> None:
        self.tried.pop(candidate.endpoint, None)

    def _load(self, told: Deployment | Candidate) -> None:
        if told.version in self.broken:
            raise PlatformError(
                f"deploy model v{told.version} to {told.endpoint}: it does not load", retryable=False
            )

    def flush(self) -> None:
        """Nothing is held back."""

    def samples(self) -> Sequence[Sample]:
        return ()
