"""The registry as it stands: a fold over the records of versions, approvals and deployments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from watchkeeper.app.registry.records import read_records
from watchkeeper.core.errors import InputError
from watchkeeper.core.ports import Store
from watchkeeper.core.values import Approval, ApprovalStatus, Deployment, ModelVersion


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All versions, approvals and deployments, oldest first: the registry as it stands."""

    versions: tuple[ModelVersion, ...]
    approvals: tuple[Approval, ...]
    deployments: tuple[Deployment, ...]

    def version(self, number: int) -> ModelVersion:
        """Raises InputError when there is no such version."""
        for version in self.versions:
            if version.version == number:
                return version
        known = ", ".join(str(version.version) for version in self.versions) or "none yet"
        raise InputError(f"find model version {number}: want a registered one ({known})")

    def status(self, number: int, environment: str) -> ApprovalStatus:
        """The newest word on a version for an environment."""
        words = [a.status for a in self.approvals if (a.version, a.environment) == (number, environment)]
        return words[-1] if words else ApprovalStatus.PENDING

    def serving(self, environment: str) -> Deployment | None:
        """What the environment serves, or None before its first deployment."""
        found = [deployment for deployment in self.deployments if deployment.environment == environment]
        return found[-1] if found else None

    def served(self, number: int, environment: str) -> bool:
        """Whether the environment has ever served the version."""
        return any((d.version, d.environment) == (number, environment) for d in self.deployments)


def first_deployed(store: Store, environment: str) -> datetime | None:
    """When an environment was first given something to serve; None when it was not yet."""
    found = read_records(store, f"deployments/{environment}/", Deployment)
    return found[0].time if found else None


def catalogue(store: Store) -> Catalogue:
    """Fold the registry's records."""
    return Catalogue(
        tuple(sorted(read_records(store, "models/", ModelVersion, "/model.json"), key=lambda m: m.version)),
        tuple(sorted(read_records(store, "approvals/", Approval), key=lambda a: a.time)),
        tuple(
            sorted(read_records(store, "deployments/", Deployment), key=lambda d: (d.environment, d.number))
        ),
    )


def artefact_prefix(version: int) -> str:
    """The keys of a version's artefact start with this."""
    return f"models/v{version}/artefact/"
