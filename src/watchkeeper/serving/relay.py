"""Requests that concern every worker, which any of them may get, passed on to the one that leads."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from watchkeeper.core.errors import WatchkeeperError
from watchkeeper.serving.answers import failure
from watchkeeper.serving.invocations import TIME_HEADER, read_body
from watchkeeper.serving.seat import STEP, Seat

_SEEN_BY_ALL = ("/metrics", "/api/v1/samples")
_PASSED_ON = ("authorization", "content-type", TIME_HEADER)
_PASSED_BACK = ("content-type", "x-amzn-errortype", "x-amzn-requestid")


@dataclass(frozen=True, slots=True)
class ToLeader:
    """An ASGI application: what changes something, and what is asked of all workers, goes to the leader.

    `own` answers the rest, and what the leader asks of this worker.
    """

    own: ASGIApp
    seat: Seat

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application."""
        if scope["type"] != "http" or not _concerns_all(request := Request(scope, receive)):
            await self.own(scope, receive, send)
            return
        answer = await self._led(request)
        await answer(scope, receive, send)

    async def _led(self, request: Request) -> Response:
        try:
            body, url = await read_body(request.receive), request.url
            target = f"{url.path}?{url.query}" if url.query else url.path
            headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
            reply = await run_in_threadpool(self.seat.lead, request.method, target, headers, body)
        except ClientDisconnect:
            return Response(status_code=400)
        except WatchkeeperError as error:
            return failure(error)
        kept = {name: text for name, text in reply.headers.items() if name.lower() in _PASSED_BACK}
        return Response(reply.body, reply.status, kept)


def _concerns_all(request: Request) -> bool:
    if STEP in request.headers:
        return False
    return request.method in ("PUT", "DELETE", "POST") or request.url.path in _SEEN_BY_ALL
