"""Several workers of one server: processes that share its port, started anew when they end.

Each runs the command that started this process, and finds its place in the environment. Sockets are made here
and inherited, so that whoever connects while a worker is started anew is answered, if only later.
"""

from __future__ import annotations

import contextlib
import http.client
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from queue import SimpleQueue
from types import FrameType

from watchkeeper.core.encoding import decode, encode
from watchkeeper.core.errors import PlatformError
from watchkeeper.serving.seat import Seat

VARIABLE = "WATCHKEEPER_WORKER"  # holds a worker's place
EARLY = 5.0  # seconds; a worker that ends sooner has not lived
AT_MOST_EARLY = 3  # early ends in a row, after which the server ends

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """What a worker is told: its seat, and the listening sockets that it has inherited.

    `shared` is the one that all workers take connections from, `own` that of its port on loopback.
    """

    number: int
    ports: tuple[int, ...]
    token: str
    shared: int
    own: int
    again: bool = False

    @property
    def seat(self) -> Seat:
        """Where it sits among the others."""
        return Seat(self.token, self.number, self.ports)

    @contextlib.contextmanager
    def sockets(self) -> Iterator[list[socket.socket]]:
        """Both sockets."""
        with socket.socket(fileno=self.shared) as shared, socket.socket(fileno=self.own) as own:
            yield [shared, own]


def place_of_this_process() -> Place | None:
    """This process' place when it is a worker; it then ends with the process that started it."""
    text = os.environ.pop(VARIABLE, None)
    if text is None:
        return None
    end_with_input()
    return decode(Place, text)


def is_worker() -> bool:
    """Whether this process is one of several workers."""
    return VARIABLE in os.environ


def end_with_input() -> None:
    """End as if asked to, captures shipped, once standard input closes: who holds its other end is gone."""

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 4096):  # not by its buffer, whose lock would outlive the thread
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="end-with-input", daemon=True).start()


def supervise(
    count: int, listener: socket.socket, token: str, announced: contextlib.AbstractContextManager[None]
) -> None:
    """Run workers until SIGTERM or SIGINT, `announced` once all of them answer; then end them in order.

    Raises PlatformError when a worker does not start, ends early too often, or does not end as asked.
    """
    with contextlib.ExitStack() as stack:
        own = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        ports = tuple(each.getsockname()[1] for each in own)
        places = [
            Place(number, ports, token, listener.fileno(), each.fileno())
            for number, each in enumerate(own, start=1)
        ]
        ended: SimpleQueue[_Worker | None] = SimpleQueue()
        workers = stack.enter_context(_ending(ended))
        for place in places:
            workers[place.number] = _Worker.start(place, ended)
        if _all_answer(workers, ended):
            stack.enter_context(announced)
            log.info("%d workers share port %d", count, listener.getsockname()[1])
            _look_after(workers, ended)


@dataclass(frozen=True, slots=True)
class _Worker:
    """A worker's process. `early` counts those before it, in a row, that ended early."""

    place: Place
    process: subprocess.Popen[bytes]
    started: float
    early: int = 0

    @classmethod
    def start(cls, place: Place, ended: SimpleQueue[_Worker | None], early: int = 0) -> _Worker:
        """Start it; once it ends, it is put into the queue."""
        process = subprocess.Popen(
            [sys.executable, *sys.orig_argv[1:]],
            stdin=subprocess.PIPE,
            pass_fds=(place.shared, place.own),
            env={**os.environ, VARIABLE: encode(place).decode()},
        )
        worker = cls(place, process, time.monotonic(), early)

        def wait() -> None:
            process.wait()
            ended.put(worker)

        threading.Thread(target=wait, name=f"worker-{place.number}", daemon=True).start()
        return worker

    def let_go(self) -> None:
        """Close our end of its standard input."""
        if self.process.stdin is not None:
            self.process.stdin.close()

    def said(self) -> str:
        """How it ended."""
        return f"worker {self.place.number} ended with {self.process.returncode}"


@contextlib.contextmanager
def _ending(ended: SimpleQueue[_Worker | None]) -> Iterator[dict[int, _Worker]]:
    """The workers by number, to be filled; at the block's end each is asked to end, and awaited.

    SIGTERM and SIGINT put None into the queue.
    """

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.put(None)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    workers: dict[int, _Worker] = {}
    try:
        yield workers
    finally:
        for worker in workers.values():
            worker.process.terminate()
        for worker in workers.values():
            worker.process.wait()
            worker.let_go()
        for number, handler in before.items():
            signal.signal(number, handler)
    bad = [each.said() for each in workers.values() if each.process.returncode not in (0, -signal.SIGTERM)]
    if bad:
        raise PlatformError(f"end the workers: {', '.join(bad)}; the log says more", retryable=True)


def _all_answer(workers: Mapping[int, _Worker], ended: SimpleQueue[_Worker | None]) -> bool:
    """Wait until each of them answers; False when a signal comes. Raises PlatformError when one ends."""
    for number, worker in workers.items():
        while not _answers(worker.place.ports[number - 1]):
            if not ended.empty():
                if (gone := ended.get()) is None:
                    return False
                raise PlatformError(f"start {len(workers)} workers: {gone.said()}", retryable=True)
    return True


def _answers(port: int) -> bool:
    """Whether the worker answers; waits a while for it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1.0)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _look_after(workers: dict[int, _Worker], ended: SimpleQueue[_Worker | None]) -> None:
    """Start anew what ends, until a signal comes. Raises PlatformError when one ends early too often."""
    while (gone := ended.get()) is not None:
        early = gone.early + 1 if time.monotonic() - gone.started < EARLY else 0
        number = gone.place.number
        gone.let_go()
        if early >= AT_MOST_EARLY:
            del workers[number]
            often = f"{early} times in a row within {EARLY:.0f} s of its start"
            raise PlatformError(f"{gone.said()}, {often}", retryable=True)
        log.error("%s; it is started anew", gone.said())
        workers[number] = _Worker.start(replace(gone.place, again=True), ended, early)
