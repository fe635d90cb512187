"""All monitors. Apart from the package itself, so that who needs one does not load what the others need."""

from watchkeeper.monitors import bias, data_quality, explainability, model_quality
from watchkeeper.monitors.monitor import Monitor

MONITORS: tuple[Monitor, ...] = (
    data_quality.MONITOR,
    model_quality.MONITOR,
    explainability.MONITOR,
    bias.MONITOR,
)
