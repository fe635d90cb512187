"""Requests that come in one turn of the event loop, answered together at its end.

Under load many do, and one prediction and one write for all of them cost little more than for one. While
requests come one at a time each is answered at once; a second in one turn is the sign to wait for its end,
until a turn has only one again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial

from watchkeeper.core.errors import WatchkeeperError
from watchkeeper.serving.endpoint import Answer, Call, Endpoint

Answers = list[Answer | WatchkeeperError]
Waiting = list[tuple[Call, asyncio.Future[Answer]]]


@dataclass(slots=True)
class Moment:
    """What of one endpoint's requests waits for the end of the turn. Used on one event loop alone."""

    endpoint: Endpoint
    _waiting: Waiting | None = None
    _answered: bool = False  # one request of this turn, at once
    _crowded: bool = False  # the newest turn had several

    async def answer(self, call: Call) -> Answer:
        """The answer to a request, with the errors of `Endpoint.answer`."""
        loop = asyncio.get_running_loop()
        if not (self._crowded or self._answered):
            self._answered = True
            loop.call_soon(self._turn_over)
            return self.endpoint.answer(call)
        if self._waiting is None:
            waiting = self._waiting = []
            turn = loop.create_task(self._answer_all(waiting, several=self._answered))
            turn.add_done_callback(partial(_tell, waiting))
        future: asyncio.Future[Answer] = loop.create_future()  # each its own, so that one may go away
        self._waiting.append((call, future))
        return await future

    def _turn_over(self) -> None:
        self._answered = False

    async def _answer_all(self, waiting: Waiting, *, several: bool) -> Answers:
        self._waiting = None
        self._crowded = several or len(waiting) > 1
        return self.endpoint.answer_all([call for call, _ in waiting])


def _tell(waiting: Waiting, turn: asyncio.Task[Answers]) -> None:
    """Everybody's own answer or error; a fault of the server's own is everybody's."""
    if turn.cancelled():
        for _, future in waiting:
            future.cancel()
        return
    fault = turn.exception()
    answers = [fault] * len(waiting) if fault else turn.result()
    for (_, future), answer in zip(waiting, answers, strict=True):
        if future.cancelled():
            continue
        if isinstance(answer, Answer):
            future.set_result(answer)
        elif answer is not None:
            future.set_exception(answer)
