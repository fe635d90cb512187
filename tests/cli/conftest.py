"""The command line in this process: `main` itself, with its exit codes, on arguments of the test's."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.workspaces import after_a_bad_month
from watchkeeper.cli import main


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Runs `watchkeeper` with the arguments; no network is asked, and no variable of the caller's counts."""
    monkeypatch.setenv("WATCHKEEPER_OFFLINE", "1")
    for name in ("WATCHKEEPER_HDB_CSV", "WATCHKEEPER_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)

    def run(*argv: object, answers: str = "") -> Said:
        monkeypatch.setattr(sys, "stdin", io.StringIO(answers))
        monkeypatch.setattr(sys, "argv", ["watchkeeper", *map(str, argv)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        return Said(int(ended.value.code or 0), out, err)

    return run


@pytest.fixture(scope="session")
def bad_month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace after a month with an alert, which tests only read."""
    folder = tmp_path_factory.mktemp("bad-month") / "workspace"
    after_a_bad_month(folder)
    return folder
