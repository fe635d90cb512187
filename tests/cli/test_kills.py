"""A rehearsal that is killed at any step leaves whole files, and the next one starts over."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.cli.rehearsals import Rehearsal, alive, offline, small_rehearsal, wait_for
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.app.registry.artefacts import load_version
from watchkeeper.app.registry.catalogue import catalogue

KILLS = 10 if os.environ.get("WATCHKEEPER_SOAK") else 2
SEED = int(os.environ.get("WATCHKEEPER_KILL_SEED") or int.from_bytes(os.urandom(4)))

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")


@dataclass(frozen=True, slots=True)
class Kill:
    """After which audit entry, and whether the server is killed along or left an orphan."""

    entry: int
    with_server: bool


def unreadable(folder: Path) -> list[str]:
    """Every file that its reader cannot read, with the reason; a write that was cut has another name."""
    found = []
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if not path.is_file() or any(part.startswith(".part-") for part in inside.parts):
            continue
        if inside.parts[:2] == ("mlflow", "artifacts"):  # copies that MLflow makes; ours are in models/
            continue
        try:
            _read(path)
        except (ValueError, pl.exceptions.PolarsError, sqlite3.Error) as error:
            found.append(f"{inside}: {error}")
    return found


def _read(path: Path) -> None:
    match path.suffix:
        case ".json":
            json.loads(path.read_bytes())
        case ".jsonl":
            for line in path.read_text(encoding="utf-8").splitlines():
                json.loads(line)
        case ".parquet":
            pl.read_parquet(path)
        case ".html":
            if not path.read_bytes().rstrip().endswith(b"</html>"):
                raise ValueError("it ends in the middle")
        case ".db":
            with sqlite3.connect(path) as database:
                if (said := database.execute("pragma integrity_check").fetchone()) != ("ok",):
                    raise ValueError(said)


def killed(rehearsal: Rehearsal, kill: Kill, errors: Path) -> None:
    """Run the rehearsal until an audit entry is there, kill it, and wait for its server to be gone."""
    entry = rehearsal.out / "audit" / f"{kill.entry:010d}.json"
    began = time.time_ns()
    process = rehearsal.start(errors)

    def reached() -> bool:
        assert process.poll() is None, errors.read_text()
        try:
            return entry.stat().st_mtime_ns >= began  # not one that an earlier rehearsal left
        except FileNotFoundError:
            return False

    try:
        wait_for(reached, f"audit entry {kill.entry}")
    finally:
        (os.killpg if kill.with_server else os.kill)(process.pid, signal.SIGKILL)
        process.wait()
    wait_for(lambda: not alive(process.pid), "the end of the server")


def verified(folder: Path) -> tuple[int, str]:
    """How `watchkeeper audit verify` ends, and what it complains of."""
    command = [sys.executable, "-m", "watchkeeper", "audit", "verify", "--workspace", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=offline())
    return done.returncode, done.stderr


def figures(summary: dict[str, Any]) -> dict[str, Any]:
    """A summary without what the wall's clock has a part in: seconds, and the hash over `recorded_at`."""
    told = {key: value for key, value in summary.items() if not key.endswith("seconds")}
    return {**told, "audit": {**summary["audit"], "head": ""}}


@pytest.mark.soak
def test_a_rehearsal_killed_anywhere_leaves_whole_files_and_starts_over(tmp_path: Path) -> None:
    """`WATCHKEEPER_KILL_SEED` repeats the kills of a run that failed."""
    began = time.monotonic()
    draw = random.Random(SEED)
    print(f"WATCHKEEPER_KILL_SEED={SEED}")  # noqa: T201  # shown when it fails
    rehearsal = small_rehearsal(tmp_path)
    done = rehearsal.run("--json")
    assert done.returncode == 0, done.stderr
    first = json.loads(done.stdout)
    assert [each["outcome"] for each in first["retrains"]][:1] == ["promoted"]
    steps = len(list((rehearsal.out / "audit").iterdir()))
    kills = [Kill(draw.randint(1, steps - 1), draw.random() < 0.5) for _ in range(KILLS)]
    for number, kill in enumerate(kills):
        print(f"{time.monotonic() - began:.0f} s: {kill} of {steps}")  # noqa: T201  # shown when it fails
        errors = tmp_path / f"errors-{number}"
        killed(rehearsal, kill, errors)
        assert ("was interrupted; starting over" in errors.read_text()) == (number > 0)
        assert unreadable(rehearsal.out) == []
        assert verified(rehearsal.out) == (0, "")
        store = FolderStore(rehearsal.out)
        for version in catalogue(store).versions:
            load_version(store, version.version, version.digest)
    last = rehearsal.run("--json")
    assert (last.returncode, "was interrupted; starting over" in last.stderr) == (0, True), last.stderr
    assert unreadable(rehearsal.out) == []
    summary = json.loads(last.stdout)
    assert (summary["closed"], summary["problems"]) == (True, [])
    assert figures(summary) == figures(first)
    print(f"{KILLS} kills and two whole rehearsals in {time.monotonic() - began:.0f} s")  # noqa: T201  # shown when it fails


def test_a_half_file_would_be_found(tmp_path: Path) -> None:
    for name in ("half.json", "half.jsonl", "half.parquet", "half.html", "half.db"):
        (tmp_path / name).write_bytes(b'{"half": ')
    (tmp_path / ".part-1").write_bytes(b"{")
    assert len(unreadable(tmp_path)) == 5
