"""A canary, a shadow, and a version that fails some requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tests.serving.running import DEPLOYED, PerSquareMetre, Predictions
from watchkeeper.core.values import CanaryLimits, Candidate, CandidateKind, Deployment, Schema
from watchkeeper.serving.predicting import Predictor

LIMITS = CanaryLimits(errors=0.05, latency=2.0, requests=100)


CANARY = Candidate(
    number=1,
    environment="prod",
    endpoint="prices",
    version=2,
    digest="e" * 64,
    kind=CandidateKind.CANARY,
    weight=40,
    limits=LIMITS,
    time=DEPLOYED.time,
    actor=DEPLOYED.actor,
)


SHADOW = replace(CANARY, kind=CandidateKind.SHADOW, weight=0)


@dataclass(frozen=True, slots=True)
class Flaky:
    """Fails for one town in five."""

    model: PerSquareMetre

    @property
    def schema(self) -> Schema:
        return self.model.schema

    def predict(self, columns: Mapping[str, Sequence[str | None]]) -> Predictions:
        if "T4" in columns["town"]:
            raise ArithmeticError("no such town on record")
        return self.model.predict(columns)


def load(deployment: Deployment) -> Predictor:
    """Version 3 is flaky."""
    model = PerSquareMetre(float(deployment.version))
    return Flaky(model) if deployment.version == 3 else model
