"""Where this package lies, and the repository that it is run from, when it is."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

PACKAGE = Path(str(files("watchkeeper")))
REPOSITORY = PACKAGE.parents[1]  # of an editable install; of any other no folder of ours
