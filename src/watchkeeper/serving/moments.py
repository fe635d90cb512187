"""Requests that come in one turn of the event loop, answered together at its end.

Under load many do, and one prediction and one write for all of them cost little more than for one. While
requests come one at a time each is answered at once; a second in one turn is the sign to wait for its end,
until a turn has only one again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from watchkeeper.core.errors import WatchkeeperError
from watchkeeper.serving.calls import Answer, Call

Answers = list[Answer | WatchkeeperError]
Waiting = list[tuple[Call, asyncio.Future[Answer]]]


class Answering(Protocol):
    """Whoever answers requests, one or several together."""

    def answer(self, call: Call) -> Answer:
        """One request's answer. Raises a WatchkeeperError when there is none."""

    def answer_all(self, calls: Sequence[Call]) -> Answers:
        """Of each its answer, or the error that `answer` would raise."""


@dataclass(slots=True)
class Moment:
    """What of one variant's requests waits for the end of the turn. Used on one event loop alone."""

    answering: Answering
    _waiting: Waiting | None = None
    _answered: bool = False  # one request of this turn, at once
    _crowded: bool = False  # the newest turn had several

    @property
    def waiting(self) -> int:
        """How many requests wait for the end of the turn."""
        return len(self._waiting or ())

    async def answer(self, call: Call) -> Answer:
        """The answer to a request, with the errors of `Answering.answer`."""
        loop = asyncio.get_running_loop()
        if not (self._crowded or self._answered):
            self._answered = True
            loop.call_soon(self._turn_over)
            return self.answering.answer(call)
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
        return self.answering.answer_all([call for call, _ in waiting])


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
