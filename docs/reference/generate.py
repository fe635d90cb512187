"""Writes the generated pages of this folder: `make docs`. `tests/docs` fails when one is stale.

The project file's keys come from the sections that parse it, their meaning from `keys.toml`;
metrics from `core.metrics.METRICS`; commands from the tables that click runs.
"""

from __future__ import annotations

import json
import tomllib
import types
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import click
from pydantic import AfterValidator
from pydantic.fields import FieldInfo

from watchkeeper.app.setup.section import OneOf, Section
from watchkeeper.app.setup.sections import OVERRIDABLE, ProjectFile
from watchkeeper.cli import COMMANDS
from watchkeeper.core.cron import Cron
from watchkeeper.core.metrics import METRIC_PREFIX, METRICS
from watchkeeper.core.problems import PROBLEMS
from watchkeeper.core.windows import Duration

HERE = Path(__file__).parent
_SCALARS = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "`true` or `false`",
    Duration: "duration",
    Cron: "schedule",
}
_BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below", "min_length": "entries at least"}


def pages() -> dict[str, str]:
    """Every generated page by its file name."""
    return {
        "project-file.md": project_file_page(),
        "metrics.md": metrics_page(),
        "model-quality-metrics.md": quality_page(),
        "commands.md": commands_page(),
    }


def meanings() -> dict[str, dict[str, str]]:
    """What each key is for, by section and key."""
    return tomllib.loads((HERE / "keys.toml").read_text(encoding="utf-8"))


# The project file


def project_file_page() -> str:
    """Every key of `watchkeeper.yaml`."""
    words = meanings()
    parts = [_head("The project file", words["page"]["intro"])]
    for path, section in sections():
        title = f"`{path}`" if path else "Top level"
        parts.append(f"## {title}\n\n{_table(('key', 'takes', 'default', 'meaning'), _keys(section, words))}")
    overridable = ", ".join(f"`{name}`" for name in OVERRIDABLE)
    parts.append(f"## Overriding\n\n{words['page']['overriding'].format(overridable=overridable)}")
    return "\n\n".join(parts) + "\n"


def sections(section: type[Section] = ProjectFile, path: str = "") -> Iterator[tuple[str, type[Section]]]:
    """Each section with its path in the file, in the file's order."""
    yield path, section
    for name, field in section.model_fields.items():
        inner, step = _section_in(field.annotation)
        if inner is not None:
            key = field.alias or name
            yield from sections(inner, f"{path}.{key}{step}" if path else f"{key}{step}")


def _section_in(kind: Any) -> tuple[type[Section] | None, str]:
    """The section a key holds, and how its path goes on."""
    if isinstance(kind, type) and not get_args(kind) and issubclass(kind, Section):
        return kind, ""
    args = get_args(kind)
    if get_origin(kind) in (Union, types.UnionType):
        return next((found for arg in args if (found := _section_in(arg))[0]), (None, ""))
    if get_origin(kind) is dict:
        inner, step = _section_in(args[1])
        return inner, f".NAME{step}"
    if get_origin(kind) is list:
        inner, step = _section_in(args[0])
        return inner, f"[]{step}"
    return None, ""


def _keys(section: type[Section], words: Mapping[str, Mapping[str, str]]) -> list[tuple[str, ...]]:
    said = words[section.__name__]
    return [
        (f"`{field.alias or name}`", _takes(field), _default(field), said[field.alias or name])
        for name, field in section.model_fields.items()
    ]


def _takes(field: FieldInfo) -> str:
    bounds = [
        f"{word} {getattr(rule, name):g}"
        for rule in field.metadata
        for name, word in _BOUNDS.items()
        if getattr(rule, name, None) is not None
    ]
    return ", ".join([_kind(field.annotation), *bounds])


def _kind(kind: Any) -> str:
    origin, args = get_origin(kind), get_args(kind)
    if origin is Annotated and (choices := _named(args[1:])):
        return ", ".join(f"`{name}`" for name in choices)
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in args)
    if origin in (Union, types.UnionType):
        return " or ".join(_kind(arg) for arg in args if arg is not types.NoneType)
    if origin is list:
        return f"list of {_kind(args[0])}"
    if origin is dict:
        names = "" if args[0] is str else f" ({_kind(args[0])})"
        return f"by name{names}: {_kind(args[1])}"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(f"`{member.value}`" for member in kind)
    if isinstance(kind, type) and issubclass(kind, Section):
        return "keys below"
    return _SCALARS.get(kind, "anything")


def _named(metadata: Sequence[object]) -> tuple[str, ...]:
    """The names that a text may be one of."""
    functions = (each.func for each in metadata if isinstance(each, AfterValidator))
    return next((each.names for each in functions if isinstance(each, OneOf)), ())


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=False)
    if field.is_required():
        return "**required**"
    if value is None or value == "" or isinstance(value, Section):
        return "–"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, Duration):
        return f"`{value}`" if value.months or value.seconds else "`0`"
    if isinstance(value, dict | list):
        return f"`{json.dumps(value)}`" if value else "none"
    return f"`{value}`"


# Metrics


def metrics_page() -> str:
    """Every metric that is declared."""
    rows = [(f"`{metric.name}`", metric.type.value, metric.unit or "–", metric.help) for metric in METRICS]
    return (
        "\n\n".join(
            [
                _head("Metrics", meanings()["page"]["metrics"].format(prefix=METRIC_PREFIX)),
                _table(("metric", "type", "unit", "meaning"), rows),
            ]
        )
        + "\n"
    )


def quality_page() -> str:
    """Every figure of model quality, by problem type."""
    parts = [_head("Figures of model quality", meanings()["page"]["quality"])]
    for problem in PROBLEMS.values():
        rows = [(f"`{each.name}`", each.help, each.better or "–") for each in problem.metrics]
        parts += [f"## {problem.type}", _table(("figure", "what it is", "better"), rows)]
    return "\n\n".join(parts) + "\n"


# Commands


def commands_page() -> str:
    """Every command with its options."""
    parts = [_head("Commands", meanings()["page"]["commands"])]
    parts += [_command(path, command) for path, command in commands()]
    return "\n\n".join(parts) + "\n"


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, with the words that call it, in the order of the help."""
    for name, named in COMMANDS.items():
        yield from _below(f"watchkeeper {name}", named.load())


def _below(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        if found is not None:
            yield from _below(f"{path} {name}", found)


def _command(path: str, command: click.Command) -> str:
    context = click.Context(command, info_name=path)
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    help_text = "\n\n".join(" ".join(part.split()) for part in (command.help or "").split("\n\n"))
    options = [param for param in command.params if isinstance(param, click.Option)]
    records = [record for option in options if (record := option.get_help_record(context))]
    rows = [(f"`{names}`", " ".join(text.split()) or "–") for names, text in records]
    table = f"\n\n{_table(('option', 'meaning'), rows)}" if rows else ""
    return f"## `{path}`\n\n```text\n{usage}\n```\n\n{help_text}{table}"


# Markdown


def _head(title: str, text: str) -> str:
    mark = "<!-- Generated by docs/reference/generate.py; `make docs` writes it anew. -->"
    return f"{mark}\n\n# {title}\n\n{text.strip()}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    cells = [head, ["---"] * len(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def main() -> None:
    """Write every page that is not as it should be."""
    for name, text in pages().items():
        path = HERE / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
