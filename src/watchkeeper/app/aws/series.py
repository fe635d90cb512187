"""How many series the monitors of a project expose, and how many of them CloudWatch is paid for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from watchkeeper.app.aws.landscape import Landscape
from watchkeeper.app.aws.names import is_central
from watchkeeper.core.values import Role, Status


@dataclass(frozen=True, slots=True)
class Series:
    """How many time series a schedule is expected to have."""

    schedule: str
    environment: str
    count: int
    custom_metrics: int


def expected_series(landscape: Landscape) -> Iterator[Series]:
    """Series of each schedule: of every schedule, of a monitor's window, and of the columns it looks at.

    What `app.monitoring.exposure` makes of a regression, without SLAs, segments and drift of all columns
    together; of bias eight for each facet.
    """
    for environment in landscape.scopes:
        if is_central(environment):
            continue
        settings = landscape.project.environment(environment)
        features = sum(role is Role.FEATURE for role in settings.data.columns.values())
        by_column = {
            "data-quality": (
                2,
                len(settings.data.inputs) + 1 + features + 1,
            ),  # completeness and drift, the answer's too
            "explainability": (1, features),
        }
        for monitor, section in settings.monitors.items():
            name = f"{landscape.project.endpoint(environment)}-{monitor}"
            own = _OF_SCHEDULE + _BY_WINDOW.get(monitor, 1) + 8 * len(section.facet)
            metrics, columns = by_column.get(monitor, (0, 0))
            aws = settings.targets.aws
            paid = columns if aws is not None and aws.feature_metrics else metrics
            yield Series(name, environment, own + columns, own + paid)


_OF_SCHEDULE = (
    len(Status) + 6
)  # the status, rows, window's end, revision, baseline's age, two of recent windows
_BY_WINDOW = {
    "model-quality": 8,
    "explainability": 3,
}  # violations, and figures; of any other the violations alone
