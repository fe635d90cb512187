"""Every monitor there is: its name in project files and schedules, and where its judge is found."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# The name → `module:judge`, loaded when rows are judged: a project file is read without numpy.
MONITORS: Mapping[str, str] = MappingProxyType(
    {
        "data-quality": "watchkeeper.app.judging.data_quality:JUDGE",
        "model-quality": "watchkeeper.app.judging.model_quality:JUDGE",
        "explainability": "watchkeeper.app.judging.explainability:JUDGE",
        "bias": "watchkeeper.app.judging.bias:JUDGE",
    }
)
