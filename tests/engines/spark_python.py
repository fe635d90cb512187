"""Spark's own environment."""

from __future__ import annotations

import os
from pathlib import Path

from tests.shared import CHECKOUT

PYTHON = Path(os.environ.get("WATCHKEEPER_SPARK_PYTHON") or CHECKOUT / ".venv-spark" / "bin" / "python")
