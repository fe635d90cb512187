"""The monitors: what columns each needs, its statistics, suggested constraints and checks. All pure.

To add one, write its file with a `MONITOR` and add that to `MONITORS`.
"""

from watchkeeper.monitors import bias, data_quality, explainability, model_quality
from watchkeeper.monitors.monitor import Monitor

MONITORS: tuple[Monitor, ...] = (
    data_quality.MONITOR,
    model_quality.MONITOR,
    explainability.MONITOR,
    bias.MONITOR,
)

__all__ = ["MONITORS", "Monitor"]
