"""What each monitor makes of a window's rows: one `Judge` a monitor, found by name in `JUDGES`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from watchkeeper.app.judging import bias, data_quality, explainability, model_quality
from watchkeeper.app.judging.judgement import Judge

JUDGES: Mapping[str, Judge] = MappingProxyType(
    {
        each.monitor.name: each
        for each in (data_quality.JUDGE, model_quality.JUDGE, explainability.JUDGE, bias.JUDGE)
    }
)
