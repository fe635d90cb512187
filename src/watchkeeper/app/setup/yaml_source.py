"""YAML with the place of every key, so that an error can name its line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from watchkeeper.core.errors import InputError

Path_ = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Located:
    """Plain data and, for every path into it, the line of its key in the file."""

    data: Mapping[str, Any]
    lines: Mapping[Path_, int]

    def line(self, path: Path_) -> int:
        """The line of the longest part of `path` that the file has."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_text(path: Path) -> str:
    """The file's text. Raises InputError when it cannot be read as UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"read project file {path}: {reason}") from error


def parse_yaml(text: str, path: Path) -> yaml.MappingNode:
    """The text's top mapping. Raises InputError for anything that is not YAML with a mapping on top."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(f"{path}:{line}: not YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise InputError(f"{path}:1: not YAML: {error}") from error
    if not isinstance(node, yaml.MappingNode):
        got = "nothing" if node is None else "a list or text"
        raise InputError(f"{path}:1: a project file wants keys and values, got {got}")
    return node


def overlay(under: yaml.MappingNode, over: yaml.MappingNode) -> yaml.MappingNode:
    """`under` with the keys of `over` laid on it, mappings merged, everything else replaced; places kept."""
    merged = {key.value: (key, value) for key, value in under.value}
    for key, value in over.value:
        held = merged.get(key.value)
        both = held and isinstance(held[1], yaml.MappingNode) and isinstance(value, yaml.MappingNode)
        merged[key.value] = (key, overlay(held[1], value) if held and both else value)
    return yaml.MappingNode(under.tag, list(merged.values()), under.start_mark, under.end_mark)


def locate(node: yaml.MappingNode, path: Path) -> Located:
    """Plain data of a node. Raises InputError for a key that stands twice or is not text."""
    lines: dict[Path_, int] = {}
    data = _plain(node, (), lines, path)
    return Located(data, lines)


def _plain(node: yaml.Node, at: Path_, lines: dict[Path_, int], path: Path) -> Any:
    lines.setdefault(at, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*at, index), lines, path) for index, item in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key, value in node.value:
            if key.value in found:
                raise InputError(f'{path}:{key.start_mark.line + 1}: key "{key.value}" stands twice')
            lines[(*at, key.value)] = key.start_mark.line + 1
            found[key.value] = _plain(value, (*at, key.value), lines, path)
        return found
    value = yaml.SafeLoader("").construct_object(node)
    return value if isinstance(value, bool | int | float | str | None) else node.value
