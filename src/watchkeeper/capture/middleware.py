"""ASGI middleware that captures what passes through it."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from watchkeeper.capture.writer import Capture
from watchkeeper.core.errors import WatchkeeperError

EVENT_HEADER = "x-watchkeeper-event-id"

log = logging.getLogger(__name__)


@dataclass(slots=True)
class CaptureMiddleware:
    """Captures POST requests to `paths` that are answered with a 200, before the answer is sent.

    The answer is held until its record is in the operating system's hands, and gets the header
    `x-watchkeeper-event-id`. With `refuse` a request whose record cannot be written is answered with a 503;
    without, it is answered, and the log says so. The caller's `x-amzn-sagemaker-inference-id` is kept.
    """

    app: ASGIApp
    capture: Capture
    paths: Collection[str] = ("/invocations",)
    refuse: bool = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application."""
        captured = scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in self.paths
        if not captured:
            await self.app(scope, receive, send)
            return
        asked: list[bytes] = []
        answered: list[Message] = []

        async def overheard() -> Message:
            message = await receive()
            if message["type"] == "http.request":
                asked.append(message.get("body", b""))
            return message

        async def held(message: Message) -> None:
            answered.append(message)

        await self.app(scope, overheard, held)
        if answered and answered[0].get("status") == 200:
            try:
                answered[0] = await self._recorded(Headers(scope=scope), b"".join(asked), answered)
            except WatchkeeperError as error:
                log.error("capture: %s", error)
                if self.refuse:
                    await JSONResponse({"error": str(error)}, status_code=503)(scope, receive, send)
                    return
        for message in answered:
            await send(message)

    async def _recorded(self, headers: Headers, asked: bytes, answered: list[Message]) -> Message:
        """The answer's start with the event id, once the record is written."""
        start = dict(answered[0])
        said = MutableHeaders(raw=list(start.get("headers", [])))
        body = b"".join(message.get("body", b"") for message in answered[1:])
        types = (headers.get("content-type", ""), said.get("content-type", ""))
        inference_id = headers.get("x-amzn-sagemaker-inference-id")

        def record() -> str:
            return self.capture.record(asked, body, content_types=types, inference_id=inference_id)

        said[EVENT_HEADER] = await run_in_threadpool(record)
        return {**start, "headers": said.raw}
