"""A worker's place among those that share a server's port, and how they talk to each other.

The first of them leads: it hears of every change, and tells the others. Each answers the others on a port of
its own on loopback.
"""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum

import orjson

from watchkeeper.core.errors import PlatformError

STEP = "x-watchkeeper-step"
_PATIENCE = 60.0  # seconds; a worker that is started anew answers once it has loaded its models
_HEARING = 5.0  # seconds that a worker has to say something of itself: whoever scrapes does not wait for long


class Step(StrEnum):
    """What a worker that is told of a change is to do by itself, telling nobody."""

    LOAD = "load"  # the model, and hold it
    SERVE = "serve"  # what it holds
    DROP = "drop"  # what it holds
    OWN = "own"  # all of it, of its own


@dataclass(frozen=True, slots=True)
class Reply:
    """Another worker's answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def good(self) -> bool:
        """Whether it did as it was asked."""
        return 200 <= self.status < 300

    @property
    def words(self) -> str:
        """Its message, or its status where it has none."""
        try:
            return str(orjson.loads(self.body)["Message"])
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return f"it answered {self.status}"


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""
    patience: float = _PATIENCE


@dataclass(frozen=True, slots=True)
class Seat:
    """Which worker this is, counted from 1, and at which port each of them answers the others.

    `token` opens the routes that change something, in every worker. Without ports it is alone.
    """

    token: str
    number: int = 1
    ports: tuple[int, ...] = ()

    @property
    def labels(self) -> dict[str, str]:
        """Those of its samples; none when it is alone."""
        return {"worker": str(self.number)} if self.ports else {}

    @property
    def leads(self) -> bool:
        """Whether it is the one that hears of every change."""
        return self.number == 1

    @property
    def others(self) -> tuple[int, ...]:
        """The other workers' numbers."""
        return tuple(number for number in range(1, len(self.ports) + 1) if number != self.number)

    def lead(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Pass a request on to the one that leads. Raises PlatformError when it does not answer."""
        return self._ask(1, _Request(method, target, headers, body))

    def tell(self, step: Step, method: str, target: str, body: bytes = b"") -> None:
        """Have every other worker do it. Raises PlatformError, once all were told, when one could not."""
        headers = {STEP: step, "authorization": f"Bearer {self.token}", "content-type": "application/json"}
        faults = []
        for number, reply in self._of_others(_Request(method, target, headers, body)):
            if isinstance(reply, PlatformError):
                faults.append(str(reply))
            elif not reply.good:
                faults.append(f"worker {number}: {reply.words}")
        if faults:
            raise PlatformError("; ".join(faults), retryable=True)

    def hear(self, target: str) -> list[Reply]:
        """What the other workers say there of themselves; one that does not answer is left out."""
        replies = self._of_others(_Request("GET", target, {STEP: Step.OWN}, patience=_HEARING))
        return [reply for _, reply in replies if isinstance(reply, Reply) and reply.good]

    def _of_others(self, request: _Request) -> list[tuple[int, Reply | PlatformError]]:
        """All are asked at once, as each may have a model to load."""

        def of(number: int) -> Reply | PlatformError:
            try:
                return self._ask(number, request)
            except PlatformError as error:
                return error

        if not self.others:
            return []
        with ThreadPoolExecutor(len(self.others)) as pool:
            return list(zip(self.others, pool.map(of, self.others), strict=True))

    def _ask(self, number: int, request: _Request) -> Reply:
        port, patience = self.ports[number - 1], request.patience
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=patience)
        try:
            connection.request(request.method, request.target, request.body, dict(request.headers))
            response = connection.getresponse()
            return Reply(response.status, dict(response.getheaders()), response.read())
        except (OSError, http.client.HTTPException) as error:
            raise PlatformError(f"worker {number} does not answer: {error}", retryable=True) from error
        finally:
            connection.close()
