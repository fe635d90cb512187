"""The nouns of the loop, each a frozen value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from watchkeeper.core.windows import Window


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something, and how we know: a name is never typed in, it comes from a login."""

    name: str
    how: str  # os-user | token | session | rehearsal | service (Watchkeeper itself)

    def __str__(self) -> str:
        return f"{self.name} ({self.how})"


class Role(StrEnum):
    """What a column is for. Roles decide which checks it gets, not whether the model reads it."""

    FEATURE = "feature"
    TIME = "time"
    ID = "id"
    TEXT = "text"
    PREDICTION = "prediction"
    LABEL = "label"
    IGNORED = "ignored"


class ColumnType(StrEnum):
    """The contract's inferred types."""

    INTEGRAL = "Integral"
    FRACTIONAL = "Fractional"
    STRING = "String"
    UNKNOWN = "Unknown"


NUMERIC = frozenset({ColumnType.INTEGRAL, ColumnType.FRACTIONAL})


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an endpoint's rows."""

    name: str
    type: ColumnType
    role: Role


@dataclass(frozen=True, slots=True)
class Schema:
    """An endpoint's columns in their order on the wire; a change makes a new version."""

    version: int
    columns: tuple[Column, ...]

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"a schema wants each column once, got {', '.join(twice)} twice")

    @property
    def inputs(self) -> tuple[Column, ...]:
        """Columns a request carries, in order."""
        return tuple(c for c in self.columns if c.role not in (Role.PREDICTION, Role.LABEL))

    @property
    def prediction(self) -> Column:
        """The column the model answers with."""
        return self._only(Role.PREDICTION)

    @property
    def label(self) -> Column:
        """The column that ground truth fills later."""
        return self._only(Role.LABEL)

    def _only(self, role: Role) -> Column:
        found = [c for c in self.columns if c.role is role]
        if len(found) != 1:
            raise ValueError(f"schema v{self.version}: want one column with role {role}, got {len(found)}")
        return found[0]


@dataclass(frozen=True, slots=True)
class Payload:
    """One side of a request: the body as text, the encoding the contract gives it, the header as seen."""

    data: str
    encoding: str  # CSV | JSON | BASE64
    content_type: str | None


@dataclass(frozen=True, slots=True)
class CaptureRecord:
    """One answered request: what was asked, what was answered, by which model, under which schema.

    A side that the capture leaves out is None; one of the two is there.
    """

    event_id: str
    inference_id: str | None
    time: datetime
    model_version: int
    schema_version: int
    input: Payload | None
    output: Payload | None
    custom_attributes: tuple[str, ...] = ()

    @property
    def join_id(self) -> str:
        """What ground truth is joined by: the caller's id, else the event's."""
        return self.inference_id or self.event_id


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """The labels of one request, in its row order, as they became known later."""

    inference_id: str
    labels: tuple[float | str, ...]


