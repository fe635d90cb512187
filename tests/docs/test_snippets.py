"""Commands in the documentation are ones that exist, with options they take; Python in it compiles."""

import shlex
from pathlib import Path

import click
import pytest

from docs.reference.generate import commands
from tests.docs.markdown import PAGES, ROOT, blocks, name_of

COMMANDS = {tuple(path.split()): command for path, command in commands()}


def calls(page: Path) -> list[list[str]]:
    """The words of every call of `watchkeeper` after a prompt, a comment at its end left out."""
    text = "\n".join(blocks(page, "console")).replace("\\\n", " ")
    lines = [line[2:].removeprefix(".venv/bin/") for line in text.splitlines() if line.startswith("$ ")]
    return [shlex.split(line, comments=True) for line in lines if line.startswith("watchkeeper ")]


def check(words: list[str]) -> None:
    """Parse a call as click would, and run nothing."""
    known = [path for path in COMMANDS if tuple(words[: len(path)]) == path]
    assert known, f"no such command: {' '.join(words)}"
    path = known[0]
    COMMANDS[path].make_context(" ".join(path), words[len(path) :])


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_that_is_shown_exists(page: Path) -> None:
    for words in calls(page):
        check(words)


@pytest.mark.parametrize("call", ["watchkeeper fly", "watchkeeper models promote 1 --from dev"])
def test_a_command_that_does_not_exist_is_found(call: str) -> None:
    with pytest.raises((AssertionError, click.UsageError)):
        check(call.split())


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_python_that_is_shown_compiles(page: Path) -> None:
    for text in blocks(page, "python"):
        compile(text, name_of(page), "exec")


CHANGES = blocks(ROOT / "CONTRIBUTING.md", "diff")


@pytest.mark.parametrize("change", CHANGES, ids=[text.splitlines()[0] for text in CHANGES])
def test_a_change_that_is_shown_has_its_place_and_compiles_there(change: str) -> None:
    head, *lines = change.splitlines()
    file = ROOT / head.removeprefix("+++ ")
    before = "\n".join(line[1:] for line in lines if not line.startswith("+"))
    after = "\n".join(line[1:] for line in lines)
    text = file.read_text(encoding="utf-8")
    assert text.count(f"\n{before}\n") == 1, f"{head}: want this place once: {before}"
    compile(text.replace(f"\n{before}\n", f"\n{after}\n"), file.name, "exec")
