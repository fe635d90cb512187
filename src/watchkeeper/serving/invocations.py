"""`POST /endpoints/{name}/invocations` and `POST /invocations`, as an ASGI application of their own.

Every request passes here, so it is plain ASGI: Starlette's requests, routes and responses took as long as a
third of the prediction. Whatever is no invocation goes on to the other routes.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from watchkeeper.core.errors import WatchkeeperError
from watchkeeper.core.windows import parse_utc
from watchkeeper.serving.answers import failure
from watchkeeper.serving.endpoint import Answer, Call, Endpoint
from watchkeeper.serving.moments import Moment
from watchkeeper.serving.refusals import BODY_LIMIT, ModelFailed, RequestRefused, too_large

# Bytes; a larger request is answered beside the event loop, so that it delays no other.
LARGE_BODY = 64 * 1024
TIME_HEADER = "x-watchkeeper-time"
_TIME = TIME_HEADER.encode()

Headers = Mapping[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Route:
    """One path's endpoint. A failing model is a 500 by the container contract, a 424 in the runtime API."""

    moment: Moment
    model_status: int

    @property
    def endpoint(self) -> Endpoint:
        return self.moment.endpoint


@dataclass(slots=True)
class Invocations:
    """Answers invocations of the endpoints and hands anything else to `others`."""

    endpoints: Mapping[str, Endpoint]
    others: ASGIApp
    rehearsal: bool
    _routes: dict[str, Route] = field(init=False)

    def __post_init__(self) -> None:
        moments = {name: Moment(endpoint) for name, endpoint in self.endpoints.items()}
        self._routes = {
            f"/endpoints/{name}/invocations": Route(moment, 424) for name, moment in moments.items()
        }
        if len(moments) == 1:
            self._routes["/invocations"] = Route(next(iter(moments.values())), 500)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application."""
        route = self._routes.get(scope["path"]) if scope["type"] == "http" else None
        if route is None or scope["method"] != "POST":
            await self.others(scope, receive, send)
            return
        event_id, counters = str(uuid.uuid4()), route.endpoint.counters
        started, code = time.perf_counter(), 500
        try:
            call = self._call(dict(scope["headers"]), event_id, await read_body(receive))
            answer = await _answer(route, call)
            code = 200
        except WatchkeeperError as error:
            response = failure(error, event_id, route.model_status)
            code = 500 if isinstance(error, ModelFailed) else response.status_code
            await response(scope, receive, send)
        except ClientDisconnect:
            code = 400
        else:
            start, body = _answered(answer, route.endpoint.settings.variant, event_id)
            await send(start)
            await send(body)
        finally:
            counters.answered(code, time.perf_counter() - started)

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


async def _answer(route: Route, call: Call) -> Answer:
    if len(call.body) > LARGE_BODY:
        return await run_in_threadpool(route.endpoint.answer, call)
    return await route.moment.answer(call)


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
