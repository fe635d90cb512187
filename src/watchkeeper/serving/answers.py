"""Answers of the server's routes, errors among them in the shape of SageMaker's runtime API."""

from __future__ import annotations

import logging
import uuid

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from watchkeeper.core.encoding import encode
from watchkeeper.core.errors import WatchkeeperError
from watchkeeper.serving.refusals import ModelFailed, RequestRefused

log = logging.getLogger(__name__)


def json_answer(body: bytes, status: int = 200) -> Response:
    """A body that is JSON already."""
    return Response(body, status_code=status, media_type="application/json")


def failure(error: WatchkeeperError, event_id: str = "", model_status: int = 424) -> Response:
    """What the caller can mend, or a failure with its id in the log."""
    if isinstance(error, RequestRefused):
        return error_answer(error.status, error.code, str(error), event_id)
    event_id = event_id or str(uuid.uuid4())
    if isinstance(error, ModelFailed):
        return logged(model_status, "ModelError", str(error), event_id)
    return logged(503, "ServiceUnavailable", str(error), event_id)


def logged(status: int, code: str, message: str, event_id: str) -> Response:
    """A failure whose id and trace are in the log."""
    log.error("%s %s: %s", code, event_id, message, exc_info=True)
    return error_answer(status, code, message, event_id)


async def fault(_: Request, error: Exception) -> Response:
    """A fault of the server's own: the caller gets its id, the log the rest."""
    event_id = str(uuid.uuid4())
    log.error("InternalFailure %s", event_id, exc_info=error)
    message = "the server failed; its log says more under this id"
    return error_answer(500, "InternalFailure", message, event_id)


async def unanswered(request: Request, error: Exception) -> Response:
    """A path or a method that there is not: Starlette's HTTPException."""
    if not isinstance(error, HTTPException):
        raise error
    code = {404: "NotFound", 405: "MethodNotAllowed"}.get(error.status_code, "ValidationError")
    message = f"{request.method} {request.url.path}: {error.detail}"
    response = error_answer(error.status_code, code, message, "")
    response.headers.update(error.headers or {})
    return response


def error_answer(status: int, code: str, message: str, event_id: str) -> Response:
    """An error as botocore reads it: its code in a header, its message in the body."""
    body: dict[str, object] = {"ErrorCode": code, "Message": message}
    if status >= 500 or code == "ModelError":
        body["Id"] = event_id
    if code == "ModelError":
        body |= {"OriginalStatusCode": 500, "OriginalMessage": message}
    response = json_answer(encode(body), status)
    response.headers["x-amzn-errortype"] = code
    if event_id:
        response.headers["x-amzn-requestid"] = event_id
    return response
