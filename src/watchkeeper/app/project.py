"""The project file, read once into frozen values: `watchkeeper.yaml`."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from watchkeeper.app.yaml_source import Located, Path_, locate, overlay, read_yaml
from watchkeeper.core.decisions import ApprovalNeed, RetrainPolicy
from watchkeeper.core.errors import InputError
from watchkeeper.core.metrics import METRICS
from watchkeeper.core.rules import METRIC_PREFIX, Action, Comparison, Rule, Severity
from watchkeeper.core.values import Role
from watchkeeper.core.windows import Cron, Duration
from watchkeeper.model.features import FeatureSpec
from watchkeeper.training.settings import Threshold, TrainingSettings

FILE = "watchkeeper.yaml"
_OVERRIDABLE = ("data", "training", "monitors", "alerts", "receivers", "retrain", "slas", "retain", "targets")
_OURS = frozenset({"unknown_key", "column", "condition", "metric"})


def _parsed(kind: Any) -> BeforeValidator:
    return BeforeValidator(lambda value: kind.parse(value) if isinstance(value, str) else value)


Length = Annotated[Duration, _parsed(Duration)]
Schedule = Annotated[Cron, _parsed(Cron)]


class Section(BaseModel):
    """A part of the file: an unknown key is an error that names the nearest valid one."""

    model_config = ConfigDict(frozen=True, strict=True, arbitrary_types_allowed=True)
    also: ClassVar[tuple[str, ...]] = ()  # keys that belong here and are read elsewhere

    @model_validator(mode="before")
    @classmethod
    def _known_keys_only(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            known = [field.alias or name for name, field in cls.model_fields.items()]
            for key in data:
                if key not in known:
                    message = _unknown(key, [*known, *cls.also])
                    raise PydanticCustomError("unknown_key", "{message}", {"message": message, "key": key})
        return data


class DataSection(Section):
    """Where rows come from and what their columns are for, in their order on the wire."""

    source: str
    time: str
    label: str
    unit: str = ""  # of the label, as people write it
    columns: dict[str, Role]

    @model_validator(mode="after")
    def _named_columns_exist(self) -> DataSection:
        for key, name in (("time", self.time), ("label", self.label)):
            if name not in self.columns:
                raise PydanticCustomError(
                    "column",
                    "{message}",
                    {"message": f"{key}: {_unknown(name, self.columns, 'column')}", "key": key},
                )
        return self


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


class TrainingSection(Section):
    split: SplitSection = SplitSection()
    search: SearchSection = SearchSection()
    accept: dict[str, str] = {}
    gate: GateSection = GateSection()
    features: list[FeatureSection] = Field(min_length=1)
    segments: list[str] = []

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
        )


class CaptureSection(Section):
    sampling: int = Field(default=100, ge=0, le=100)


class LabelsSection(Section):
    delay: Length = Duration()
    coverage: float = Field(default=0.9, gt=0, le=1)


class MonitorSection(Section):
    schedule: Schedule
    min_rows: int = Field(default=500, ge=1)
    tolerance: float = Field(default=1.0, ge=1)  # times the baseline's error; 1.0 is the contract
    labels: LabelsSection = LabelsSection()
    segments: list[str] = []


class AlertSection(Section):
    model_config = ConfigDict(populate_by_name=False)

    name: str = Field(pattern=r"^[A-Z][A-Za-z0-9]*$")
    metric: str
    above: float | None = None
    below: float | None = None
    absent: bool = False
    lasting: Length = Field(default=Duration(), alias="for")
    severity: Severity
    action: Action
    notify: list[str] = []

    @model_validator(mode="after")
    def _one_condition(self) -> AlertSection:
        conditions = [self.above is not None, self.below is not None, self.absent]
        if sum(conditions) != 1:
            message = f"alert {self.name}: want one of above, below and absent, got {sum(conditions)}"
            raise PydanticCustomError("condition", "{message}", {"message": message, "key": "name"})
        known = [metric.name.removeprefix(METRIC_PREFIX) for metric in METRICS]
        if self.metric not in known:
            message = _unknown(self.metric, known, "metric")
            raise PydanticCustomError("metric", "{message}", {"message": message, "key": "metric"})
        return self


class RetrainSection(Section):
    approval: dict[str, ApprovalNeed] = {}
    cooldown: Length = Duration(seconds=7 * 86400)
    at_most: str = Field(default="2 per 30 days", pattern=r"^\d+ per .+$")


class SlaSection(Section):
    name: str
    metric: str
    at_most: float
    owner: str
    reference: str = ""


class EnvironmentSection(Section):
    """One environment; every other key is a section of the project laid over the project's own."""

    also: ClassVar[tuple[str, ...]] = _OVERRIDABLE

    approval: ApprovalNeed = ApprovalNeed.NONE
    self_approval: bool = False
    capture: CaptureSection = CaptureSection()


