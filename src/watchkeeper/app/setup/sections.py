"""The project file's sections: what each key takes, and what is wrong with any other value."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    ValidationInfo,
    field_validator,
    model_validator,
)

from watchkeeper.app.setup.alert_sections import (
    AlertSection,
    InhibitSection,
    NotificationsSection,
    ReceiverSection,
    RetrainSection,
    ShelfSection,
    SlaSection,
    TelemetrySection,
)
from watchkeeper.app.setup.aws_sections import CENTRAL, LocalSection, TargetsSection
from watchkeeper.app.setup.monitors import MONITORS
from watchkeeper.app.setup.section import Length, OneOf, Schedule, Section, said, unknown
from watchkeeper.core.decisions import ApprovalNeed
from watchkeeper.core.mutes import ALERT_NAME
from watchkeeper.core.values import CanaryLimits, Role
from watchkeeper.core.windows import Duration, Window
from watchkeeper.model.features import FeatureSpec
from watchkeeper.model.level import LevelSpec
from watchkeeper.serving.settings import CSV_TYPES, JSON_TYPES, CaptureMode, CapturePolicy, OnFailure
from watchkeeper.training.settings import Threshold, TrainingSettings

OVERRIDABLE = (
    "data",
    "training",
    "monitors",
    "alerts",
    "inhibit",
    "receivers",
    "notifications",
    "knowledge_base",
    "telemetry",
    "retrain",
    "slas",
    "retain",
    "targets",
)
OF_ONE_MONITOR = {
    "agg_method": "explainability",
    "multivariate": "data-quality",
    "bootstrap": "model-quality",
    "segments": "model-quality",
    "segment_rows": "model-quality",
    "explained_rows": "explainability",
    "kernel_shap": "explainability",
    "facet": "bias",
    "label_values_or_threshold": "bias",
    "group_variable": "bias",
}
OF_INTERVALS = ("model_quality_bound", "model_quality_rmse_baseline_ratio_low")
PREDICTION = "prediction"  # the column that the model's answers are


Named = tuple[str, Collection[str], str, tuple[str | int, ...]]  # a name, those there are, of what, and where
MonitorName = Annotated[str, AfterValidator(OneOf(tuple(MONITORS), "monitor"))]


class Kept(StrEnum):
    """Kinds of records that `retain` says how long to keep."""

    CAPTURES = "captures"
    EXECUTIONS = "executions"
    HISTORY = "history"
    AUDIT = "audit"


FOREVER = "forever"


def _kept(value: object) -> object:
    return Duration.parse(value) if isinstance(value, str) and value != FOREVER else value


Keeping = Annotated[Duration | Literal["forever"], BeforeValidator(_kept), PlainSerializer(str)]


class Sensitivity(StrEnum):
    """What becomes of a sensitive column's values: not captured, not shown, or shown under other names."""

    DROP = "drop"
    MASK = "mask"
    HASH = "hash"


def _each_masked(value: object) -> object:
    return dict.fromkeys(value, Sensitivity.MASK.value) if isinstance(value, list) else value


