"""A server that was started for a rehearsal does not outlive it."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from watchkeeper.app.setup.init import init

STARTS = """
import sys
from pathlib import Path
from watchkeeper.adapters.local.endpoint import started_server

folder = Path(sys.argv[1])
argv = [sys.executable, "-m", "watchkeeper", "up", "--workspace", str(folder), "--port", "0", "--rehearsal"]
with started_server(argv, folder / "run" / "server.json") as host:
    print(host.url(), flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(
    not hasattr(os, "pidfd_open"), reason="waits for a process by its descriptor, which is Linux's"
)
def test_a_server_ends_when_whoever_started_it_is_killed(tmp_path: Path) -> None:
    init(tmp_path, "resale-price")
    command = [sys.executable, "-c", STARTS, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as caller:
        assert caller.stdout is not None
        assert caller.stdout.readline().startswith("http://127.0.0.1:")
        server = json.loads((tmp_path / "run" / "server.json").read_bytes())["pid"]
        watch = os.pidfd_open(server)
        caller.send_signal(signal.SIGKILL)
    try:
        ready, _, _ = select.select([watch], [], [], 30)  # a pidfd is readable once its process has ended
        assert ready, f"server {server} is still running"
    finally:
        os.close(watch)
    assert not (tmp_path / "run" / "server.json").exists()
