"""The files of a stack, written from the project file, and what the servers' own tools say of them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.app.alerts.delivering import outlets
from watchkeeper.app.setup.project import Project
from watchkeeper.core.errors import InputError
from watchkeeper.core.rules import Rule
from watchkeeper.render.cloudwatch_alarms import AlarmTemplate, Watched, alarm_template
from watchkeeper.render.prometheus_rules import rule_labels, rules_yaml
from watchkeeper.render.recorded import RECORDED, recorded_yaml
from watchkeeper.render.stack import (
    ALERTMANAGER,
    DOOR,
    NOBODY,
    PROMETHEUS,
    RULES,
    EnvironmentAlerts,
    StackSettings,
    alertmanager_yaml,
    prometheus_yaml,
    receiver_name,
)

_PATIENCE = 60  # seconds a tool may take


@dataclass(frozen=True, slots=True)
class ToolCheck:
    """What one tool says of one file; `ran` is False where the tool is not on this machine."""

    what: str
    ran: bool
    fine: bool
    said: str


def stack_files(project: Project, environments: Sequence[str], settings: StackSettings) -> Mapping[str, str]:
    """The files by name. Raises InputError for what the servers cannot say."""
    alerts = [alerts_of(project, name) for name in environments]
    groups = {f"{each.project}-{each.environment}": each.rules for each in alerts}
    try:
        return {
            PROMETHEUS: prometheus_yaml(settings),
            RULES: rules_yaml(groups, factor=settings.factor),
            RECORDED: recorded_yaml(),
            ALERTMANAGER: alertmanager_yaml(alerts, settings),
        }
    except ValueError as error:
        raise InputError(str(error)) from None


def alarms_of(project: Project, environments: Sequence[str], namespace: str) -> AlarmTemplate:
    """The rules of these environments as CloudWatch alarms. Raises InputError for one that there is not."""
    return alarm_template([watched_of(project, name) for name in environments], namespace)


def watched_of(project: Project, environment: str) -> Watched:
    """An environment's rules with its endpoint."""
    return Watched(project.name, environment, project.endpoint(environment), project.rules(environment))


def write_stack(folder: Path, files: Mapping[str, str]) -> None:
    """Put each file in the folder, under a temporary name first."""
    store = FolderStore(folder)
    for name, text in files.items():
        store.write(name, text.encode())


def check_stack(project: Project, environments: Sequence[str], folder: Path) -> tuple[ToolCheck, ...]:
    """What promtool and amtool say of the files in the folder, and of where each rule's alerts go."""
    config = str(folder / ALERTMANAGER)
    found = [
        _asked(PROMETHEUS, "promtool", "check", "config", "--lint-fatal", str(folder / PROMETHEUS)),
        _asked(RULES, "promtool", "check", "rules", "--lint-fatal", str(folder / RULES)),
        _asked(RECORDED, "promtool", "check", "rules", "--lint-fatal", str(folder / RECORDED)),
        _asked(ALERTMANAGER, "amtool", "check-config", config),
    ]
    for environment in environments:
        found += [
            _asked(
                f"route of {rule.name} in {environment}",
                *("amtool", "config", "routes", "test", "--config.file", config),
                f"--verify.receivers={','.join(wanted)}",
                *labels,
            )
            for rule, wanted, labels in _routes(project, environment)
        ]
    return tuple(found)


def _routes(project: Project, environment: str) -> Iterator[tuple[Rule, list[str], list[str]]]:
    """Each rule with the receivers that are to hear of it, in the order of the routes, and with labels."""
    for rule in project.rules(environment):
        known = [name for name in project.environment(environment).receivers if name in rule.notify]
        told = [receiver_name(environment, name) for name in known] or [NOBODY]
        labels = {
            "alertname": rule.name,
            "project": project.name,
            "environment": environment,
            "endpoint": project.endpoint(environment),
            **rule_labels(rule),
        }
        yield rule, [DOOR, *told], [f"{name}={value}" for name, value in labels.items()]


def alerts_of(project: Project, environment: str) -> EnvironmentAlerts:
    """An environment's rules with who is told of them."""
    return EnvironmentAlerts(
        environment=environment,
        project=project.name,
        rules=project.rules(environment),
        outlets=outlets(project, environment),
        timing=project.timing(environment),
        inhibitions=project.inhibitions(environment),
    )


def _asked(what: str, tool: str, *arguments: str) -> ToolCheck:
    if shutil.which(tool) is None:
        return ToolCheck(what, ran=False, fine=False, said=f"{tool} is not in the PATH")
    done = subprocess.run([tool, *arguments], capture_output=True, text=True, timeout=_PATIENCE, check=False)
    return ToolCheck(what, ran=True, fine=done.returncode == 0, said=(done.stdout + done.stderr).strip())
