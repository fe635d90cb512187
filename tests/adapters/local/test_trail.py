"""The audit log on disk, in processes that are killed in the middle of what they do."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.adapters.local.trail import FolderTrail
from watchkeeper.app.setup.audit import log, verify_log
from watchkeeper.core.audit import Event
from watchkeeper.core.errors import PlatformError
from watchkeeper.core.values import Actor

KILLS = 50 if os.environ.get("WATCHKEEPER_SOAK") else 3

APPENDS = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.adapters.local.trail import FolderTrail
from watchkeeper.core.audit import Event
from watchkeeper.core.values import Actor

trail = FolderTrail(FolderStore(Path(sys.argv[1])), WallClock())
while True:
    entry = trail.append(Event("test", "trail", Actor("kim", "os-user"), datetime(2020, 1, 1, tzinfo=UTC)))
    print(entry.number, flush=True)
"""


def test_a_log_that_cannot_be_locked_is_said(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a file where the folder should be")
    trail = FolderTrail(FolderStore(tmp_path / "a"), WallClock())
    event = Event("test", "trail", Actor("kim", "os-user"), datetime(2020, 1, 1, tzinfo=UTC))
    with pytest.raises(PlatformError, match=r"lock the audit log by .*audit\.lock: "):
        trail.append(event)


@pytest.mark.soak
def test_a_log_whose_writer_is_killed_verifies_and_loses_nothing_it_confirmed(tmp_path: Path) -> None:
    trail = FolderTrail(FolderStore(tmp_path), WallClock())
    draw = random.Random(7)
    confirmed = 0
    for _ in range(KILLS):
        confirmed = _append_until_killed(tmp_path, draw.randint(1, 40), draw.randint(0, 2000))
        found = verify_log(trail)
        assert found.verified, found.faults
        assert found.entries >= confirmed
    assert [entry.number for entry in log(trail)] == list(range(1, len(log(trail)) + 1))


def _append_until_killed(folder: Path, entries: int, spin: int) -> int:
    """The number of the last entry a writer confirmed before it was killed, some moment after `entries`."""
    command = [sys.executable, "-c", APPENDS, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(entries)]
        for _ in range(spin):  # a moment that differs each time, counted in turns and not in seconds
            pass
        writer.send_signal(signal.SIGKILL)
        lines += writer.stdout.read().splitlines(keepends=True)
    return int([line for line in lines if line.endswith("\n")][-1])
