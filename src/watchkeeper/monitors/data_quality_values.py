"""What the data-quality files hold: statistics and constraints as frozen values (contract 3 and 4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from watchkeeper.core.statistics import Types
from watchkeeper.core.statistics.distances import Method, Mode
from watchkeeper.core.statistics.moments import Summary
from watchkeeper.core.statistics.sketch import Bucket, Sketch
from watchkeeper.core.values import ColumnType
from watchkeeper.core.windows import Window

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
    """A column's numbers: what they come to, the ten buckets, and the sketch that drift is measured on.

    `num_negative` is ours; None when a file does not say.
    """

    summary: Summary
    buckets: tuple[Bucket, ...]
    sketch: Sketch
    num_negative: int | None = None


@dataclass(frozen=True, slots=True)
class StringStatistics:
    """A column's texts: how many are distinct, and each with its count, sorted by value.

    Kept for a `text` column too: the next window's unseen values are found by them. `error` is ours: how
    far a count may be too low; 0 says that every value is there with its exact count.
    """

    distinct_count: float
    counts: tuple[tuple[str, int], ...]
    error: int = 0

    @property
    def total(self) -> int:
        """Rows counted."""
        return sum(count for _, count in self.counts)


@dataclass(frozen=True, slots=True)
class TimeStatistics:
    """The earliest and the latest of a `time` column's moments, UTC; a key of ours."""

    earliest: datetime
    latest: datetime


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
    time: TimeStatistics | None = None


@dataclass(frozen=True, slots=True)
class DataQualityStatistics:
    """A data set's `statistics.json`: rows, and the columns in their order."""

    item_count: int
    features: tuple[FeatureStatistics, ...]

    def feature(self, name: str) -> FeatureStatistics | None:
        """The column of this name; None when there is none."""
        return next((feature for feature in self.features if feature.name == name), None)


@dataclass(frozen=True, slots=True)
class DriftRule:
    """By which method of `core.statistics.drift.METHODS` a column is compared, and from when it is drift."""

    method: str
    threshold: float


@dataclass(frozen=True, slots=True)
class Range:
    """The numbers from `low` to `high`, both included."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class FeatureConstraints:
    """What is asked of one column; None is not asked. `evaluate` is the file's per-feature override.

    `is_non_negative` is recorded and not evaluated in compatible mode, as in the contract (5.2). `range`,
    `drift` and `sources` are keys of ours. `sources` names, by constraint, the SLA that set it; what it
    does not name comes from the data.
    """

    name: str
    inferred_type: ColumnType
    completeness: float | None = None
    is_non_negative: bool | None = None
    domains: tuple[str, ...] | None = None
    evaluate: bool = True
    range: Range | None = None
    drift: DriftRule | None = None
    sources: tuple[tuple[str, str], ...] = ()


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
class DatasetConstraints:
    """What is asked of the rows as a whole, all keys of ours; None is not asked.

    `vanished_share`: a value with at least this share of the baseline has to be there. `duplicate_share`:
    at most this share of the rows may repeat an earlier one. `rows`: how many rows there may be.
    `max_age_seconds`: how long before the window's end the newest time may be. `missing_hours_share`: at
    most this share of a window's hours may have no row; asked only of a baseline that has rows most hours.
    """

    vanished_share: float | None = None
    duplicate_share: float | None = None
    rows: Range | None = None
    max_age_seconds: float | None = None
    missing_hours_share: float | None = None


@dataclass(frozen=True, slots=True)
class Sla:
    """A promise about one metric (named without `watchkeeper_`): one of `at_most` and `at_least` is given.

    `column` narrows a metric that there is of each column; None is every column.
    """

    name: str
    metric: str
    owner: str
    reference: str = ""
    at_most: float | None = None
    at_least: float | None = None
    column: str | None = None

    def __post_init__(self) -> None:
        if (self.at_most is None) == (self.at_least is None):
            raise ValueError(f'SLA "{self.name}": want one of at_most and at_least')

    @property
    def source(self) -> str:
        """How a report names it."""
        return f'SLA "{self.name}"' + (f" ({self.reference})" if self.reference else "")

    def broken_by(self, value: float) -> bool:
        """Whether this value of the metric breaks it; the bound itself does not."""
        if self.at_most is not None:
            return value > self.at_most
        return self.at_least is not None and value < self.at_least


@dataclass(frozen=True, slots=True)
class DataQualityConstraints:
    """A baseline's `constraints.json`; `dataset` and `slas` are keys of ours."""

    features: tuple[FeatureConstraints, ...]
    monitoring_config: MonitoringConfig = field(default_factory=MonitoringConfig)
    dataset: DatasetConstraints = field(default_factory=DatasetConstraints)
    slas: tuple[Sla, ...] = ()

    def feature(self, name: str) -> FeatureConstraints | None:
        """What is asked of this column; None when the file does not name it."""
        return next((feature for feature in self.features if feature.name == name), None)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of a run beyond its columns; what is not known is not checked.

    `mode` overrides the constraints' own. `earlier_rows` are the row counts of the windows before.
    `duplicates` is how many rows repeat an earlier one, `empty_hours` which of the window's hours have no
    row; None where nobody counted, or where the window is not one of hours.
    """

    mode: Mode | None = None
    window: Window | None = None
    earlier_rows: tuple[int, ...] = ()
    duplicates: int | None = None
    empty_hours: tuple[datetime, ...] | None = None