@dataclass(frozen=True, slots=True)
class Violation:
    """One check that did not hold: of a feature (data quality) or of a metric (model quality).

    `value` is what was found and `threshold` what was asked, in the check's own unit, where there are
    such numbers; the description says the same in words.
    """

    subject: str
    check: str  # the contract's constraint_check_type
    description: str
    value: float | None = None
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class ExampleRow:
    """One row: its file and line, its inference id where there is one, the value (masked when sensitive)."""

    file: str
    line: int
    inference_id: str | None
    value: str | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Rows that one violation is about, first ones first, or the reason why none is shown."""

    subject: str
    check: str
    rows: tuple[ExampleRow, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """A metric's value at a time. Labels are sorted pairs, so that equal series compare equal."""

    metric: str
    labels: tuple[tuple[str, str], ...]
    value: float
    time: datetime

    @property
    def series(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        """What tells this series from every other."""
        return self.metric, self.labels


@dataclass(frozen=True, slots=True)
class Undefined:
    """A value that could not be computed, and why; never NaN, never zero."""

    reason: str


class Status(StrEnum):
    """How a monitoring execution ended: the contract's statuses, then the named reasons for no verdict."""

    COMPLETED = "Completed"
    VIOLATIONS = "CompletedWithViolations"
    FAILED = "Failed"
    INSUFFICIENT_DATA = "InsufficientData"
    AWAITING_LABELS = "AwaitingLabels"
    NO_TRAFFIC = "NoTraffic"
    CAPTURE_OFF = "CaptureOff"
    WRONG_PREFIX = "WrongPrefix"
    CLOCK_SKEW = "ClockSkew"
    NO_PERMISSION = "NoPermission"
    NO_BASELINE = "NoBaseline"


VERDICTS = frozenset({Status.COMPLETED, Status.VIOLATIONS})


@dataclass(frozen=True, slots=True)
class BaselineRef:
    """Which baseline judged: its monitor, version and the digest of its two files."""

    monitor: str
    version: int
    digest: str


@dataclass(frozen=True, slots=True)
class Metrics:
    """Regression figures of a set of rows.

    rmse, mae and bias' numerator are in the label's unit; mape is a share; bias is
    mean(prediction - label) / mean(label).
    """

    rows: int
    rmse: float
    mae: float
    mape: float
    r2: float
    bias: float


@dataclass(frozen=True, slots=True)
class Segment:
    """Figures of the rows that share one value of one column."""

    column: str
    value: str
    metrics: Metrics


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one execution says of the rows of one model version; `baseline` is None when none was approved.

    `evidence` has one item for each violation, in their order; none on record before there was any.
    `segments` are those with the largest mean error as a share of the label, the worst first.
    """

    model_version: int
    rows: int
    status: Status
    reason: str
    baseline: BaselineRef | None
    violations: tuple[Violation, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    segments: tuple[Segment, ...] = ()

    @property
    def findings(self) -> tuple[tuple[Violation, Evidence | None], ...]:
        """Each violation with its evidence, where that is on record."""
        known = (
            self.evidence if len(self.evidence) == len(self.violations) else (None,) * len(self.violations)
        )
        return tuple(zip(self.violations, known, strict=True))


@dataclass(frozen=True, slots=True)
class InputDigest:
    """One object an execution read, and its sha256."""

    key: str
    digest: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a figure of quality will be once labels come; the interval holds it in `level` of cases."""

    metric: str
    value: float
    low: float
    high: float
    level: float
    rows: int
    model_version: int


@dataclass(frozen=True, slots=True)
class Execution:
    """One monitor on one window: what it read, what it found, what that means.

    `estimates` are those of a window whose labels are awaited, or were when it was looked at first.
    """

    key: str
    schedule: str
    monitor: str
    environment: str
    endpoint: str
    window: Window
    scheduled_at: datetime
    status: Status
    reason: str
    rows: int
    judgements: tuple[Judgement, ...]
    samples: tuple[Sample, ...]
    inputs: tuple[InputDigest, ...]
    notes: tuple[str, ...] = ()  # what was left out and why: bad lines, unknown ids, duplicate labels
    estimates: tuple[Estimate, ...] = ()

    @property
    def violations(self) -> tuple[Violation, ...]:
        """Every version's violations, in version order."""
        return tuple(v for judgement in self.judgements for v in judgement.violations)


class ApprovalStatus(StrEnum):
    """SageMaker's model approval statuses."""

    PENDING = "PendingManualApproval"
    APPROVED = "Approved"
    REJECTED = "Rejected"


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A registered model: an artefact that never changes, and where it comes from."""

    version: int
    digest: str
    run_id: str
    trained_from: str  # month
    trained_through: str  # month: the newest whose labels the artefact has seen
    labels_known_in: str  # month in which those labels were complete
    metrics: dict[str, float]
    schema_version: int
    data_digest: str
    project_digest: str  # of the project file that travels with it
    registered_at: datetime
    registered_by: Actor
    external: bool = False  # it is served elsewhere: no artefact, run or figures of ours


@dataclass(frozen=True, slots=True)
class Approval:
    """One person's word on one version for one environment."""

    version: int
    environment: str
    status: ApprovalStatus
    actor: Actor
    time: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """From `time` on, this environment serves this version. Numbers count up within an environment."""

    number: int
    environment: str
    endpoint: str
    version: int
    digest: str
    previous: int | None
    time: datetime
    actor: Actor
    kind: str = "promote"  # promote | rollback; of a candidate its own


class CandidateKind(StrEnum):
    """How a version is tried beside the one that serves."""

    CANARY = "canary"  # it answers a share of the requests
    SHADOW = "shadow"  # it gets a copy of each, and nobody gets its answers


@dataclass(frozen=True, slots=True)
class CanaryLimits:
    """When a canary is withdrawn without being asked: see `serving.canary.Watch`.

    `errors` is a share of its last `requests` requests, `latency` a multiple of the serving version's.
    """

    errors: float = 0.05
    latency: float = 2.0
    requests: int = 100


@dataclass(frozen=True, slots=True)
class Candidate:
    """From `time` on, this environment tries this version; `weight` is the percentage a canary answers."""

    number: int
    environment: str
    endpoint: str
    version: int
    digest: str
    kind: CandidateKind
    weight: int
    limits: CanaryLimits
    time: datetime
    actor: Actor

    def deployment(self) -> Deployment:
        """As if it were what the environment serves."""
        return Deployment(
            number=self.number,
            environment=self.environment,
            endpoint=self.endpoint,
            version=self.version,
            digest=self.digest,
            previous=None,
            time=self.time,
            actor=self.actor,
            kind=self.kind,
        )


class TrialOutcome(StrEnum):
    """How a candidate's trial ended."""

    WITHDRAWN = "withdrawn"
    PROMOTED = "promoted"
    REPLACED = "replaced"  # by another version's promotion


@dataclass(frozen=True, slots=True)
class TrialEnd:
    """The end of a candidate's trial, and why."""

    number: int
    environment: str
    outcome: TrialOutcome
    why: str
    time: datetime
    actor: Actor


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples as an answer of the HTTP API."""

    samples: tuple[Sample, ...]


def labels_of(**labels: str) -> tuple[tuple[str, str], ...]:
    """Labels as the sorted pairs a `Sample` wants.

    >>> labels_of(project="p", environment="prod")
    (('environment', 'prod'), ('project', 'p'))
    """
    return tuple(sorted(labels.items()))


def newest(samples: Sequence[Sample]) -> tuple[Sample, ...]:
    """The newest sample of each series, in series order; of two at one time the later in the sequence."""
    held: dict[tuple[str, tuple[tuple[str, str], ...]], Sample] = {}
    for sample in samples:
        if sample.series not in held or held[sample.series].time <= sample.time:
            held[sample.series] = sample
    return tuple(held[series] for series in sorted(held))


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long step has come; `total` is None when it cannot be known.

    `note` is for people; `figures` and `labels` say the same for who wants to keep count.
    """

    step: str
    done: int
    total: int | None
    note: str = ""
    figures: dict[str, float] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunningServer:
    """How a server on this machine is reached: its run file. `token` opens its write routes."""

    pid: int
    port: int
    token: str
