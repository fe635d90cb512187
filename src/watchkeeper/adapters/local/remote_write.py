"""Samples pushed to what takes Prometheus' remote write: Prometheus itself, Mimir, VictoriaMetrics."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import httpx

from watchkeeper.adapters.secrets import resolve
from watchkeeper.core.errors import InputError, PlatformError
from watchkeeper.core.values import Sample
from watchkeeper.render.remote_write import write_request

EXTRA = "push"
_TIMEOUT = 10.0  # seconds
_HEADERS = {
    "content-type": "application/x-protobuf",
    "content-encoding": "snappy",
    "x-prometheus-remote-write-version": "0.1.0",
    "user-agent": "watchkeeper",
}


@dataclass(frozen=True, slots=True)
class RemoteWrite:
    """A receiver at `url`, its whole address; `token` is a reference to a bearer token, or empty."""

    url: str
    token: str = ""

    def push(self, samples: Sequence[Sample], at: datetime) -> None:
        """Send the newest sample of each series as of `at`; nothing for none.

        Raises PlatformError for an answer that is no success, with what the receiver said: also of a sample
        that is too old for it, which some say with 500, so that trying the same again does not help.
        """
        if not samples:
            return
        doing = f"push metrics to {self.url}"
        headers = dict(_HEADERS)
        if self.token:
            headers["authorization"] = f"Bearer {resolve(self.token)}"
        body = _compressed(write_request(samples, at))
        try:
            answer = httpx.post(self.url, content=body, headers=headers, timeout=_TIMEOUT, trust_env=False)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise PlatformError(f"{doing}: {type(error).__name__}: {error}", retryable=True) from error
        if not answer.is_success:
            said = " ".join(answer.text.split())[:200]
            raise PlatformError(
                f"{doing}: it answered {answer.status_code} {said}", retryable=answer.is_server_error
            )


def _compressed(data: bytes) -> bytes:
    """Snappy's block format, which the protocol wants."""
    try:
        snappy = importlib.import_module("cramjam").snappy
    except ModuleNotFoundError:
        raise InputError(
            f"push samples: want the extra {EXTRA} (pip install 'watchkeeper[{EXTRA}]')"
        ) from None
    return bytes(snappy.compress_raw(data))
