"""Programs of others, run beside us while a block runs."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx

from watchkeeper.adapters.local import leash
from watchkeeper.core.errors import InputError, PlatformError

_POLL = 0.02  # seconds between two looks whether it is ready
_TAIL = 2000  # bytes


def find_program(names: Sequence[str], package: str) -> str:
    """The first of these names that is in the PATH. Raises InputError when none is."""
    for name in names:
        if shutil.which(name):
            return name
    raise InputError(f"find {names[0]}: it is not in the PATH (Debian: apt-get install {package})")


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on right now, all different."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextlib.contextmanager
def program(command: Sequence[str], ready: str, log: Path, patience: float = 30.0) -> Iterator[None]:
    """Run the command while the block runs; it answers at the URL `ready` with 200 when the block begins.

    What it writes goes to `log`. It ends with this process, however that ends. Raises PlatformError, with
    the end of the log, when it is not ready within `patience` seconds.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, "-I", leash.__file__, *command],
            stdin=subprocess.PIPE,
            stdout=written,
            stderr=written,
        )
    try:
        _await(process, command[0], ready, log, patience)
        yield
    finally:
        end(process, patience)


def _await(process: subprocess.Popen[bytes], name: str, ready: str, log: Path, patience: float) -> None:
    deadline = time.monotonic() + patience
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(ready, timeout=5.0, trust_env=False).is_success:
                return
        time.sleep(_POLL)
    how = "it is not ready" if process.returncode is None else f"it ended with {process.returncode}"
    text = log.read_bytes()[-_TAIL:].decode(errors="replace").strip()
    raise PlatformError(f"start {name}: {how}; the end of {log}:\n{text}", retryable=True)


def end(process: subprocess.Popen[bytes], patience: float) -> int:
    """Have a process end, by the end of its input and SIGTERM, after `patience` by SIGKILL; its code."""
    if process.stdin is not None:
        process.stdin.close()
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        return process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
