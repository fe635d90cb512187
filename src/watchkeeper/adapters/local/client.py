"""A caller of the endpoints, as any application is one: plain HTTP, no knowledge of the server."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import httpx

from watchkeeper.adapters.local.endpoint import words_of
from watchkeeper.core.errors import InputError, PlatformError
from watchkeeper.core.windows import utc_text

_REFUSED = frozenset({400, 406, 413, 415})  # statuses of a request that the caller has to mend


@dataclass(frozen=True, slots=True)
class Invocation:
    """One request: the caller's id for it, when it is made, and what it carries."""

    endpoint: str
    inference_id: str
    time: datetime
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of a request: its status, 0 without an answer, after how many seconds, and what was wrong."""

    status: int
    seconds: float
    words: str


@dataclass(frozen=True, slots=True)
class EndpointClient:
    """Sends invocations to a server at `url`, over one connection that is kept."""

    url: str
    http: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False, timeout=30.0))

    def invoke(self, invocation: Invocation, rehearsed: bool = False) -> bytes:
        """The answer's body. With `rehearsed` the request says what time it is.

        Raises InputError when the request is refused, PlatformError when there is no answer or it is
        another error, with the server's words.
        """
        headers = {
            "content-type": invocation.content_type,
            "x-amzn-sagemaker-inference-id": invocation.inference_id,
        }
        if rehearsed:
            headers["x-watchkeeper-time"] = utc_text(invocation.time)
        doing = f"invoke {invocation.endpoint} with inference id {invocation.inference_id}"
        try:
            response = self._post(invocation, headers)
        except httpx.HTTPError as error:
            raise PlatformError(f"{doing}: {type(error).__name__}: {error}", retryable=True) from error
        if response.is_error:
            said = f"{doing}: {response.status_code}: {response.text[:500]}"
            if response.status_code in _REFUSED:
                raise InputError(said)
            raise PlatformError(said, retryable=response.status_code >= 500)
        return response.content

    def send(self, endpoint: str, inference_id: str, content_type: str, body: bytes) -> Sent:
        """One request as a rehearsal sends it: whatever comes of it is the answer."""
        headers = {"content-type": content_type, "x-amzn-sagemaker-inference-id": inference_id}
        path, started = f"{self.url}/endpoints/{endpoint}/invocations", time.perf_counter()
        try:
            response = self.http.post(path, content=body, headers=headers)
        except httpx.HTTPError as error:
            return Sent(0, time.perf_counter() - started, f"{type(error).__name__}: {error}")
        seconds = time.perf_counter() - started
        words = f"{response.status_code}: {words_of(response)}" if response.is_error else ""
        return Sent(response.status_code, seconds, words)

    def label(self, endpoint: str, body: bytes) -> None:
        """Bring labels. Raises PlatformError when they are not taken."""
        path = f"{self.url}/endpoints/{endpoint}/ground-truth"
        try:
            response = self.http.post(path, content=body)
        except httpx.HTTPError as error:
            raise PlatformError(
                f"bring labels to {endpoint}: {type(error).__name__}: {error}", retryable=True
            ) from error
        if response.is_error:
            said = f"bring labels to {endpoint}: {response.status_code}: {words_of(response)}"
            raise PlatformError(said, retryable=response.status_code >= 500)

    def _post(self, invocation: Invocation, headers: Mapping[str, str]) -> httpx.Response:
        path = f"{self.url}/endpoints/{invocation.endpoint}/invocations"
        return self.http.post(path, content=invocation.body, headers=dict(headers))
