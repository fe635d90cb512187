"""What the data-quality files hold: statistics and constraints as frozen values (contract 3 and 4)."""

from __future__ import annotations

from dataclasses import dataclass, field

from watchkeeper.core.statistics import Types
from watchkeeper.core.statistics.distances import Method, Mode
from watchkeeper.core.statistics.moments import Summary
from watchkeeper.core.statistics.sketch import Bucket, Sketch
from watchkeeper.core.values import ColumnType

TEXT_UNSEEN_THRESHOLD = 0.2


def implied_types(inferred: ColumnType, present: int) -> Types:
    """The classes of a column's cells when its file says nothing of them: all are as the column."""
    match inferred:
        case ColumnType.INTEGRAL:
            return Types(integral=present)
        case ColumnType.FRACTIONAL:
            return Types(fractional=present)
        case ColumnType.STRING:
            return Types(string=present)
    return Types()


@dataclass(frozen=True, slots=True)
class NumericalStatistics:
    """A column's numbers: what they come to, the ten buckets, and the sketch that drift is measured on."""

    summary: Summary
    buckets: tuple[Bucket, ...]
    sketch: Sketch


@dataclass(frozen=True, slots=True)
class StringStatistics:
    """A column's texts: how many are distinct, and each with its count, sorted by value.

    All values are kept, for a `text` column too: the next window's unseen values are found by them.
    """

    distinct_count: float
    counts: tuple[tuple[str, int], ...]

    @property
    def total(self) -> int:
        """Rows counted."""
        return sum(count for _, count in self.counts)


@dataclass(frozen=True, slots=True)
class FeatureStatistics:
    """One column. `types` are its present cells per class; only files of ours keep them when mixed.

    A column declared numeric with cells that are no numbers is inferred String and keeps `numerical`,
    over the cells that are: so one bad cell does not hide the drift of the others.
    """

    name: str
    inferred_type: ColumnType
    num_present: int
    num_missing: int
    types: Types
    numerical: NumericalStatistics | None = None
    string: StringStatistics | None = None


@dataclass(frozen=True, slots=True)
class DataQualityStatistics:
    """A data set's `statistics.json`: rows, and the columns in their order."""

    item_count: int
    features: tuple[FeatureStatistics, ...]

    def feature(self, name: str) -> FeatureStatistics | None:
        """The column of this name; None when there is none."""
        return next((feature for feature in self.features if feature.name == name), None)


@dataclass(frozen=True, slots=True)
class FeatureConstraints:
    """What is asked of one column; None is not asked. `evaluate` is the file's per-feature override.

    `is_non_negative` is recorded and not evaluated, as in the contract (5.2).
    """

    name: str
    inferred_type: ColumnType
    completeness: float | None = None
    is_non_negative: bool | None = None
    domains: tuple[str, ...] | None = None
    evaluate: bool = True


@dataclass(frozen=True, slots=True)
class DistributionConstraints:
    """How drift is judged. The categorical threshold is the general one when absent.

    `mode` is a key of ours, written when it is not `correct`: the closed analyzer's arithmetic has to
    be asked for.
    """

    perform_comparison: bool = True
    comparison_threshold: float = 0.1
    comparison_method: Method = Method.ROBUST
    categorical_comparison_threshold: float | None = None
    categorical_drift_method: str | None = None  # LInfinity (also when absent) | ChiSquared
    mode: Mode = Mode.CORRECT


@dataclass(frozen=True, slots=True)
class MonitoringConfig:
    """Settings of the whole file.

    `text_unseen_threshold` is a key of ours: the greatest share of a `text` column's rows that may hold
    a value the baseline has not; absent is 0.2.
    """

    evaluate_constraints: bool = True
    emit_metrics: bool = True
    datatype_check_threshold: float = 1.0
    domain_content_threshold: float = 1.0
    distribution: DistributionConstraints = field(default_factory=DistributionConstraints)
    text_unseen_threshold: float | None = None


@dataclass(frozen=True, slots=True)
class DataQualityConstraints:
    """A baseline's `constraints.json`."""

    features: tuple[FeatureConstraints, ...]
    monitoring_config: MonitoringConfig = field(default_factory=MonitoringConfig)

    def feature(self, name: str) -> FeatureConstraints | None:
        """What is asked of this column; None when the file does not name it."""
        return next((feature for feature in self.features if feature.name == name), None)
