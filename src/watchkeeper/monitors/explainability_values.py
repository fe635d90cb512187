"""What explainability is judged by (contract 7.3 and 7.7)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from watchkeeper.core.values import Violation

CHECK = "feature_attribution_drift_check"


class Aggregation(StrEnum):
    """How many rows' attributions become one number a feature: mean |phi|, mean phi², median phi."""

    MEAN_ABS = "mean_abs"
    MEAN_SQ = "mean_sq"
    MEDIAN = "median"


@dataclass(frozen=True, slots=True)
class Attributions:
    """Global importance of each feature, in the columns' order, for one label.

    `expected_value` is the mean prediction of the rows that attributions are measured from.
    """

    label: str
    importances: tuple[tuple[str, float], ...]
    expected_value: float


@dataclass(frozen=True, slots=True)
class AttributionViolation:
    """A label whose attributions are no longer those of the baseline."""

    label: str
    check: str
    description: str
    value: float
    threshold: float

    @property
    def violation(self) -> Violation:
        """As the other monitors' are."""
        return Violation(self.label, self.check, self.description, self.value, self.threshold)


@dataclass(frozen=True, slots=True)
class Moved:
    """A feature's importance then and now, and by how many standard errors the two differ."""

    feature: str
    baseline: float
    current: float
    score: float


@dataclass(frozen=True, slots=True)
class AttributionDrift:
    """How unlike the baseline's own rows the attributions of some rows are.

    `score` is the greatest difference of a feature in standard errors, `limit` what chance exceeds in a
    share `alpha` of samples of `rows` of the baseline's rows, `p_value` the share of them that came so far.
    """

    score: float
    limit: float
    p_value: float
    alpha: float
    rows: int
    moved: tuple[Moved, ...]

    @property
    def drifted(self) -> bool:
        """Whether chance is no explanation."""
        return self.score > self.limit
