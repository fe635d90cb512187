"""Groups whose commands are imported when they are called, so that a light command loads nothing heavy."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import click

from watchkeeper.core.errors import InputError

EXTRAS = {"boto3": "aws", "botocore": "aws"}  # optional libraries that commands stand on


def load_named(place: str) -> object:
    """What `module:name` names, imported now.

    Nearly all that an import makes stays. Looking through it for garbage, during the import and ever again
    after it, would take a tenth of a short command's time.
    """
    module, _, name = place.partition(":")
    gc.disable()
    try:
        found: object = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        raise _absent(error) from error
    finally:
        gc.enable()
        gc.freeze()
    return found


def _absent(error: ModuleNotFoundError) -> Exception:
    """The error, or which extra brings a library that is optional."""
    extra = EXTRAS.get((error.name or "").partition(".")[0])
    if extra is None:
        return error
    return InputError(f"load this command: want {error.name} (pip install 'watchkeeper[{extra}]')")


@dataclass(frozen=True, slots=True)
class Named:
    """A command by name: `module:function`, and what the list of commands says of it."""

    place: str
    summary: str

    def load(self) -> click.Command:
        """Import it."""
        return cast(click.Command, load_named(self.place))


class ByName(click.Group):
    """A click group over a table of names; its help imports nothing."""

    def __init__(self, name: str, summary: str, table: Mapping[str, Named]) -> None:
        super().__init__(name, help=summary, context_settings={"help_option_names": ["-h", "--help"]})
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - likewise
        return self.table[cmd_name].load() if cmd_name in self.table else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - likewise
        with formatter.section("Commands"):
            formatter.write_dl([(name, named.summary) for name, named in self.table.items()])
