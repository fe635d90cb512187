"""Where each setting comes from: a line of the project file, an environment's part of it, or a default."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from watchkeeper.app.setup.project import Project, environment_node, merged_node
from watchkeeper.app.setup.yaml_source import Located, Path_, locate, parse_yaml

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Setting:
    """One value that is used; `path` is its keys and places, `origin` such as `watchkeeper.yaml:12`."""

    path: Path_
    value: Any
    origin: str

    @property
    def name(self) -> str:
        """`alerts.0.severity`."""
        return ".".join(map(str, self.path))


def settings_of(project: Project, environment: str | None) -> tuple[Setting, ...]:
    """Every setting as it is used in an environment, or in none, in the order of the file's description.

    References to secrets are shown as references: they are followed where they are used and nowhere else.
    """
    settings = project.environment(environment) if environment else project.settings
    top = parse_yaml(project.text, project.path)
    located = locate(merged_node(top, environment), project.path)
    own = environment_node(top, environment) if environment else None
    plain = settings.model_dump(mode="json", by_alias=True)
    return tuple(_leaves(plain, (), located, project, own))


def _leaves(
    value: Any, at: Path_, located: Located, project: Project, own: yaml.Node | None
) -> Iterator[Setting]:
    inner: list[tuple[str | int, Any]] = []
    if isinstance(value, Mapping):
        inner = list(value.items())
    elif isinstance(value, list) and any(isinstance(each, Mapping) for each in value):
        inner = list(enumerate(value))
    if inner:
        for key, each in inner:
            yield from _leaves(each, (*at, key), located, project, own)
    else:
        yield Setting(at, value, _origin(at, located, project, own))


def _origin(at: Path_, located: Located, project: Project, own: yaml.Node | None) -> str:
    if at not in located.lines:
        return DEFAULT
    line = located.lines[at]
    place = f"{project.path.name}:{line}"
    inside = own is not None and own.start_mark.line < line <= own.end_mark.line + 1
    return f"{place}, of this environment" if inside and at[0] != "environments" else place


def settings_text(found: tuple[Setting, ...]) -> str:
    """The settings as YAML, each with its origin as a comment."""
    lines: list[str] = []
    before: Path_ = ()
    for setting in found:
        shared = next(
            (n for n, pair in enumerate(zip(before, setting.path, strict=False)) if pair[0] != pair[1]), 0
        )
        lines += _heads(setting.path, shared)
        lines.append(f"{_lead(setting.path)}{_flow(setting.value)}  # {setting.origin}")
        before = setting.path
    return "\n".join(_joined(lines))


def _heads(path: Path_, shared: int) -> Iterator[str]:
    """The lines of the keys above a value that the value before it is not below of."""
    for depth in range(shared, len(path) - 1):
        yield _lead(path[: depth + 1]).rstrip()


def _lead(path: Path_) -> str:
    """Indentation and key; a place in a list is a dash, which the next line's key goes on after."""
    *_, last = path
    indent = "  " * (len(path) - 1)
    return f"{indent}- " if isinstance(last, int) else f"{indent}{_flow(last)}: "


def _joined(lines: list[str]) -> Iterator[str]:
    """A dash and the key below it on one line."""
    dash = ""
    for line in lines:
        if line.strip() == "-":
            dash = line
        elif dash:
            yield f"{dash} {line.lstrip()}"
            dash = ""
        else:
            yield line


def _flow(value: Any) -> str:
    text: str = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000)
    return text.strip().removesuffix("...").strip()
