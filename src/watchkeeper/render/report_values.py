"""What a report page needs, as frozen values; `report.report_page` turns them into the page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from watchkeeper.core.audit import AuditEntry, Verification
from watchkeeper.core.decisions import Decision, DecisionKind
from watchkeeper.core.rules import Alert
from watchkeeper.core.values import Approval, Deployment, Execution, Metrics, ModelVersion, Segment, Violation
from watchkeeper.render.charts import Distribution, Residuals


@dataclass(frozen=True, slots=True)
class DataSource:
    """Where the rows come from, and the notice its licence asks for; `url` is the licence's, or empty."""

    name: str
    notice: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of each there were in the watched environment; nothing may get lost between them."""

    requests: int
    captured: int
    rows: int
    labels: int
    scored: int


@dataclass(frozen=True, slots=True)
class Month:
    """One month of the watched model, and of the one left alone where there is one.

    `metrics` is None while labels are awaited or rows are too few; `note` says which. `estimated_rmse` is
    what was expected before labels came. `ratio` is RMSE over `baseline_rmse`. `model_version` is the newest
    that served in the month.
    """

    month: str
    rows: int
    model_version: int
    metrics: Metrics | None
    baseline_rmse: float | None
    ratio: float | None
    violations: tuple[Violation, ...]
    alerts: tuple[str, ...]  # names of the rules that began to fire on this month
    unwatched: Metrics | None = None
    note: str = ""
    estimated_rmse: float | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """Champion and challenger on the same rows, in the label's unit."""

    champion_rmse: float
    challenger_rmse: float
    rows: int


@dataclass(frozen=True, slots=True)
class Retrain:
    """What became of a decision to retrain. `promoted` is the version that went into service.

    `unanswered` says how one ended that nobody answered, as when its approval expired; else it is empty.
    """

    decision: str
    month: str
    reason: str
    approved_by: str | None
    gate: Gate | None = None
    promoted: int | None = None
    rejected: bool = False
    unanswered: str = ""


@dataclass(frozen=True, slots=True)
class AuditSlice:
    """The newest entries of the audit log, oldest first, and what verifying the whole log showed."""

    entries: tuple[AuditEntry, ...]
    verification: Verification


@dataclass(frozen=True, slots=True)
class Report:
    """Everything the report page shows. `label_unit` is the label's unit, such as SGD, or empty."""

    project: str
    title: str
    source: DataSource
    environment: str
    first: str  # month
    until: str  # month
    label_unit: str
    counts: Counts
    audit: AuditSlice
    generated_at: datetime
    versions: tuple[ModelVersion, ...] = ()
    approvals: tuple[Approval, ...] = ()
    deployments: tuple[Deployment, ...] = ()
    months: tuple[Month, ...] = ()
    executions: tuple[Execution, ...] = ()
    distributions: tuple[Distribution, ...] = ()
    residuals: Residuals | None = None
    segments: tuple[Segment, ...] = ()
    alerts: tuple[Alert, ...] = ()
    decisions: tuple[Decision, ...] = ()
    retrains: tuple[Retrain, ...] = ()
    seconds: tuple[tuple[str, float], ...] = ()  # stage, measured seconds
    ratio_limit: float | None = None  # RMSE over baseline above which the alert rule fires
    classification: str = ""

    @property
    def waiting(self) -> tuple[Decision, ...]:
        """Retrains that wait for a person's word."""
        answered = {
            r.decision
            for r in self.retrains
            if r.approved_by is not None or r.rejected or r.promoted or r.unanswered
        }
        return tuple(
            d
            for d in self.decisions
            if d.kind is DecisionKind.RETRAIN and d.needs_approval and d.id not in answered
        )

    @property
    def reviews(self) -> tuple[Decision, ...]:
        """What someone was asked to look at."""
        return tuple(d for d in self.decisions if d.kind is DecisionKind.REVIEW)
