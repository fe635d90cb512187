"""A caller of the endpoints, as any application is one: plain HTTP, no knowledge of the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import httpx

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

    def _post(self, invocation: Invocation, headers: Mapping[str, str]) -> httpx.Response:
        path = f"{self.url}/endpoints/{invocation.endpoint}/invocations"
        return self.http.post(path, content=invocation.body, headers=dict(headers))
