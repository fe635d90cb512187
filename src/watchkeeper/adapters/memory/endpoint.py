"""Endpoints that only remember what they were told to serve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from watchkeeper.core.errors import PlatformError
from watchkeeper.core.values import Deployment, Sample


@dataclass(slots=True)
class MemoryEndpointHost:
    """An `EndpointHost` for tests; it refuses the versions in `broken`."""

    serving: dict[str, int] = field(default_factory=dict)
    broken: frozenset[int] = frozenset()

    def deploy(self, deployment: Deployment) -> None:
        if deployment.version in self.broken:
            raise PlatformError(
                f"deploy model v{deployment.version} to {deployment.endpoint}: it does not load",
                retryable=False,
            )
        self.serving[deployment.endpoint] = deployment.version

    def flush(self) -> None:
        """Nothing is held back."""

    def samples(self) -> Sequence[Sample]:
        return ()