class ReceiverSection(Section):
    kind: Literal["file"]
    path: str = "notifications"


class ProjectFile(Section):
    """The whole file as it applies to one environment, or to none."""

    version: Literal[1]
    project: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    problem: Literal["regression"]
    data: DataSection
    training: TrainingSection
    environments: dict[str, EnvironmentSection] = Field(min_length=1)
    monitors: dict[Literal["data-quality", "model-quality"], MonitorSection] = {}
    alerts: list[AlertSection] = []
    receivers: dict[str, list[ReceiverSection]] = {}
    retrain: RetrainSection = RetrainSection()
    slas: list[SlaSection] = []
    retain: dict[Literal["captures", "executions", "history", "audit"], str] = {}
    targets: dict[Literal["local", "aws"], dict[str, Any]] = {"local": {}}


@dataclass(frozen=True, slots=True)
class Project:
    """The parsed file: its settings, and the same settings as each environment overrides them."""

    path: Path
    settings: ProjectFile
    by_environment: Mapping[str, ProjectFile]

    @property
    def name(self) -> str:
        return self.settings.project

    @property
    def environments(self) -> tuple[str, ...]:
        """In the order of promotion."""
        return tuple(self.by_environment)

    def environment(self, name: str) -> ProjectFile:
        """The settings as they apply there. Raises InputError when there is no such environment."""
        if name not in self.by_environment:
            raise InputError(f"project {self.name}: {_unknown(name, self.by_environment, 'environment')}")
        return self.by_environment[name]

    def before(self, name: str) -> str | None:
        """The environment a version has to serve in before it may come to this one."""
        self.environment(name)
        place = self.environments.index(name)
        return self.environments[place - 1] if place else None

    def endpoint(self, environment: str) -> str:
        """The endpoint's name: project and environment."""
        self.environment(environment)
        return f"{self.name}-{environment}"

    def rules(self, environment: str) -> tuple[Rule, ...]:
        """The alert rules of an environment, each held to that environment's series."""
        return tuple(_rule(self, environment, alert) for alert in self.environment(environment).alerts)

    def retrain_policy(self, environment: str) -> RetrainPolicy:
        """When an alert of that environment may lead to a retrain."""
        section = self.environment(environment).retrain
        count, _, within = section.at_most.partition(" per ")
        need = section.approval.get(environment, ApprovalNeed.REQUIRED)
        return RetrainPolicy(need, section.cooldown, int(count), Duration.parse(within))


def load_project(path: Path) -> Project:
    """Read `watchkeeper.yaml`, or the one in the folder `path`.

    Raises InputError listing every fault as `file:line: key: what was wanted`, nearest valid key
    included.
    """
    file = path / FILE if path.is_dir() else path
    top = read_yaml(file)
    whole = _validated(_without_overrides(top), file)
    by_environment = {
        name: _validated(_for_environment(top, name), file).model_copy(
            update={"environments": whole.environments}
        )
        for name in whole.environments
    }
    return Project(file, whole, by_environment)


