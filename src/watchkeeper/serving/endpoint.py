"""One endpoint: requests to answers by the model it serves, captured on the way.

Requests of one moment are answered together: one prediction and one write for all of them, which costs little
more than for one. None of them notices: one that cannot be answered fails alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate, pairwise
from typing import Protocol

import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import InputError, PlatformError, WatchkeeperError
from watchkeeper.core.values import CaptureRecord, Deployment, Payload, Schema
from watchkeeper.readers.payloads import Columns
from watchkeeper.render.records import CaptureFolder
from watchkeeper.serving.capture import CaptureWriter, sampled
from watchkeeper.serving.codec import (
    Format,
    Wire,
    answer_format,
    decode_body,
    encode_predictions,
    request_format,
)
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
    """A loaded model. `predict` is called from several threads.

    It answers each row for itself, so that rows of several requests may be asked together.
    """

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
    wire: Wire


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
        self.active = Active(deployment, model, Wire.of(model.schema))

    def answer(self, call: Call) -> Answer:
        """Answer a request; when this returns, its record is in the operating system's hands.

        Raises RequestRefused for a request to mend, ModelFailed, and PlatformError when there is
        no model or the record cannot be written.
        """
        (found,) = self.answer_all([call])
        if isinstance(found, WatchkeeperError):
            raise found
        return found

    def answer_all(self, calls: Sequence[Call]) -> list[Answer | WatchkeeperError]:
        """Answer requests together, by one version; of each its answer or what `answer` would raise.

        When this returns, the records of all answers are in the operating system's hands.
        """
        active = self.active
        if active is None:
            nobody = f"invoke endpoint {self.settings.name}: {self.problem}"
            return [PlatformError(nobody, retryable=True) for _ in calls]
        asked: list[_Asked | WatchkeeperError] = [_read(call, active.wire) for call in calls]
        answers = self._answered(active, [each for each in asked if isinstance(each, _Asked)])
        return [next(answers) if isinstance(each, _Asked) else each for each in asked]

    def _answered(self, active: Active, asked: Sequence[_Asked]) -> Iterator[Answer | WatchkeeperError]:
        schema, version = active.model.schema, active.deployment.version
        found: list[Answer | WatchkeeperError] = []
        for each, values in zip(asked, self._predicted(active, asked), strict=True):
            if isinstance(values, WatchkeeperError):
                found.append(values)
            else:
                text = encode_predictions(values, each.accepted, active.wire)
                found.append(Answer(text, each.accepted.content_type, version))
        records = [
            (place, self._record(each, answer, schema.version))
            for place, (each, answer) in enumerate(zip(asked, found, strict=True))
            if isinstance(answer, Answer) and sampled(each.call.event_id, self.settings.sampling)
        ]
        mine = self.settings
        folder = CaptureFolder(mine.environment, schema.version, mine.name, mine.variant)
        unwritten = self.capture.append_all(folder, [record for _, record in records])
        for (place, _), error in zip(records, unwritten, strict=True):
            if error is not None:
                found[place] = error
        return iter(found)

    def _predicted(self, active: Active, asked: Sequence[_Asked]) -> list[list[float] | WatchkeeperError]:
        """Each request's predictions; those that fail together are halved until who is at fault is alone."""
        if not asked:
            return []
        names = asked[0].columns.keys()
        together = {name: [cell for each in asked for cell in each.columns[name]] for name in names}
        try:
            values, unseen = _predict(active, together)
        except WatchkeeperError as error:
            if len(asked) == 1:
                return [error]
            half = len(asked) // 2
            return [*self._predicted(active, asked[:half]), *self._predicted(active, asked[half:])]
        self.counters.met_unseen(unseen)
        ends = list(accumulate((each.rows for each in asked), initial=0))
        return [values[start:stop] for start, stop in pairwise(ends)]

    def _record(self, asked: _Asked, answer: Answer, schema_version: int) -> CaptureRecord:
        call = asked.call
        return CaptureRecord(
            event_id=call.event_id,
            inference_id=call.inference_id,
            time=call.time,
            model_version=answer.version,
            schema_version=schema_version,
            input=Payload(call.body.decode(), asked.form.encoding, call.content_type),
            output=Payload(answer.body, asked.accepted.encoding, asked.accepted.content_type),
            custom_attributes=call.custom_attributes,
        )


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that can be put to the model."""

    call: Call
    form: Format
    accepted: Format
    columns: Columns
    rows: int


def _read(call: Call, wire: Wire) -> _Asked | WatchkeeperError:
    try:
        form = request_format(call.content_type)
        accepted = answer_format(call.accept, form)
        columns = decode_body(call.body, form, wire)
    except RequestRefused as error:
        return error
    return _Asked(call, form, accepted, columns, len(next(iter(columns.values()))))


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
