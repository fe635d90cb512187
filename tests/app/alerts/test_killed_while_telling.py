"""Killed before any of its writes, again and again: each change is told at least once, and under one id."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app.loop import write_project
from tests.webhooks import Heard, listener, status
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.app.alerts.alerting import alert_history

KILLS = 50 if os.environ.get("WATCHKEEPER_SOAK") else 3
CHANGES = 8  # of alerts; each is three writes: the change, the notification, the receipt


def run(folder: Path, changes: int, writes: int) -> int:
    command = [sys.executable, "-m", "tests.app.alerts.telling", str(folder), str(changes), str(writes)]
    return subprocess.run(command, check=False, timeout=60).returncode


def told(heard: Heard) -> dict[tuple[str, str, str], set[str]]:
    """Each change of an alert, with the ids under which it came."""
    found: dict[tuple[str, str, str], set[str]] = {}
    for headers, body in heard:
        for alert in json.loads(body)["alerts"]:
            change = (alert["fingerprint"], alert["startsAt"], alert["status"])
            found.setdefault(change, set()).add(headers["idempotency-key"])
    return found


def kill_and_go_on(folder: Path, kills: int, seed: int) -> tuple[Heard, int]:
    """Let it work in lives that end at random writes; what was heard, and how many of them were killed."""
    chance, killed = random.Random(seed), 0
    with listener(status(200)) as (url, heard):
        write_project(folder, ("{kind: file, path: notifications/mlops}", f"{{kind: webhook, url: '{url}'}}"))
        changes = CHANGES
        while killed < kills:
            if run(folder, changes, chance.randint(1, 5)) == -signal.SIGKILL:
                killed += 1
            else:
                changes += CHANGES  # it came to its end: there is more to tell
        assert run(folder, changes, 0) == 0
    return heard, killed


@pytest.mark.soak
def test_killed_at_any_moment_every_change_is_told_and_none_under_two_ids(tmp_path: Path) -> None:
    heard, killed = kill_and_go_on(tmp_path, KILLS, seed=KILLS)
    history, changes = alert_history(FolderStore(tmp_path), "prod"), told(heard)
    sys.stdout.write(f"{killed} kills, {len(history)} changes of alerts, {len(heard)} posts\n")
    assert killed == KILLS
    assert len(changes) == len(history)
    assert all(len(ids) == 1 for ids in changes.values())
