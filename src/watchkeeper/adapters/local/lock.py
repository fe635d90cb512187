"""A lock file: who holds it works alone in a folder. It goes with the process, however that ends."""

from __future__ import annotations

import contextlib
import fcntl
import time
from collections.abc import Iterator
from pathlib import Path

from watchkeeper.core.errors import PlatformError

_POLL = 0.05  # seconds between two tries


@contextlib.contextmanager
def alone(path: Path, doing: str, patience: float = 1.0) -> Iterator[None]:
    """Hold the lock while the block runs; the file is made when it is not there, and stays.

    Raises PlatformError when another process holds it and does not let go within `patience` seconds.
    """
    with contextlib.ExitStack() as held:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = held.enter_context(path.open("ab"))
            _lock(lock.fileno(), patience)
        except BlockingIOError:
            raise PlatformError(
                f"{doing}: another process is at work there, it holds {path}", retryable=True
            ) from None
        except OSError as error:
            raise PlatformError(
                f"{doing}: lock {path}: {error.strerror or error}", retryable=False
            ) from error
        yield


def held(path: Path) -> bool:
    """Whether a process holds the lock right now."""
    try:
        with path.open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def _lock(descriptor: int, patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_POLL)
        else:
            return
