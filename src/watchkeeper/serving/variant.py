"""One variant of an endpoint: requests to answers by the model it serves, captured on the way.

Requests of one moment are answered together: one prediction and one write for all of them, which costs little
more than for one. None of them notices: one that cannot be answered fails alone.
"""

from __future__ import annotations

import time as clock
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate, pairwise

from watchkeeper.core.errors import PlatformError, WatchkeeperError
from watchkeeper.core.values import CaptureRecord, Deployment, Sample
from watchkeeper.readers.payloads import Columns
from watchkeeper.render.records import CAPTURES, CaptureFolder
from watchkeeper.serving.calls import Answer, Call
from watchkeeper.serving.capture import sampled
from watchkeeper.serving.codec import (
    Format,
    Wire,
    answer_format,
    decode_body,
    encode_predictions,
    masked_body,
    request_format,
)
from watchkeeper.serving.counters import Standing, VariantCounters
from watchkeeper.serving.moments import Moment
from watchkeeper.serving.predicting import Predictor, predictions
from watchkeeper.serving.recorder import Recorder
from watchkeeper.serving.refusals import RequestRefused
from watchkeeper.serving.settings import CaptureMode, EndpointSettings


@dataclass(frozen=True, slots=True)
class Active:
    """A version that is being served; replaced as a whole, so that a request meets one or the other."""

    deployment: Deployment
    model: Predictor
    wire: Wire
    folder: CaptureFolder

    @property
    def who(self) -> str:
        """How errors call it."""
        return f"{self.deployment.endpoint}, model version {self.deployment.version}"


@dataclass(slots=True)
class Variant:
    """A variant of an endpoint of a running server. `problem` says why there is no active model.

    `root` is the folder of the store that its captures go to.
    """

    settings: EndpointSettings
    name: str
    recorder: Recorder
    counters: VariantCounters
    root: str = CAPTURES
    active: Active | None = None
    problem: str = "no model is deployed"
    moment: Moment = field(init=False)

    def __post_init__(self) -> None:
        self.moment = Moment(self)

    def activate(self, deployment: Deployment, model: Predictor) -> None:
        """Serve this version from the next request on; requests under way finish with theirs."""
        mine, version = self.settings, model.schema.version
        folder = CaptureFolder(mine.environment, version, mine.name, self.name, self.root)
        self.active = Active(deployment, model, Wire.of(model.schema), folder)

    def samples(self, time: datetime) -> tuple[Sample, ...]:
        """What it exposes of itself as of `time`."""
        model = self.active.deployment if self.active else None
        mine = self.settings
        lag = self.recorder.capture.lag(f"{self.root}/{mine.environment}/")
        state = Standing(
            model,
            off=bool(self.recorder.off),
            lag=lag,
            waiting=self.moment.waiting,
            free=self.recorder.capture.free(),
        )
        return self.counters.samples(time, state)

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
        version = active.deployment.version
        found: list[Answer | WatchkeeperError] = []
        started = clock.perf_counter()
        predicted = self._predicted(active, asked)
        seconds = clock.perf_counter() - started
        for each, values in zip(asked, predicted, strict=True):
            if isinstance(values, WatchkeeperError):
                found.append(values)
            else:
                text = encode_predictions(values, each.accepted, active.wire)
                found.append(Answer(text, each.accepted.content_type, version, seconds))
        records = [
            (place, self._record(each, answer, active))
            for place, (each, answer) in enumerate(zip(asked, found, strict=True))
            if isinstance(answer, Answer) and sampled(each.call.event_id, self.settings.capture.sampling)
        ]
        done = self.recorder.write(active.folder, [record for _, record in records])
        for (place, _), error in zip(records, done.errors, strict=True):
            if error is not None:
                found[place] = error
        self.counters.recorded(done.captured, done.dropped)
        return iter(found)

    def _predicted(self, active: Active, asked: Sequence[_Asked]) -> list[list[float] | WatchkeeperError]:
        """Each request's predictions; those that fail together are halved until who is at fault is alone."""
        if not asked:
            return []
        together = asked[0].columns if len(asked) == 1 else _merged(asked)
        try:
            found = predictions(active.model, together, active.who)
        except WatchkeeperError as error:
            if len(asked) == 1:
                return [error]
            half = len(asked) // 2
            return [*self._predicted(active, asked[:half]), *self._predicted(active, asked[half:])]
        self.counters.met_unseen(found.unseen)
        ends = list(accumulate((each.rows for each in asked), initial=0))
        return [found.values[start:stop] for start, stop in pairwise(ends)]

    def _record(self, asked: _Asked, answer: Answer, active: Active) -> CaptureRecord:
        call, policy = asked.call, self.settings.capture
        mask = policy.mask
        body = masked_body(asked.columns, asked.form, active.wire, mask) if mask else call.body.decode()
        return CaptureRecord(
            event_id=call.event_id,
            inference_id=call.inference_id,
            time=call.time,
            model_version=answer.version,
            schema_version=active.model.schema.version,
            input=policy.payload(CaptureMode.INPUT, body, call.content_type),
            output=policy.payload(CaptureMode.OUTPUT, answer.body, answer.content_type),
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


def _merged(asked: Sequence[_Asked]) -> Columns:
    """The rows of all requests, one after the other."""
    return {name: [cell for each in asked for cell in each.columns[name]] for name in asked[0].columns}


def _read(call: Call, wire: Wire) -> _Asked | WatchkeeperError:
    try:
        form = request_format(call.content_type)
        accepted = answer_format(call.accept, form)
        columns = decode_body(call.body, form, wire)
    except RequestRefused as error:
        return error
    return _Asked(call, form, accepted, columns, len(next(iter(columns.values()))))
