"""A user's scripts, each run in a process of its own with a time limit (contract 8.7, 8.8).

A record preprocessor is asked record by record through pipes, never many ahead, so that room is bounded
however much there is. Its prints are the log's. Whatever ends the run also ends the process.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from watchkeeper.core.errors import InputError

PREPROCESSOR = "Exception while invoking preprocessor script."
POSTPROCESSOR = "Exception while invoking post-processor script."
_AHEAD, _PIECE = 256, 64 * 1024
Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Script:
    """A script, and how many seconds it may take: for one record, or as a post-processor in all."""

    path: Path
    time_limit: float

    def check(self) -> None:
        """Raises InputError when there is no such file."""
        if not self.path.is_file():
            raise InputError(f"run the script {self.path}: there is no such file")


@dataclass(frozen=True, slots=True)
class Record:
    """What a preprocessor is asked about: `kind` is one of `script_child`'s, `body` JSON on one line."""

    where: str
    kind: bytes
    body: bytes
    names: tuple[str, ...] = ()


def answers(script: Script, records: Iterable[Record]) -> Iterator[tuple[Record, Answer]]:
    """Each record with what the script says to it: `rows`, or `same` for the record as it is.

    Raises InputError that names the record, file and line, for an exception, for a result that is none,
    for a script that ends by itself, and for one that takes too long.
    """
    script.check()
    inlet, outlet = os.pipe(), os.pipe()
    with _Ends({*inlet, *outlet}) as ends, _process(script, "record", (inlet[0], outlet[1])) as process:
        ends.close(inlet[0], outlet[1])
        os.set_blocking(inlet[1], False)
        talk = _Talk(script, iter(records), inlet[1], outlet[0], ends)
        yield from talk.run()
        talk.ended(_end_of(process, script))


def run_postprocessor(script: Script) -> None:
    """Run the script and its `postprocess_handler`. Raises InputError as `answers` does."""
    script.check()
    outlet = os.pipe()
    with _Ends(set(outlet)) as ends, _process(script, "post", (outlet[1], outlet[1])) as process:
        ends.close(outlet[1])
        said = _last_words(outlet[0], time.monotonic() + script.time_limit)
        code = _end_of(process, script) if said is not None else None
    if said is None:
        raise InputError(f"{POSTPROCESSOR} {_too_long(script)}")
    if "fault" in said:
        raise InputError(f"{POSTPROCESSOR} {said['fault']}")
    if not said:
        raise InputError(f"{POSTPROCESSOR} {script.path.name} ended by itself with exit code {code}")


@dataclass(slots=True)
class _Ends:
    """Ends of pipes, each closed once."""

    open: set[int]

    def close(self, *ends: int) -> None:
        for end in ends:
            if end in self.open:
                self.open.remove(end)
                os.close(end)

    def __enter__(self) -> _Ends:
        return self

    def __exit__(self, *_: object) -> None:
        self.close(*tuple(self.open))


@dataclass(slots=True)
class _Talk:
    """Records on their way in, answers on their way out."""

    script: Script
    source: Iterator[Record]
    inlet: int
    outlet: int
    ends: _Ends
    waiting: deque[Record] = field(default_factory=deque)
    unsent: bytearray = field(default_factory=bytearray)
    heard: bytearray = field(default_factory=bytearray)
    ready: bool = False
    dry: bool = False

    def run(self) -> Iterator[tuple[Record, Answer]]:
        while True:
            deadline = time.monotonic() + self.script.time_limit
            while not (lines := self._lines()):
                self._fill()
                if not self._step(deadline):
                    return
            for line in lines:
                answer: Answer = orjson.loads(line)
                if not self.ready and "fault" not in answer:
                    self.ready = True
                    continue
                yield self._checked(answer)

    def ended(self, code: int) -> None:
        """Look back at a script that says no more."""
        if self.waiting or not self.dry:
            self._fail(f"{self.script.path.name} ended by itself with exit code {code}")

    def _lines(self) -> list[bytes]:
        whole, end, rest = self.heard.rpartition(b"\n")
        self.heard = rest if end else self.heard
        return bytes(whole).split(b"\n") if end else []

    def _fill(self) -> None:
        while not self.dry and len(self.unsent) < _PIECE and len(self.waiting) < _AHEAD:
            record = next(self.source, None)
            if record is None:
                self.dry = True
                break
            self.waiting.append(record)
            self.unsent += record.kind + record.body + b"\n"
        if self.dry and not self.unsent:
            self.ends.close(self.inlet)

    def _step(self, deadline: float) -> bool:
        """Wait for a pipe and serve it; False when the script's end is closed."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.outlet, selectors.EVENT_READ)
            if self.unsent and self.inlet in self.ends.open:
                selector.register(self.inlet, selectors.EVENT_WRITE)
            found = selector.select(max(0.0, deadline - time.monotonic()))
        if not found:
            self._fail(_too_long(self.script))
        for key, _ in found:
            if key.fd == self.inlet:
                self._send()
            elif not (data := os.read(self.outlet, _PIECE)):
                return False
            else:
                self.heard += data
        return True

    def _send(self) -> None:
        try:
            del self.unsent[: os.write(self.inlet, memoryview(bytes(self.unsent[:_PIECE])))]
        except BrokenPipeError:  # it listens no more; its answers say why
            self.ends.close(self.inlet)

    def _checked(self, answer: Answer) -> tuple[Record, Answer]:
        if "fault" in answer:
            self._fail(answer["fault"])
        if "rubbish" in answer:
            self._fail(f"{self.script.path.name}: {answer['rubbish']}")
        return self.waiting.popleft(), answer

    def _fail(self, why: str) -> None:
        """Name the record that is at the script: the first that has no answer."""
        at = f" (record {self.waiting[0].where})" if self.ready and self.waiting else ""
        raise InputError(f"{PREPROCESSOR} {why}{at}")


@contextlib.contextmanager
def _process(script: Script, kind: str, pipes: tuple[int, int]) -> Iterator[subprocess.Popen[bytes]]:
    """The script's process, which is gone afterwards with all that it has started."""
    sys.stdout.flush()
    words = [kind, str(script.path.resolve()), *map(str, pipes)]
    process = subprocess.Popen(
        [sys.executable, "-m", "watchkeeper.app.container.script_child", *words],
        stdin=subprocess.DEVNULL,
        pass_fds=tuple(set(pipes)),
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _end_of(process: subprocess.Popen[bytes], script: Script) -> int:
    try:
        return process.wait(script.time_limit)
    except subprocess.TimeoutExpired:
        raise InputError(f"{script.path.name} did not end: {_too_long(script)}") from None


def _last_words(outlet: int, deadline: float) -> Answer | None:
    """The only answer of a post-processor, {} when there was none, None when time is up."""
    heard = b""
    with selectors.DefaultSelector() as selector:
        selector.register(outlet, selectors.EVENT_READ)
        while not heard.endswith(b"\n"):
            if not selector.select(max(0.0, deadline - time.monotonic())):
                return None
            if not (data := os.read(outlet, _PIECE)):
                break
            heard += data
    answer: Answer = orjson.loads(heard) if heard else {}
    return answer


def _too_long(script: Script) -> str:
    return f"{script.path.name} took longer than {script.time_limit:g} seconds"