class DataSection(Section):
    """Where rows come from and what their columns are for, in their order on the wire."""

    source: str
    files: list[str] = []  # of the source `files`, beside the project file
    time: str
    label: str
    unit: str = ""  # of the label, as people write it
    columns: dict[str, Role]
    sensitive: Annotated[dict[str, Sensitivity], BeforeValidator(_each_masked)] = {}

    @field_validator("files")
    @classmethod
    def _of_files_alone(cls, files: list[str], info: ValidationInfo) -> list[str]:
        if files and info.data.get("source") != "files":
            raise said("files: want the source files with it")
        return files

    @model_validator(mode="after")
    def _named_columns_exist(self) -> DataSection:
        for key, name, role in (("time", self.time, Role.TIME), ("label", self.label, Role.LABEL)):
            if name not in self.columns:
                raise said(f"{key}: {unknown(name, self.columns, 'column')}", key)
            held = [column for column, of_column in self.columns.items() if of_column is role]
            if held != [name]:
                got, wrong = " and ".join(held) or "no column", [each for each in held if each != name]
                message = f'want the role {role} on column "{name}" alone, got it on {got}'
                raise said(message, "columns", *wrong[:1] or [name])
        for name, role in self.columns.items():
            if PREDICTION in (name, role):
                message = f"want no {PREDICTION} here: the model's answers are added under that name"
                raise said(message, "columns", name)
        return self

    def treated(self, how: Sensitivity) -> frozenset[str]:
        """The sensitive columns that are treated so."""
        return frozenset(name for name, each in self.sensitive.items() if each is how)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Columns that a request carries."""
        return tuple(name for name in self.columns if name != self.label)


class SplitSection(Section):
    window: Length = Duration(months=36)
    validation: Length = Duration(months=3)
    test: Length = Duration(months=3)


class SearchSection(Section):
    trials: int = Field(default=25, ge=1)
    seed: int = Field(default=0, ge=0)


class GateSection(Section):
    months: int = Field(default=3, ge=1)


class FeatureSection(Section):
    """One model input: `kind` says how it is made (see docs/reference/project-file.md)."""

    name: str
    kind: Literal["number", "years", "band", "month", "mean_target"]
    columns: list[str] = Field(min_length=1)
    per: str | None = None
    smoothing: float = Field(default=0.0, ge=0)
    fallback: str | None = None


class LevelSection(Section):
    """How the level of the label by month is found, to be taken out before anything is fitted."""

    time: str
    within: list[str] = Field(min_length=1)
    damping: float = Field(default=0.0, ge=0, lt=1)


class TrainingSection(Section):
    split: SplitSection = SplitSection()
    search: SearchSection = SearchSection()
    accept: dict[str, str] = {}
    gate: GateSection = GateSection()
    features: list[FeatureSection] = Field(min_length=1)
    segments: list[str] = []
    level: LevelSection | None = None

    @model_validator(mode="after")
    def _can_be_trained(self) -> TrainingSection:
        self.training_settings()
        return self

    def training_settings(self) -> TrainingSettings:
        """What a training run is told. Raises ValueError for values that no run can be made of."""
        return TrainingSettings(
            window=self.split.window,
            validation=self.split.validation,
            test=self.split.test,
            trials=self.search.trials,
            seed=self.search.seed,
            accept=tuple(Threshold.parse(metric, text) for metric, text in self.accept.items()),
            features=tuple(FeatureSpec(**feature.model_dump()) for feature in self.features),
            segments=tuple(self.segments),
            level=LevelSpec(**self.level.model_dump()) if self.level else None,
        )


class CaptureSection(Section):
    """What is captured, and what becomes of a request whose record cannot be written."""

    sampling: int = Field(default=100, ge=0, le=100)
    capture_options: list[CaptureMode] = Field(default=list(CaptureMode), min_length=1)
    csv_content_types: list[str] = Field(default=list(CSV_TYPES), max_length=10)
    json_content_types: list[str] = Field(default=list(JSON_TYPES), max_length=10)
    fsync: bool = False
    on_failure: OnFailure = OnFailure.REFUSE
    mask: list[str] = []

    @property
    def one_sided(self) -> bool:
        """Whether only questions, or only answers, are captured."""
        return frozenset(self.capture_options) != frozenset(CaptureMode)

    def policy(self) -> CapturePolicy:
        """As a server is told."""
        return CapturePolicy(
            sampling=self.sampling,
            options=frozenset(self.capture_options),
            csv_content_types=tuple(map(str.lower, self.csv_content_types)),
            json_content_types=tuple(map(str.lower, self.json_content_types)),
            fsync=self.fsync,
            on_failure=self.on_failure,
            mask=frozenset(self.mask),
        )


class LabelsSection(Section):
    delay: Length = Duration()
    coverage: float = Field(default=0.9, gt=0, le=1)


class FacetSection(Section):
    """A sensitive column and its group, in the words of `analysis_config.json`."""

    name_or_index: str
    value_or_threshold: list[str | int | float] = []


class KernelShapSection(Section):
    """How an endpoint is asked for attributions, where the model itself is not at hand."""

    endpoint: str = Field(pattern=r"^https?://")
    num_samples: int | None = Field(default=None, ge=2)
    baseline_rows: int = Field(default=5, ge=1)
    max_rows: int = Field(default=100_000, ge=1)


class MonitorSection(Section):
    schedule: Schedule
    start_delay: Length = Duration()
    min_rows: int = Field(default=500, ge=1)
    tolerance: float = Field(default=1.0, ge=1)  # times the baseline's error; 1.0 is the contract
    labels: LabelsSection = LabelsSection()
    multivariate: list[Literal["pca", "classifier"]] = []
    bootstrap: int = Field(default=0, ge=0)  # resamples
    segments: dict[str, str] = {}
    segment_rows: int = Field(default=30, ge=2)
    agg_method: Literal["mean_abs", "mean_sq", "median"] = "mean_abs"
    explained_rows: int = Field(default=1_000, ge=30)  # fewer cannot be held against chance
    kernel_shap: KernelShapSection | None = None
    facet: list[FacetSection] = []
    label_values_or_threshold: list[str | int | float] = []
    group_variable: str | None = None

    @field_validator("bootstrap")
    @classmethod
    def _none_or_enough(cls, count: int) -> int:
        if 0 < count < 100:
            raise said(f"bootstrap: want 0 or at least 100 resamples, got {count}")
        return count

    def window(self, scheduled_at: datetime) -> Window:
        """The period before a time of the schedule, moved back by the label delay (contract 2.4 and 8.6)."""
        delay = self.labels.delay
        return Window(delay.before(self.schedule.previous(scheduled_at)), delay.before(scheduled_at))

    def columns_named(self) -> Iterator[tuple[str, *tuple[str | int, ...]]]:
        """Each column that the section names, and where in it."""
        for place, facet in enumerate(self.facet):
            yield facet.name_or_index, "facet", place
        if self.group_variable is not None:
            yield self.group_variable, "group_variable"


class CanarySection(Section):
    """When a canary is withdrawn by itself."""

    errors: float = Field(default=0.05, ge=0, lt=1)
    latency: float = Field(default=2.0, gt=1)
    requests: int = Field(default=100, ge=1, le=10_000)

    def limits(self) -> CanaryLimits:
        """As a candidate carries them."""
        return CanaryLimits(self.errors, self.latency, self.requests)


class EnvironmentSection(Section):
    """One environment; every other key is a section of the project laid over the project's own."""

    also: ClassVar[tuple[str, ...]] = OVERRIDABLE

    approval: ApprovalNeed = ApprovalNeed.NONE
    self_approval: bool = False
    capture: CaptureSection = CaptureSection()
    canary: CanarySection = CanarySection()


