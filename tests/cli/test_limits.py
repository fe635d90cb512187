"""How much is held at once: of a line that has no end, and of more records than memory could hold."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Said
from tests.shared import CHECKOUT

Cli = Callable[..., Said]
WHOLE = os.environ.get("WATCHKEEPER_SOAK") == "1"
MEGABYTE = 1024 * 1024
LONG_LINE = 2_048 * MEGABYTE if WHOLE else 256 * MEGABYTE
RECORDS = (10_000_000, 100_000_000) if WHOLE else (300_000, 600_000)
MOST_MB = 1_000
GROWTH = 1.2
# The process' own high-water mark: `ru_maxrss` counts what the process that started it held, too.
LIMITED = """
import re, sys
from pathlib import Path
from watchkeeper.cli import main
sys.argv[0] = "watchkeeper"
try:
    main()
finally:
    print(int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""


@pytest.fixture
def with_a_long_line(tmp_path: Path) -> Path:
    """Three rows, the second of which has a town of 2 MB."""
    path = tmp_path / "towns.csv"
    path.write_text(f"town,area\nBEDOK,1.5\n{'x' * 2 * MEGABYTE},2.5\nYISHUN,3.5\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(("typed", "rows", "bad"), [((), 3, 0), (("--line-limit", "1"), 2, 1)])
def test_the_longest_line_can_be_set(
    cli: Cli, with_a_long_line: Path, typed: tuple[str, ...], rows: int, bad: int
) -> None:
    out = with_a_long_line.parent / "out"
    said = cli("monitor", "run", "data-quality", "--input", with_a_long_line, "--out", out, *typed, "--json")
    found = json.loads(said.out)
    assert (found["rows"], found["bad_lines"]) == (rows, bad)
    if bad:
        (refused,) = found["bad"]
        assert (refused["line_number"], refused["reason"]) == (3, "a line longer than 1,048,576 bytes")


@pytest.mark.soak
def test_a_line_without_end_is_refused_and_not_held(tmp_path: Path) -> None:
    """Two gigabytes in one line (a hole in the file, so no disk holds them), with rows before and behind."""
    path = tmp_path / "endless.csv"
    with path.open("wb") as file:
        file.write(b"town,area\nBEDOK,1.5\n")
        file.seek(LONG_LINE, os.SEEK_CUR)
        file.write(b"\nYISHUN,3.5\n")
    argv = ["monitor", "run", "data-quality", "--input", str(path), "--out", str(tmp_path / "out"), "--json"]
    ended = subprocess.run(
        [sys.executable, "-c", LIMITED, *argv], capture_output=True, text=True, check=False, timeout=600
    )
    answer, peak = ended.stdout.rstrip().rsplit("\n", 1)
    found = json.loads(answer)
    assert (ended.returncode, found["rows"], found["bad_lines"]) == (0, 2, 1)
    assert int(peak) < MOST_MB


@pytest.mark.soak
def test_memory_does_not_grow_with_the_records() -> None:
    """Ten times the records, generated while they are read, and at most a fifth more memory."""
    ended = subprocess.run(
        [sys.executable, str(CHECKOUT / "benchmarks" / "memory.py"), *map(str, RECORDS)],
        capture_output=True,
        text=True,
        check=True,
    )
    small, large = json.loads(ended.stdout.splitlines()[-1])["runs"]
    assert (small["records"], large["records"], small["bad"], large["bad"]) == (*RECORDS, 0, 0)
    assert small["peak_mb"] < MOST_MB
    assert large["peak_mb"] <= GROWTH * small["peak_mb"]
