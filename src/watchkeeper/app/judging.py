"""What each monitor makes of a window's rows: one `Judge` a monitor, found by name in `JUDGES`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from watchkeeper.app import judge_bias, judge_data_quality, judge_explainability, judge_model_quality
from watchkeeper.app.judgement import Judge
from watchkeeper.monitors import bias, data_quality, explainability, model_quality

JUDGES: Mapping[str, Judge] = MappingProxyType(
    {
        data_quality.MONITOR.name: judge_data_quality.JUDGE,
        model_quality.MONITOR.name: judge_model_quality.JUDGE,
        explainability.MONITOR.name: judge_explainability.JUDGE,
        bias.MONITOR.name: judge_bias.JUDGE,
    }
)
