"""An endpoint: the variant that serves, and beside it at most one candidate that is tried out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from watchkeeper.core.values import Candidate, CandidateKind, Deployment
from watchkeeper.render.records import SHADOW_CAPTURES
from watchkeeper.serving.canary import Watch
from watchkeeper.serving.capture import CaptureWriter
from watchkeeper.serving.counters import VariantCounters
from watchkeeper.serving.predicting import Predictor
from watchkeeper.serving.recorder import Recorder
from watchkeeper.serving.refusals import RequestRefused
from watchkeeper.serving.settings import EndpointSettings
from watchkeeper.serving.variant import Variant

VARIANT_NAMES = {CandidateKind.CANARY: "Canary", CandidateKind.SHADOW: "Shadow"}


@dataclass(frozen=True, slots=True)
class Trial:
    """A candidate that is served: by its own variant, under the eyes of its watch."""

    candidate: Candidate
    variant: Variant
    watch: Watch


@dataclass(slots=True)
class Endpoint:
    """An endpoint of a running server."""

    settings: EndpointSettings
    capture: CaptureWriter
    labels: dict[str, str]
    main: Variant
    trial: Trial | None = None

    @classmethod
    def of(cls, common: Mapping[str, str], settings: EndpointSettings, capture: CaptureWriter) -> Endpoint:
        """An endpoint that serves nothing yet; its samples carry the common labels too."""
        labels = {**common, "environment": settings.environment, "endpoint": settings.name}
        return cls(settings, capture, labels, _variant(settings, settings.variant, capture, labels))

    def variants(self) -> Iterator[Variant]:
        """The variant that serves, then the candidate's."""
        yield self.main
        if self.trial is not None:
            yield self.trial.variant

    def activate(self, deployment: Deployment, model: Predictor) -> None:
        """Serve this version from the next request on, alone: a candidate's trial ends with it."""
        self.main.activate(deployment, model)
        self.trial = None

    def try_out(self, candidate: Candidate, model: Predictor) -> None:
        """Serve the candidate beside the version that serves."""
        variant = _variant(self.settings, VARIANT_NAMES[candidate.kind], self.capture, self.labels)
        if candidate.kind is CandidateKind.SHADOW:
            variant.root = SHADOW_CAPTURES
        variant.activate(candidate.deployment(), model)
        self.trial = Trial(candidate, variant, Watch(candidate.limits))

    def withdraw(self, candidate: Candidate) -> bool:
        """End that candidate's trial; False when it has ended already."""
        if self.trial is None or self.trial.candidate != candidate:
            return False
        self.trial = None
        return True

    def routed(self, event_id: str, wanted: str | None) -> Variant:
        """Who answers a request: the variant it names, else a canary for its share, else the one that serves.

        Raises RequestRefused for a name that is no variant's.
        """
        canary = self._tried_as(CandidateKind.CANARY)
        if wanted is None:
            if canary is not None and drawn(event_id) < canary.candidate.weight:
                return canary.variant
            return self.main
        answering = (self.main, canary.variant) if canary is not None else (self.main,)
        for variant in answering:
            if variant.name == wanted:
                return variant
        names = ", ".join(variant.name for variant in answering)
        raise RequestRefused(f'invoke endpoint {self.settings.name}: want one of {names}, got "{wanted}"')

    def shadow(self) -> Variant | None:
        """Who gets a copy of what the serving variant is asked."""
        shadow = self._tried_as(CandidateKind.SHADOW)
        return shadow.variant if shadow is not None else None

    def _tried_as(self, kind: CandidateKind) -> Trial | None:
        trial = self.trial
        return trial if trial is not None and trial.candidate.kind is kind else None


def drawn(event_id: str) -> int:
    """A number from 0 to 99, always the same for one id, and not the one that sampling goes by.

    >>> drawn("a") == drawn("a")
    True
    """
    return int.from_bytes(hashlib.blake2b(event_id.encode(), digest_size=4, person=b"variant").digest()) % 100


def _variant(
    settings: EndpointSettings, name: str, capture: CaptureWriter, labels: dict[str, str]
) -> Variant:
    recorder = Recorder(capture, settings.capture)
    return Variant(settings, name, recorder, VariantCounters({**labels, "variant": name}))
