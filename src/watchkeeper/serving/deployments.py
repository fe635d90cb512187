"""Which versions the endpoints serve and try: each change is made by all workers, or by none."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from watchkeeper.core.encoding import encode
from watchkeeper.core.errors import PlatformError
from watchkeeper.core.values import Candidate, Deployment
from watchkeeper.serving.endpoint import Endpoint
from watchkeeper.serving.invocations import Withdrawn
from watchkeeper.serving.predicting import Predictor
from watchkeeper.serving.refusals import RequestRefused
from watchkeeper.serving.seat import Seat, Step

Load = Callable[[Deployment], Predictor]
Told = Deployment | Candidate

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Deployments:
    """The endpoints of one worker; `load` makes a model, `withdrawn` hears of a canary that was withdrawn."""

    endpoints: Mapping[str, Endpoint]
    load: Load
    withdrawn: Withdrawn
    seat: Seat
    _held: dict[str, tuple[Told, Predictor]] = field(default_factory=dict)  # loaded, and not served yet

    def endpoint(self, name: str) -> Endpoint:
        """Raises RequestRefused when there is none of that name."""
        if name not in self.endpoints:
            raise RequestRefused(f"endpoint {name}: there is no such endpoint", status=404)
        return self.endpoints[name]

    def serve(self, told: Told) -> None:
        """Load the version and serve it, or try it; what was served goes on until then, and when this raises.

        Raises RequestRefused when it is not this endpoint's, and what `load` raises.
        """
        self._serve(told, self._loaded(told))

    def _serve(self, told: Told, model: Predictor) -> None:
        endpoint = self.endpoints[told.endpoint]
        if isinstance(told, Candidate):
            endpoint.try_out(told, model)
        else:
            endpoint.activate(told, model)
        does = "tries" if isinstance(told, Candidate) else "serves"
        log.info("endpoint %s %s model version %d", told.endpoint, does, told.version)

    def _loaded(self, told: Told) -> Predictor:
        deployment = told.deployment() if isinstance(told, Candidate) else told
        endpoint = self.endpoint(deployment.endpoint)
        wanted = endpoint.settings.environment
        if deployment.environment != wanted:
            where = f"deploy to endpoint {deployment.endpoint}"
            raise RequestRefused(f"{where}: want environment {wanted}, got {deployment.environment}")
        model = self.load(deployment)
        if not model.schema.inputs or not model.schema.prediction.name:
            raise ValueError("want a schema with input columns and a prediction")
        return model

    def all_serve(self, told: Told, path: str) -> None:
        """Every worker loads it, and once all of them have, every worker serves it."""
        body = encode(told)
        model = self._loaded(told)
        try:
            self.seat.tell(Step.LOAD, "PUT", path, body)
        except PlatformError:
            self._tell_or_log(Step.DROP, "PUT", path, body)
            raise
        self._serve(told, model)
        self._tell_or_log(Step.SERVE, "PUT", path, body)

    def in_step(self, step: Step, told: Told) -> None:
        """Do what the leader says. A worker that was started in between holds nothing yet."""
        held, model = self._held.pop(told.endpoint, (None, None))
        if step is Step.LOAD:
            self._held[told.endpoint] = (told, self._loaded(told))
        elif step is Step.SERVE:
            self._serve(told, model if model is not None and held == told else self._loaded(told))

    def _tell_or_log(self, step: Step, method: str, target: str, body: bytes = b"") -> None:
        """Who does not hear of it is started anew, and serves then what the others do."""
        try:
            self.seat.tell(step, method, target, body)
        except PlatformError as error:
            log.error("%s %s: %s", method, target, error)

    def condemned(self, candidate: Candidate, why: str) -> None:
        """A watch of this worker's has withdrawn a canary: it ends everywhere, and the leader tells of it.

        To be called on a thread of its own.
        """
        if self.seat.leads:
            self.all_withdraw(candidate, why)
            return
        asked = urlencode({"number": candidate.number, "why": why})
        headers = {"authorization": f"Bearer {self.seat.token}"}
        reply = self.seat.lead("DELETE", f"{_candidate_path(candidate)}?{asked}", headers, b"")
        if not reply.good:
            raise PlatformError(f"worker 1: {reply.words}", retryable=True)

    def all_withdraw(self, candidate: Candidate, why: str | None) -> None:
        """End the trial in the other workers; with `why`, tell of it first."""
        if why is not None:
            self.withdrawn(candidate, why)
        self._tell_or_log(Step.OWN, "DELETE", f"{_candidate_path(candidate)}?number={candidate.number}")


def _candidate_path(candidate: Candidate) -> str:
    return f"/api/v1/endpoints/{candidate.endpoint}/candidate"
