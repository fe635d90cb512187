"""Servers killed while they answer: what was answered is in the capture once, and all of it is readable."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.serving.running import captured_in
from tests.shared import CHECKOUT
from watchkeeper.adapters.local.endpoint import running_server, started_server
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.core.errors import PlatformError

KILLS = 50 if os.environ.get("WATCHKEEPER_SOAK") else 3
SEED = int(os.environ.get("WATCHKEEPER_KILL_SEED") or int.from_bytes(os.urandom(4)))
CLIENTS = 8


@dataclass(slots=True)
class Load:
    """Clients that ask until the server is gone; it is killed once so many have been answered."""

    url: str
    token: str
    pid: int
    kill_after: int
    answered: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> None:
        """Ask from all clients, one of which has captures shipped on the way."""
        with ThreadPoolExecutor(CLIENTS + 1) as pool:
            asking = [pool.submit(self._ask, number) for number in range(CLIENTS)]
            asking.append(pool.submit(self._flush))
        for each in asking:
            each.result()

    def _ask(self, number: int) -> None:
        url, place = f"{self.url}/endpoints/prices/invocations", 0
        with _client(self.url) as client, contextlib.suppress(httpx.HTTPError):
            while True:
                body = "\n".join(f"T{number},{place}" for _ in range(1 + place % 3))
                response = client.post(url, content=body, headers={"content-type": "text/csv"})
                assert response.status_code == 200, response.text
                self._heard(response.headers["x-amzn-requestid"])
                place += 1

    def _heard(self, event_id: str) -> None:
        with self._lock:
            self.answered.add(event_id)
            if len(self.answered) == self.kill_after:
                os.kill(self.pid, signal.SIGKILL)

    def _flush(self) -> None:
        with _client(self.url) as client, contextlib.suppress(httpx.HTTPError):
            while True:
                headers = {"authorization": f"Bearer {self.token}"}
                assert client.post("/api/v1/captures/flush", headers=headers).status_code == 204


def _client(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, trust_env=False, timeout=30)


def killed(workspace: Path, kill_after: int) -> set[str]:
    """The ids that a server answered before it was killed."""
    argv = [sys.executable, "-m", "tests.serving.process", str(workspace)]
    run_file, loads = workspace / "run" / "server.json", list[Load]()

    def live() -> None:
        with started_server(argv, run_file) as host:
            here = running_server(run_file)
            loads.append(Load(host.url(), here.token, here.pid, kill_after))
            loads[0].run()

    with pytest.raises(PlatformError, match="ended with -9"):
        live()
    return loads[0].answered


@pytest.mark.soak
def test_what_was_answered_is_captured_once_however_often_it_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`WATCHKEEPER_KILL_SEED` repeats the draws of a run that failed; fifty kills under `make soak`."""
    monkeypatch.chdir(CHECKOUT)
    draw, answered = random.Random(SEED), set[str]()
    print(f"WATCHKEEPER_KILL_SEED={SEED}")  # noqa: T201  # shown when it fails
    for _ in range(KILLS):
        answered |= killed(tmp_path, draw.randint(1, 600))
    argv = [sys.executable, "-m", "tests.serving.process", str(tmp_path)]
    with started_server(argv, tmp_path / "run" / "server.json"):
        pass
    captured = captured_in(FolderStore(tmp_path))
    events = captured.frame.filter(captured.frame["_row"] == 0)["_event_id"]
    assert captured.bad == ()
    assert list((tmp_path / "spool").rglob("*.jsonl")) == []
    assert events.is_unique().all()
    assert answered <= set(events)
    assert len(events) - len(answered) <= KILLS * CLIENTS, "more than was on its way to a client"
    print(f"{KILLS} kills, {len(answered)} answers, {len(events)} records")  # noqa: T201  # shown with -s
