"""`POST /endpoints/{name}/invocations` and `POST /invocations`, as an ASGI application of their own.

Every request passes here, so it is plain ASGI: Starlette's requests, routes and responses took as long as a
third of the prediction. Whatever is no invocation goes on to the other routes.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from watchkeeper.core.errors import WatchkeeperError
from watchkeeper.core.values import Candidate
from watchkeeper.core.windows import parse_utc
from watchkeeper.serving.answers import failure
from watchkeeper.serving.calls import Answer, Call
from watchkeeper.serving.endpoint import Endpoint, Trial
from watchkeeper.serving.refusals import BODY_LIMIT, ModelFailed, RequestRefused, too_large
from watchkeeper.serving.variant import Variant

# Bytes; a larger request is answered beside the event loop, so that it delays no other.
LARGE_BODY = 64 * 1024
TIME_HEADER = "x-watchkeeper-time"
_TIME = TIME_HEADER.encode()

Headers = Mapping[bytes, bytes]
Withdrawn = Callable[[Candidate, str], None]

SHADOWS_AT_MOST = 100  # copies under way; more are left out, and counted

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Route:
    """One path's endpoint. A failing model is a 500 by the container contract, a 424 in the runtime API."""

    endpoint: Endpoint
    model_status: int


@dataclass(slots=True)
class Invocations:
    """Answers invocations of the endpoints and hands anything else to `others`.

    `withdrawn` hears, on a thread of its own, of a canary that its watch has withdrawn, and why.
    """

    endpoints: Mapping[str, Endpoint]
    others: ASGIApp
    withdrawn: Withdrawn
    rehearsal: bool
    _routes: dict[str, Route] = field(init=False)
    _beside: set[asyncio.Task[None]] = field(default_factory=set)  # work that no request waits for

    def __post_init__(self) -> None:
        self._routes = {
            f"/endpoints/{name}/invocations": Route(endpoint, 424)
            for name, endpoint in self.endpoints.items()
        }
        if len(self.endpoints) == 1:
            self._routes["/invocations"] = Route(next(iter(self.endpoints.values())), 500)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application."""
        route = self._routes.get(scope["path"]) if scope["type"] == "http" else None
        if route is None or scope["method"] != "POST":
            await self.others(scope, receive, send)
            return
        event_id, endpoint = str(uuid.uuid4()), route.endpoint
        variant = endpoint.main
        counters = variant.counters
        counters.in_flight += 1
        started, code, answer, refusal = time.perf_counter(), 500, None, None
        try:
            body, headers = await read_body(receive), dict(scope["headers"])
            variant = _variant(endpoint, headers, event_id)
            call = self._call(headers, event_id, body)
            answer = await _answer(variant, call)
            code = 200
        except WatchkeeperError as error:
            refusal = failure(error, event_id, route.model_status)
            code = 500 if isinstance(error, ModelFailed) else refusal.status_code
        except ClientDisconnect:
            code = 400
        finally:
            counters.in_flight -= 1
            seconds = time.perf_counter() - started
            variant.counters.answered(code, seconds, answer.model_seconds if answer else None)
        if endpoint.trial is not None:
            self._try(endpoint, endpoint.trial, variant, code, seconds)
            if answer is not None and variant is endpoint.main:
                self._shadow(endpoint, call)
        if answer is not None:
            start, content = _answered(answer, variant.name, event_id)
            await send(start)
            await send(content)
        elif refusal is not None:
            await refusal(scope, receive, send)

    def _try(self, endpoint: Endpoint, trial: Trial, variant: Variant, code: int, seconds: float) -> None:
        """Let the candidate's watch see the request; a canary that it condemns serves no more from here."""
        if variant is endpoint.main:
            if code == 200:
                trial.watch.beside(seconds)
        elif variant is trial.variant and code in (200, 500):  # a 503 is no fault of the model
            why = trial.watch.saw(code == 500, seconds)
            if why and endpoint.withdraw(trial.candidate):
                log.error("endpoint %s: canary withdrawn: %s", endpoint.settings.name, why)
                self._do_beside(self._tell(trial.candidate, why))

    async def _tell(self, candidate: Candidate, why: str) -> None:
        try:
            await run_in_threadpool(self.withdrawn, candidate, why)
        except WatchkeeperError as error:
            log.error(
                "endpoint %s: that its canary was withdrawn is not on record: %s", candidate.endpoint, error
            )

    def _shadow(self, endpoint: Endpoint, call: Call) -> None:
        """A copy for the shadow, which nobody waits for."""
        shadow = endpoint.shadow()
        if shadow is None:
            return
        if len(self._beside) >= SHADOWS_AT_MOST:
            shadow.counters.recorded(0, 1)
            return
        self._do_beside(_copied(shadow, replace(call, event_id=str(uuid.uuid4()))))

    def _do_beside(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    def _call(self, headers: Headers, event_id: str, body: bytes) -> Call:
        attributes = _ascii(headers, b"x-amzn-sagemaker-custom-attributes", "custom attributes", 1024)
        return Call(
            event_id=event_id,
            time=request_time(_text(headers, _TIME), rehearsal=self.rehearsal),
            body=body,
            content_type=_text(headers, b"content-type"),
            accept=_text(headers, b"x-amzn-sagemaker-accept") or _text(headers, b"accept"),
            inference_id=_ascii(headers, b"x-amzn-sagemaker-inference-id", "inference id", 64),
            custom_attributes=(attributes,) if attributes else (),
        )


async def read_body(receive: Receive) -> bytes:
    """A request's body; one over the limit is read on for a while, so that the client hears of it.

    Raises ClientDisconnect when there is nobody left to answer.
    """
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        body: bytes = message.get("body", b"")
        if len(body) > BODY_LIMIT:
            raise too_large()
        return body
    parts, size = [], 0
    while True:
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part = message.get("body", b"")
        size += len(part)
        if size <= BODY_LIMIT:
            parts.append(part)
        if not message.get("more_body") or size > 4 * BODY_LIMIT:
            break
        message = await receive()
    if size > BODY_LIMIT:
        raise too_large()
    return b"".join(parts)


def request_time(stated: str | None, *, rehearsal: bool) -> datetime:
    """The time a request counts as of: now, or in a rehearsal what its header says."""
    if stated is None:
        return datetime.now(UTC)
    if not rehearsal:
        raise RequestRefused(f"this server takes no {TIME_HEADER}: it was not started for a rehearsal")
    try:
        return parse_utc(stated)
    except (ValueError, OverflowError) as error:
        raise RequestRefused(f"read {TIME_HEADER}: {error}") from None


def _variant(endpoint: Endpoint, headers: Headers, event_id: str) -> Variant:
    """Who is to answer, by the headers."""
    if model := _text(headers, b"x-amzn-sagemaker-target-model"):
        name = endpoint.settings.name
        raise RequestRefused(
            f'invoke endpoint {name}: it is no multi-model endpoint, and model "{model}" was named'
        )
    return endpoint.routed(event_id, _text(headers, b"x-amzn-sagemaker-target-variant"))


async def _answer(variant: Variant, call: Call) -> Answer:
    if len(call.body) > LARGE_BODY:
        return await run_in_threadpool(variant.answer, call)
    return await variant.moment.answer(call)


async def _copied(shadow: Variant, call: Call) -> None:
    started, code, answer = time.perf_counter(), 500, None
    try:
        answer = await _answer(shadow, call)
        code = 200
    except RequestRefused as error:
        code = error.status
    except WatchkeeperError as error:
        log.warning("shadow %s: %s", call.event_id, error)
    finally:
        seconds = time.perf_counter() - started
        shadow.counters.answered(code, seconds, answer.model_seconds if answer else None)


def _answered(answer: Answer, variant: str, event_id: str) -> tuple[Message, Message]:
    body = answer.body.encode()
    headers = [
        (b"content-type", answer.content_type.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"x-amzn-requestid", event_id.encode()),
        (b"x-amzn-invoked-production-variant", variant.encode()),
        (b"x-watchkeeper-model-version", str(answer.version).encode()),
    ]
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    return start, {"type": "http.response.body", "body": body}


def _text(headers: Headers, name: bytes) -> str | None:
    value = headers.get(name)
    return value.decode("latin-1") if value is not None else None


def _ascii(headers: Headers, name: bytes, what: str, most: int) -> str | None:
    """A header's text; an empty one counts as none. The limits are those of SageMaker's API."""
    value = _text(headers, name)
    if value and not (value.isascii() and len(value) <= most):
        raise RequestRefused(
            f"read the header with the {what}: want at most {most} ASCII characters, "
            f"got {len(value)}: {value[:40]!a}"
        )
    return value or None
