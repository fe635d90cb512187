"""The project file, read once into frozen values: `watchkeeper.yaml`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from watchkeeper.app.setup.alert_sections import AlertSection, SlaSection
from watchkeeper.app.setup.literals import literal_credentials
from watchkeeper.app.setup.section import SAID, unknown
from watchkeeper.app.setup.sections import OVERRIDABLE, ProjectFile
from watchkeeper.app.setup.yaml_source import Located, Path_, locate, overlay, parse_yaml, read_text
from watchkeeper.core.decisions import ApprovalNeed, RetrainPolicy
from watchkeeper.core.encoding import digest
from watchkeeper.core.errors import InputError
from watchkeeper.core.incidents import Timing
from watchkeeper.core.inhibition import Inhibition
from watchkeeper.core.metrics import METRIC_PREFIX
from watchkeeper.core.rules import Action, Comparison, Rule, Severity
from watchkeeper.core.windows import Duration

FILE = "watchkeeper.yaml"


@dataclass(frozen=True, slots=True)
class Project:
    """The parsed file: its text, its settings, and the settings as each environment overrides them."""

    path: Path
    text: str
    settings: ProjectFile
    by_environment: Mapping[str, ProjectFile]

    @property
    def name(self) -> str:
        return self.settings.project

    @property
    def classification(self) -> str:
        """What stands on every page and notification; empty where the project has none."""
        return self.settings.classification

    @property
    def digest(self) -> str:
        """sha256 of the file as it was read."""
        return digest(self.text.encode())

    @property
    def environments(self) -> tuple[str, ...]:
        """In the order of promotion."""
        return tuple(self.by_environment)

    def environment(self, name: str) -> ProjectFile:
        """The settings as they apply there. Raises InputError when there is no such environment."""
        if name not in self.by_environment:
            raise InputError(f"project {self.name}: {unknown(name, self.by_environment, 'environment')}")
        return self.by_environment[name]

    def seeded(self, seed: int) -> Project:
        """The same project with another seed for its search; the text stays what was read."""
        training = self.settings.training
        search = training.search.model_copy(update={"seed": seed})
        settings = {"training": training.model_copy(update={"search": search})}
        return replace(self, settings=self.settings.model_copy(update=settings))

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
        """The alert rules of an environment, each held to that environment's series.

        A promise about its endpoint or labels is a rule too, for its owner where that is a receiver.
        """
        settings = self.environment(environment)
        promised = [_promised(settings, sla) for sla in settings.slas if sla.is_rule]
        own = [_rule(self, environment, alert) for alert in settings.alerts]
        of_promises = [
            replace(_rule(self, environment, each), runbook_url=_runbook(settings, "SlaBroken"))
            for each in promised
        ]
        return (*own, *of_promises)

    def inhibitions(self, environment: str) -> tuple[Inhibition, ...]:
        """What hides what in an environment."""
        return tuple(each.inhibition() for each in self.environment(environment).inhibit)

    def timing(self, environment: str) -> Timing:
        """How soon and how often receivers of that environment are told of an incident."""
        section = self.environment(environment).notifications
        return Timing(
            section.group_wait,
            section.group_interval,
            section.repeat_interval,
            section.escalate_after,
            tuple(section.escalate_to),
        )

    def retrain_policy(self, environment: str) -> RetrainPolicy:
        """When an alert of that environment may lead to a retrain."""
        section = self.environment(environment).retrain
        count, _, within = section.at_most.partition(" per ")
        need = section.approval.get(environment, ApprovalNeed.REQUIRED)
        return RetrainPolicy(
            need,
            section.cooldown,
            int(count),
            Duration.parse(within),
            tuple(each.freeze() for each in section.freeze),
            section.when,
            section.approval_expires,
        )


def load_project(path: Path) -> Project:
    """Read `watchkeeper.yaml`, or the one in the folder `path`.

    Raises InputError listing every fault as `file:line: key: what was wanted`, nearest valid key
    included.
    """
    file = path / FILE if path.is_dir() else path
    text = read_text(file)
    top = parse_yaml(text, file)
    whole = _validated(merged_node(top), file)
    _refuse_credentials(locate(top, file), file)
    by_environment = {
        name: _validated(merged_node(top, name), file).model_copy(update={"environments": whole.environments})
        for name in whole.environments
    }
    _check_captured(locate(top, file), by_environment, file)
    return Project(file, text, whole, by_environment)


def _check_captured(located: Located, by_environment: Mapping[str, ProjectFile], file: Path) -> None:
    """Monitors judge what was asked beside what was answered."""
    for name, settings in by_environment.items():
        if settings.monitors and settings.environments[name].capture.one_sided:
            at: Path_ = ("environments", name, "capture", "capture_options")
            wanted = (
                "want Input and Output: this project has monitors, which judge requests with their answers"
            )
            raise InputError(f"{file}:{located.line(at)}: {'.'.join(map(str, at))}: {wanted}")


def _refuse_credentials(located: Located, file: Path) -> None:
    found = [
        f"{file}:{located.line(at)}: {'.'.join(map(str, at))}: {wrong}"
        for at, wrong in literal_credentials(located.data)
    ]
    if found:
        raise InputError("\n".join(found))


def environment_node(top: yaml.MappingNode, name: str) -> yaml.Node:
    """An environment's part of the file, as it stands there."""
    return next(value for key, value in _environment_nodes(top) if key.value == name)


def merged_node(top: yaml.MappingNode, name: str | None = None) -> yaml.MappingNode:
    """The file as it applies to an environment, whose part is laid over the rest; or to none."""
    return _without_overrides(top) if name is None else _for_environment(top, name)


def _environment_nodes(top: yaml.MappingNode) -> list[tuple[yaml.Node, yaml.Node]]:
    for key, value in top.value:
        if key.value == "environments" and isinstance(value, yaml.MappingNode):
            return list(value.value)
    return []


def _own(node: yaml.Node) -> yaml.Node:
    """An environment's node with its own keys alone, or with an unknown key that no section has."""
    if not isinstance(node, yaml.MappingNode):
        return node
    own = [(key, value) for key, value in node.value if key.value not in OVERRIDABLE]
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
    node = environment_node(top, name)
    if not isinstance(node, yaml.MappingNode):
        return _without_overrides(top)
    overridden = [pair for pair in node.value if pair[0].value in OVERRIDABLE]
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
    at = _in_file(located, (*fault["loc"], *context.get("at", ())))
    name = ".".join(str(part) for part in at)
    if fault["type"] == SAID:
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


def _promised(settings: ProjectFile, sla: SlaSection) -> AlertSection:
    return AlertSection(
        name=sla.rule_name,
        metric=sla.metric,
        above=sla.at_most,
        below=sla.at_least,
        severity=Severity.CRITICAL,
        action=Action.NOTIFY,
        notify=[sla.owner] if sla.owner in settings.receivers else [],
    )


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
        matchers=_matchers(project, environment, absent=alert.absent),
        incident=alert.incident or alert.name,
        runbook_url=_runbook(project.environment(environment), alert.name),
    )


def _runbook(settings: ProjectFile, page: str) -> str:
    return f"{settings.notifications.runbooks}/{page}.md"


def _matchers(project: Project, environment: str, *, absent: bool) -> tuple[tuple[str, str], ...]:
    """Labels that a rule's series must have; where there is none, they are all that the alert has to say."""
    endpoint = (("endpoint", project.endpoint(environment)),) if absent else ()
    return (*endpoint, ("environment", environment), ("project", project.name))
