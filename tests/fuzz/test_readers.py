"""Every reader on any bytes: ten minutes each with WATCHKEEPER_SOAK=1, a quarter of a minute in all without.

The inputs are led by what code they reach: by atheris, in the environment that `make test-deps` makes.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS
from tests.shared import CHECKOUT

SECONDS = 600 if os.environ.get("WATCHKEEPER_SOAK") == "1" else 15 / len(TARGETS)
PYTHON = Path(os.environ.get("WATCHKEEPER_FUZZ_PYTHON") or CHECKOUT / ".venv-fuzz" / "bin" / "python")
LIBFUZZER_CRASH = 77


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A fuzz run as a process of its own, which a crash ends."""
    if not PYTHON.exists():
        pytest.skip(f"no {PYTHON}: make test-deps installs atheris there (see WATCHKEEPER_FUZZ_PYTHON)")
    environment = {**os.environ, "PYTHONPATH": f"{CHECKOUT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    return subprocess.run(
        [str(PYTHON), "-m", "tests.fuzz.run", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS + 120,
        check=False,
    )


@pytest.mark.soak
@pytest.mark.parametrize("name", sorted(TARGETS.keys() - {"parquet"}))
def test_no_bytes_crash_a_reader_or_make_it_hang(name: str, tmp_path: Path) -> None:
    ended = run(tmp_path, name, str(max(int(SECONDS), 1)))
    assert ended.returncode == 0, said(ended)
    refuse_chance(ended)


@pytest.mark.soak
def test_no_damage_to_parquet_is_a_crash_of_ours(tmp_path: Path) -> None:
    """Polars ends the process where a damaged page makes it ask for exabytes, so such a run is begun anew."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    end = time.monotonic() + SECONDS
    while (left := int(end - time.monotonic())) > 0:
        ended = run(tmp_path, "parquet", str(left), "--corpus", str(corpus))
        assert ended.returncode == 0 or gave_up(ended), said(ended)
        refuse_chance(ended)


def gave_up(ended: subprocess.CompletedProcess[str]) -> bool:
    """Whether Polars asked for more memory than there is, for which Rust ends the process."""
    asked = re.search(r"memory allocation of \d{12,} bytes failed", ended.stderr)
    return asked is not None and ended.returncode in (-signal.SIGABRT, LIBFUZZER_CRASH)


def refuse_chance(ended: subprocess.CompletedProcess[str]) -> None:
    """Atheris has no wheel for some platforms: there the run was at random, which is no pass."""
    if "atheris is not installed" in ended.stdout:
        pytest.skip(f"no atheris in {PYTHON}, so the inputs were random: it has wheels for Linux on x86-64")
    assert "stat::number_of_executed_units" in ended.stderr, "atheris led it"


def said(ended: subprocess.CompletedProcess[str]) -> str:
    return ended.stdout[-2_000:] + ended.stderr[-4_000:]


@pytest.mark.parametrize("name", sorted(TARGETS.keys() - {"parquet"}))
@given(data=st.binary(max_size=200))
def test_bytes_of_no_form_crash_no_reader(name: str, data: bytes) -> None:
    TARGETS[name].feed(data)
    for seed in TARGETS[name].seeds:
        TARGETS[name].feed(seed[: len(data)] + data + seed[len(data) :])
