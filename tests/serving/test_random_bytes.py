"""Bodies of random bytes, and requests that are hardly HTTP: no crash, no 5xx, and memory stays flat."""

from __future__ import annotations

import os
import random
import socket
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.shared import CHECKOUT
from watchkeeper.adapters.local.endpoint import running_server, started_server

SECONDS = 600 if os.environ.get("WATCHKEEPER_SOAK") else 30
SEED = int(os.environ.get("WATCHKEEPER_FUZZ_SEED") or int.from_bytes(os.urandom(4)))
CLIENTS = 4
GROWTH = 16 * 1024  # KiB: what allocators may keep for themselves, over any length of run

VALID = (
    b"A,2\nB,3.5",
    b'{"instances":[{"town":"A","area":2},["B",3]]}',
    b'{"town":"A","area":2}\n{"town":"B","area":3}\n',
)
TYPES = ("text/csv", "application/json", "application/jsonlines", "text/csv; charset=x", "", "image/png")

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads memory in /proc")


@dataclass(slots=True)
class Fuzz:
    """One client's draws, and the statuses it saw."""

    url: str
    draw: random.Random
    until: float
    codes: Counter[int] = field(default_factory=Counter)

    def run(self) -> Counter[int]:
        with httpx.Client(base_url=self.url, trust_env=False, timeout=30) as client:
            while time.monotonic() < self.until:
                if self.draw.random() < 0.05:
                    self._hardly_http()
                    continue
                headers = {"content-type": self.draw.choice(TYPES)}
                if self.draw.random() < 0.3:
                    headers["accept"] = self.draw.choice(TYPES)
                path = self.draw.choice(("/invocations", "/endpoints/prices/invocations"))
                self.codes[client.post(path, content=self._body(), headers=headers).status_code] += 1
        return self.codes

    def _body(self) -> bytes:
        kind = self.draw.random()
        if kind < 0.3:
            return self.draw.randbytes(self.draw.choice((0, 1, 10, 1000, 100_000)))
        if kind < 0.302:
            return self.draw.randbytes(7 * 1024 * 1024)
        body = bytearray(self.draw.choice(VALID) * self.draw.choice((1, 1, 3)))
        for _ in range(self.draw.randrange(4)):
            at = self.draw.randrange(len(body))
            body[at : at + self.draw.randrange(3)] = self.draw.randbytes(self.draw.randrange(3))
        return bytes(body)

    def _hardly_http(self) -> None:
        with socket.create_connection((httpx.URL(self.url).host, httpx.URL(self.url).port or 0), 10) as raw:
            head = (
                b"POST /invocations HTTP/1.1\r\ncontent-length: 10\r\n\r\nA,"
                if self.draw.random() < 0.5
                else b""
            )
            raw.sendall(head + self.draw.randbytes(self.draw.randrange(1, 200)))


def memory(pid: int) -> int:
    """Resident KiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (found,) = (line.split()[1] for line in lines if line.startswith("VmRSS"))
    return int(found)


def fuzzed(url: str, seconds: float, seed: int) -> Counter[int]:
    """What so many seconds of all clients were answered."""
    until = time.monotonic() + seconds
    with ThreadPoolExecutor(CLIENTS) as pool:
        asked = [pool.submit(Fuzz(url, random.Random(seed + n), until).run) for n in range(CLIENTS)]
    return sum((each.result() for each in asked), Counter[int]())


@pytest.mark.soak
def test_random_bytes_neither_crash_nor_swell_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`WATCHKEEPER_FUZZ_SEED` repeats the draws of a run that failed; ten minutes under `make soak`."""
    monkeypatch.chdir(CHECKOUT)
    print(f"WATCHKEEPER_FUZZ_SEED={SEED}")  # noqa: T201  # shown when it fails
    run_file = tmp_path / "run" / "server.json"
    argv = [sys.executable, "-m", "tests.serving.process", str(tmp_path)]
    with started_server(argv, run_file) as host:
        pid = running_server(run_file).pid
        fuzzed(host.url(), SECONDS / 3, SEED)
        before = memory(pid)
        codes = fuzzed(host.url(), SECONDS * 2 / 3, SEED + CLIENTS)
        grown = memory(pid) - before
        assert httpx.get(f"{host.url()}/ping", trust_env=False).status_code == 200
    assert set(codes) == {200, 400, 406, 413, 415}
    assert grown < GROWTH, f"from {before} KiB by {grown} KiB"
    print(f"{sum(codes.values())} requests, {dict(codes)}, memory {before} KiB {grown:+} KiB")  # noqa: T201
