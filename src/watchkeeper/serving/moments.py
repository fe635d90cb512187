"""Requests that come in one turn of the event loop, answered together at its end.

Under load many do, and one prediction and one write for all of them cost little more than for one. A single
request waits for nothing but the end of the turn it came in.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from watchkeeper.core.errors import WatchkeeperError
from watchkeeper.serving.endpoint import Answer, Call, Endpoint

Answers = list[Answer | WatchkeeperError]


@dataclass(slots=True)
class Moment:
    """What of one endpoint's requests waits for the end of the turn. Used on one event loop alone."""

    endpoint: Endpoint
    _calls: list[Call] = field(default_factory=list)
    _turn: asyncio.Task[Answers] | None = None

    async def answer(self, call: Call) -> Answer:
        """The answer to a request, with the errors of `Endpoint.answer`."""
        if self._turn is None:
            self._turn = asyncio.create_task(self._answer_all())
        turn, place = self._turn, len(self._calls)
        self._calls.append(call)
        found = (await asyncio.shield(turn))[place]  # one who goes away takes no other's answer along
        if isinstance(found, WatchkeeperError):
            raise found
        return found

    async def _answer_all(self) -> Answers:
        calls, self._calls, self._turn = self._calls, [], None
        return self.endpoint.answer_all(calls)
