"""One endpoint: a request to an answer by the model it serves, captured on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import InputError, PlatformError, WatchkeeperError
from watchkeeper.core.values import CaptureRecord, Deployment, Payload, Schema
from watchkeeper.render.records import CaptureFolder
from watchkeeper.serving.capture import CaptureWriter, sampled
from watchkeeper.serving.codec import Format, answer_format, decode_body, encode_predictions, request_format
from watchkeeper.serving.counters import EndpointCounters
from watchkeeper.serving.refusals import ModelFailed, RequestRefused
from watchkeeper.serving.settings import EndpointSettings

# What a model's code may raise. Anything else is a fault of the server's own, and becomes a 500.
MODEL_FAULTS = (
    WatchkeeperError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


class Scores(Protocol):
    """What a model answers: float64 `values` of shape (rows,), and unseen categories counted by feature."""

    @property
    def values(self) -> npt.NDArray[np.float64]: ...

    @property
    def unseen(self) -> Mapping[str, int]: ...


class Predictor(Protocol):
    """A loaded model. `predict` is called from several threads."""

    @property
    def schema(self) -> Schema: ...

    def predict(self, columns: Mapping[str, Sequence[str | None]]) -> Scores:
        """Answer rows given as columns of text, None where empty.

        Raises InputError for a value it cannot read.
        """


@dataclass(frozen=True, slots=True)
class Active:
    """A version that is being served; replaced as a whole, so that a request meets one or the other."""

    deployment: Deployment
    model: Predictor


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it came in. `event_id` is the server's name for it, `time` the one it counts as of."""

    event_id: str
    time: datetime
    body: bytes
    content_type: str | None = None
    accept: str | None = None
    inference_id: str | None = None
    custom_attributes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back, and which model version said it."""

    body: str
    content_type: str
    version: int


@dataclass(slots=True)
class Endpoint:
    """An endpoint of a running server. `problem` says why there is no active model."""

    settings: EndpointSettings
    capture: CaptureWriter
    counters: EndpointCounters
    active: Active | None = None
    problem: str = "no model is deployed"

    def activate(self, deployment: Deployment, model: Predictor) -> None:
        """Serve this version from the next request on; requests under way finish with theirs."""
        self.active = Active(deployment, model)

    def answer(self, call: Call) -> Answer:
        """Answer a request; when this returns, its record is in the operating system's hands.

        Raises RequestRefused for a request to mend, ModelFailed, and PlatformError when there is
        no model or the record cannot be written.
        """
        active = self.active
        if active is None:
            raise PlatformError(f"invoke endpoint {self.settings.name}: {self.problem}", retryable=True)
        schema = active.model.schema
        asked = request_format(call.content_type)
        answered = answer_format(call.accept, asked)
        columns = decode_body(call.body, asked, schema)
        values, unseen = _predict(active, columns)
        answer = Answer(
            encode_predictions(values, answered, schema), answered.content_type, active.deployment.version
        )
        if sampled(call.event_id, self.settings.sampling):
            self._keep(call, asked, answer, answered, schema.version)
        self.counters.met_unseen(unseen)
        return answer

    def _keep(self, call: Call, asked: Format, answer: Answer, answered: Format, schema_version: int) -> None:
        record = CaptureRecord(
            event_id=call.event_id,
            inference_id=call.inference_id,
            time=call.time,
            model_version=answer.version,
            schema_version=schema_version,
            input=Payload(call.body.decode(), asked.encoding, call.content_type),
            output=Payload(answer.body, answered.encoding, answered.content_type),
            custom_attributes=call.custom_attributes,
        )
        mine = self.settings
        self.capture.append(CaptureFolder(mine.environment, schema_version, mine.name, mine.variant), record)


def _predict(
    active: Active, columns: Mapping[str, Sequence[str | None]]
) -> tuple[list[float], Mapping[str, int]]:
    """Finite predictions, one for each row, or an error that says whose fault it is."""
    rows = len(next(iter(columns.values())))
    try:
        scores = active.model.predict(columns)
        values = scores.values
        if values.shape != (rows,):
            raise ValueError(f"want predictions of shape ({rows},), got {values.shape}")
        if others := int((~np.isfinite(values)).sum()):
            raise ValueError(f"want finite predictions, got {others} of {rows} that are not")
        return values.tolist(), scores.unseen
    except InputError as error:
        raise RequestRefused(str(error)) from error
    except MODEL_FAULTS as error:
        name = f"{active.deployment.endpoint}, model version {active.deployment.version}"
        raise ModelFailed(f"invoke {name}: the model failed with {type(error).__name__}: {error}") from error
