"""An endpoint: the variant that serves, and beside it at most one candidate that is tried out."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace

from watchkeeper.core.values import Candidate, CandidateKind, Deployment
from watchkeeper.render.records import CAPTURES, SHADOW_CAPTURES
from watchkeeper.serving.canary import Watch
from watchkeeper.serving.capture import CaptureWriter
from watchkeeper.serving.counters import VariantCounters
from watchkeeper.serving.recorder import Recorder
from watchkeeper.serving.refusals import RequestRefused
from watchkeeper.serving.settings import EndpointSettings
from watchkeeper.serving.variant import Predictor, Variant

VARIANT_NAMES = {CandidateKind.CANARY: "Canary", CandidateKind.SHADOW: "Shadow"}

log = logging.getLogger(__name__)


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
    def of(cls, project: str, settings: EndpointSettings, capture: CaptureWriter) -> Endpoint:
        """An endpoint that serves nothing yet."""
        labels = {"project": project, "environment": settings.environment, "endpoint": settings.name}
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
        name = VARIANT_NAMES[candidate.kind]
        shadow = candidate.kind is CandidateKind.SHADOW
        root = SHADOW_CAPTURES if shadow else CAPTURES
        variant = replace(_variant(self.settings, name, self.capture, self.labels), root=root)
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
        trial = self.trial
        if wanted is None:
            canary = trial is not None and trial.candidate.kind is CandidateKind.CANARY
            taken = canary and trial is not None and drawn(event_id) < trial.candidate.weight
            return trial.variant if taken and trial is not None else self.main
        for variant in self.variants():
            if variant.name == wanted and variant.root == CAPTURES:
                return variant
        names = ", ".join(variant.name for variant in self.variants() if variant.root == CAPTURES)
        raise RequestRefused(f'invoke endpoint {self.settings.name}: want one of {names}, got "{wanted}"')

    def shadow(self) -> Variant | None:
        """Who gets a copy of what the serving variant is asked."""
        trial = self.trial
        return trial.variant if trial and trial.candidate.kind is CandidateKind.SHADOW else None


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