def _environment_nodes(top: yaml.MappingNode) -> list[tuple[yaml.Node, yaml.Node]]:
    for key, value in top.value:
        if key.value == "environments" and isinstance(value, yaml.MappingNode):
            return list(value.value)
    return []


def _own(node: yaml.Node) -> yaml.Node:
    """An environment's node with its own keys alone, or with an unknown key that no section has."""
    if not isinstance(node, yaml.MappingNode):
        return node
    own = [(key, value) for key, value in node.value if key.value not in _OVERRIDABLE]
    return yaml.MappingNode(node.tag, own, node.start_mark, node.end_mark)


def _without_overrides(top: yaml.MappingNode) -> yaml.MappingNode:
    def stripped(key: yaml.Node, value: yaml.Node) -> yaml.Node:
        if key.value != "environments" or not isinstance(value, yaml.MappingNode):
            return value
        pairs = [(name, _own(node)) for name, node in value.value]
        return yaml.MappingNode(value.tag, pairs, value.start_mark, value.end_mark)

    pairs = [(key, stripped(key, value)) for key, value in top.value]
    return yaml.MappingNode(top.tag, pairs, top.start_mark, top.end_mark)


def _for_environment(top: yaml.MappingNode, name: str) -> yaml.MappingNode:
    node = next(value for key, value in _environment_nodes(top) if key.value == name)
    if not isinstance(node, yaml.MappingNode):
        return _without_overrides(top)
    overridden = [pair for pair in node.value if pair[0].value in _OVERRIDABLE]
    over = yaml.MappingNode(node.tag, overridden, node.start_mark, node.end_mark)
    return overlay(_without_overrides(top), over)


def _validated(node: yaml.MappingNode, file: Path) -> ProjectFile:
    located = locate(node, file)
    try:
        return ProjectFile.model_validate_json(json.dumps(located.data))
    except ValidationError as error:
        faults = sorted({_fault(located, fault, file) for fault in error.errors()})
        raise InputError("\n".join(text for _, text in faults)) from None


def _fault(located: Located, fault: ErrorDetails, file: Path) -> tuple[int, str]:
    context = fault.get("ctx", {})
    at = _in_file(located, (*fault["loc"], *([context["key"]] if "key" in context else [])))
    name = ".".join(str(part) for part in at)
    if fault["type"] in _OURS:
        message = fault["msg"]
    elif fault["type"] == "missing":
        message = f'want a key "{fault["loc"][-1]}" here, got none'
    elif fault["type"] == "value_error":
        message = str(context["error"])
    else:
        message = (
            f"{fault['msg'][0].lower()}{fault['msg'][1:]}, got {json.dumps(fault['input'], default=str)}"
        )
    line = located.line(at)
    return line, f"{file}:{line}: {name}: {message}"


def _in_file(located: Located, path: Path_) -> Path_:
    """The path without the parts that only the validator knows, such as `[key]` and union branches."""
    found: Path_ = ()
    for part in path:
        if (*found, part) in located.lines:
            found = (*found, part)
    return found


def _unknown(name: object, known: Iterable[str], noun: str = "key") -> str:
    choices = list(known)
    near = difflib.get_close_matches(str(name), choices, n=1, cutoff=0.5)
    hint = f'did you mean "{near[0]}"?' if near else f"want one of {', '.join(choices)}"
    return f'unknown {noun} "{name}"; {hint}'


def _rule(project: Project, environment: str, alert: AlertSection) -> Rule:
    comparison = (
        Comparison.ABOVE if alert.above is not None else Comparison.BELOW if alert.below is not None else None
    )
    threshold = alert.above if alert.above is not None else alert.below
    return Rule(
        name=alert.name,
        metric=METRIC_PREFIX + alert.metric,
        comparison=comparison,
        threshold=threshold if threshold is not None else 0.0,
        lasting=alert.lasting,
        severity=alert.severity,
        action=alert.action,
        notify=tuple(alert.notify),
        matchers=(("environment", environment), ("project", project.name)),
    )
