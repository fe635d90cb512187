"""What other libraries make of the same cases: each is asked in a Python of its own that has them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.shared import CHECKOUT

PYTHON = Path(os.environ.get("WATCHKEEPER_ORACLES_PYTHON") or CHECKOUT / ".venv-oracles" / "bin" / "python")


def answers_of(script: str, cases: Any) -> Any:
    """What a script of this folder answers to the cases; the test is skipped where nothing could run it."""
    if not PYTHON.exists():
        pytest.skip(f"no {PYTHON}: make test-deps installs scikit-learn and shap there")
    ended = subprocess.run(
        [str(PYTHON), str(Path(__file__).parent / script)],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)
