"""The watch as a process: it says what it does, works alone in a workspace, and ends when it is told to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.rehearsals import PATIENCE
from tests.cli.workspaces import after_a_bad_month
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.app.setup.audit import verify_log
from watchkeeper.app.setup.workspace import open_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    after_a_bad_month(tmp_path)
    return tmp_path


@contextmanager
def running(*argv: str) -> Iterator[subprocess.Popen[str]]:
    """A command of ours, whose stderr can be read line by line; ended by SIGTERM if it still runs."""
    with subprocess.Popen(
        [sys.executable, "-m", "watchkeeper", *argv],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE)


def heard(process: subprocess.Popen[str], words: str) -> str:
    """The first line from now on that has these words."""
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if words in line:
            return line
    raise AssertionError(f"it ended without saying {words!r}: {''.join(said)}")


def ended(process: subprocess.Popen[str]) -> int:
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE)
    return process.returncode


def test_it_catches_up_says_what_it_skipped_and_ends_as_told(workspace: Path) -> None:
    with running("monitor", "watch", "--workspace", str(workspace), "--interval", "1s") as watch:
        assert "6 schedules, 6 rules, evaluated every 1 s" in heard(watch, "watching demo")
        assert "which is too many to catch up with" in heard(watch, "were missed")
        assert "NoTraffic" in heard(watch, "demo-prod-data-quality 20")
        assert ended(watch) == 0
    assert verify_log(open_workspace(workspace).trail).verified
    log = [json.loads(path.read_text()) for path in sorted((workspace / "audit").glob("*.json"))]
    assert "monitor.skipped" in {each["event"]["action"] for each in log}
    assert FolderStore(workspace).list("executions/demo-prod-data-quality/20")


def test_one_watch_at_a_time_works_in_a_workspace(workspace: Path) -> None:
    command = ("monitor", "watch", "--workspace", str(workspace))
    with running(*command) as watch:
        heard(watch, "watching demo")
        with running(*command) as other:
            heard(other, "another process is at work there")
            assert other.wait(PATIENCE) == 3
        assert ended(watch) == 0


def test_up_watches_what_it_serves_and_ends_both(workspace: Path) -> None:
    with running("up", "--workspace", str(workspace), "--port", "0", "--interval", "1s") as up:
        heard(up, "watch: watching demo")
        assert ended(up) == 0
    with running("monitor", "watch", "--workspace", str(workspace)) as watch:
        heard(watch, "watching demo")  # nobody holds the lock any more


def test_a_watch_that_is_killed_is_started_again_by_up(workspace: Path) -> None:
    with running("up", "--workspace", str(workspace), "--port", "0") as up:
        heard(up, "watch: watching demo")
        (watch,) = children(up.pid, "watch")
        os.kill(watch, signal.SIGKILL)
        assert f"it ended with -{signal.SIGKILL:d}; starting it again in 5 s" in heard(up, "it ended with")
        heard(up, "watch: watching demo")
        assert ended(up) == 0


def children(parent: int, words: str) -> list[int]:
    """The processes that another one started, whose command has these words."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    rows = [line.split(None, 2) for line in listed]
    return [int(pid) for pid, of, args in rows if int(of) == parent and words in args]


def test_an_interval_that_is_none_is_refused(workspace: Path) -> None:
    command = [sys.executable, "-m", "watchkeeper", "monitor", "watch", "--workspace", str(workspace)]
    done = subprocess.run(
        [*command, "--interval", "often"], capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert (done.returncode, "--interval: want a duration" in done.stderr) == (2, True)
