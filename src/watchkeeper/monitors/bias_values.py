"""What bias is measured of, and what `analysis.json` holds of it (contract 7.2, 7.3)."""

from __future__ import annotations

from dataclasses import dataclass

from watchkeeper.core.values import Undefined, Violation

CHECK = "bias_drift_check"


@dataclass(frozen=True, slots=True)
class Facet:
    """A sensitive column, and who of it is the group in question.

    `values` are the group's, or one number that is a threshold where the column is continuous; without any,
    each value of the column is a group in its turn.
    """

    name: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BiasConfig:
    """The columns that count, and which outcome is the good one.

    `positive` are the values of label and prediction that are positive, or one number that is a threshold
    where the label is continuous. `group` is the column within whose values disparity is looked at.
    """

    label: str
    positive: tuple[str, ...]
    facets: tuple[Facet, ...]
    predicted: str | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class BiasMetric:
    """One metric of a facet's group against the others; the value may be infinite where its formula is.

    `standard_error` is by bootstrap, None where nobody asked for it.
    """

    name: str
    description: str
    value: float | Undefined
    standard_error: float | Undefined | None = None


@dataclass(frozen=True, slots=True)
class FacetBias:
    """A facet's group: its value or interval as text, its rows of all rows, and its metrics by name.

    `error_gaps` are ours, of predictions that are amounts; the contract has none.
    """

    name: str
    value: str
    rows: int
    of_rows: int
    pre_training: tuple[BiasMetric, ...]
    post_training: tuple[BiasMetric, ...]
    error_gaps: tuple[BiasMetric, ...] = ()

    @property
    def of_model(self) -> tuple[BiasMetric, ...]:
        """What says how the model treats the group, and so is held against the baseline."""
        return (*self.post_training, *self.error_gaps)

    def metric(self, name: str) -> BiasMetric | None:
        """One metric; None where there is none of that name."""
        every = (*self.pre_training, *self.of_model)
        return next((each for each in every if each.name == name), None)


@dataclass(frozen=True, slots=True)
class BiasAnalysis:
    """Bias of a set of rows. `label_value` says which outcome is positive."""

    label: str
    label_value: str
    facets: tuple[FacetBias, ...]


@dataclass(frozen=True, slots=True)
class BiasViolation:
    """A metric that is beyond its baseline."""

    facet: str
    facet_value: str
    metric: str
    description: str
    value: float
    threshold: float

    @property
    def violation(self) -> Violation:
        """As the other monitors' are: the subject names facet, group and metric."""
        subject = f"{self.metric} of {self.facet} {self.facet_value}"
        return Violation(subject, CHECK, self.description, self.value, self.threshold)
