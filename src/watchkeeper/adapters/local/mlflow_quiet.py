"""Import this before MLflow: importing MLflow starts its telemetry, which asks the network for its settings,
unless the environment says no by then.
"""

from __future__ import annotations

import os

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["DO_NOT_TRACK"] = "true"
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")  # a machine without git is none of its business