class ProjectFile(Section):
    """The whole file as it applies to one environment, or to none."""

    version: Literal[1]
    project: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    problem: Literal["regression"]
    classification: str = ""
    data: DataSection
    training: TrainingSection
    environments: dict[str, EnvironmentSection] = Field(min_length=1)
    monitors: dict[MonitorName, MonitorSection] = {}
    alerts: list[AlertSection] = []
    inhibit: list[InhibitSection] = []
    receivers: dict[str, list[ReceiverSection]] = {}
    notifications: NotificationsSection = NotificationsSection()
    telemetry: TelemetrySection = TelemetrySection()
    knowledge_base: list[ShelfSection] = []
    retrain: RetrainSection = RetrainSection()
    slas: list[SlaSection] = []
    retain: dict[Kept, Keeping] = {}
    targets: TargetsSection = TargetsSection(local=LocalSection())

    def capture_policy(self, environment: str) -> CapturePolicy:
        """How an environment captures: without the values of columns that are dropped."""
        policy = self.environments[environment].capture.policy()
        return replace(policy, mask=policy.mask | self.data.treated(Sensitivity.DROP))

    @model_validator(mode="after")
    def _monitors_are_told_what_they_need(self) -> ProjectFile:
        for monitor, section in self.monitors.items():
            for key in sorted(section.model_fields_set & OF_ONE_MONITOR.keys()):
                if OF_ONE_MONITOR[key] != monitor:
                    raise said(f"{key} is a key of {OF_ONE_MONITOR[key]} alone", "monitors", monitor, key)
            if monitor == "bias":
                for key in ("facet", "label_values_or_threshold"):
                    if not getattr(section, key):
                        raise said(f"bias: want {key} with at least one entry", "monitors", monitor)
        return self

    @model_validator(mode="after")
    def _accounts_are_of_environments(self) -> ProjectFile:
        if CENTRAL in self.environments:
            raise said(
                f"want another name: {CENTRAL} is what environments share on AWS", "environments", CENTRAL
            )
        for name in self.targets.aws.accounts if self.targets.aws else ():
            if name not in (CENTRAL, *self.environments):
                where = ("targets", "aws", "accounts", name)
                raise said(unknown(name, (CENTRAL, *self.environments), "account"), *where)
        return self

    @model_validator(mode="after")
    def _ends_of_intervals_are_there(self) -> ProjectFile:
        """A rule about an interval's end would be silent for ever where no interval is made."""
        quality = self.monitors.get("model-quality")
        for place, alert in enumerate(self.alerts):
            if alert.metric in OF_INTERVALS and quality is not None and not quality.bootstrap:
                wanted = "want monitors.model-quality.bootstrap with it, of at least 100"
                raise said(f"alert {alert.name}: {wanted}", "alerts", place, "metric")
        return self

    @model_validator(mode="after")
    def _names_exist(self) -> ProjectFile:
        """What one section calls by name, another must have: an alert must not reach nobody by a typo."""
        rules = [alert.name for alert in self.alerts] + [sla.rule_name for sla in self.slas]
        for place, sla in enumerate(self.slas):
            if rules.count(sla.rule_name) > 1:
                raise said(f"sla {sla.name}: want a name of its own, got it twice", "slas", place, "name")
        for name, known, noun, at in self._named():
            if name not in known:
                raise said(unknown(name, known, noun), *at)
        return self

    def _rule_names(self) -> list[str]:
        return [alert.name for alert in self.alerts] + [sla.rule_name for sla in self.slas if sla.is_rule]

    def _named(self) -> Iterator[Named]:
        """Each name, those there are, what they are names of, and where it stands."""
        for place, feature in enumerate(self.training.features):
            for name in filter(None, (*feature.columns, feature.per)):
                yield name, self.data.inputs, "input column", ("training", "features", place)
        for name in self.training.segments:
            yield name, self.data.inputs, "input column", ("training", "segments")
        yield from self._named_by_rules()
        yield from self._named_by_monitors()
        for name in self.retrain.approval:
            yield name, self.environments, "environment", ("retrain", "approval", name)
        for place, sla in enumerate(self.slas):
            if sla.column is not None:
                yield sla.column, (*self.data.columns, PREDICTION), "column", ("slas", place, "column")
        yield from self._named_as_hidden()

    def _named_as_hidden(self) -> Iterator[Named]:
        for environment, section in self.environments.items():
            for place, name in enumerate(section.capture.mask):
                yield (
                    name,
                    self.data.inputs,
                    "column",
                    ("environments", environment, "capture", "mask", place),
                )
        for place, (name, how) in enumerate(self.data.sensitive.items()):
            dropped = how is Sensitivity.DROP
            known = self.data.inputs if dropped else (*self.data.columns, PREDICTION)
            yield name, known, "input column" if dropped else "column", ("data", "sensitive", name, place)

    def _named_by_rules(self) -> Iterator[Named]:
        """Receivers and rules, named by rules and by what becomes of alerts."""
        for place, alert in enumerate(self.alerts):
            for name in alert.notify:
                yield name, self.receivers, "receiver", ("alerts", place, "notify")
        for place, section in enumerate(self.inhibit):
            for key in ("source", "target"):
                if ALERT_NAME in (wanted := getattr(section, key)):
                    yield wanted[ALERT_NAME], self._rule_names(), "rule", ("inhibit", place, key)
        for name in self.notifications.escalate_to:
            yield name, self.receivers, "receiver", ("notifications", "escalate_to")

    def _named_by_monitors(self) -> Iterator[Named]:
        for monitor, section in self.monitors.items():
            for name, *at in section.columns_named():
                yield name, self.data.inputs, "input column", ("monitors", monitor, *at)
