"""The how-to page on the shipped payloads, run as it stands: its violations are those of `expected.json`."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.rehearsals import offline
from tests.docs.markdown import ROOT, blocks
from tests.payloads.make import FOLDER, made

PAGE = ROOT / "docs" / "how-to" / "rehearse-from-payloads.md"
EXPECTED = FOLDER / "expected.json"
_NUMBER = re.compile(r"\d+\.\d+(?:E\d+)?")


def typed() -> list[tuple[str, list[str]]]:
    """Each command of the page and what it shows of its answer."""
    found: list[tuple[str, list[str]]] = []
    for line in "\n".join(blocks(PAGE, "console")).splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line:
            found[-1][1].append(line)
    return found


def run_page(folder: Path) -> list[subprocess.CompletedProcess[str]]:
    """Type the page's commands one after the other, each where `cd` has gone."""
    at, done = folder, []
    environment = {**offline(), "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for command, _ in typed():
        if command.startswith("cd "):
            at = at / command[3:]
            continue
        words = shlex.split(command)
        done.append(
            subprocess.run(words, cwd=at, capture_output=True, text=True, check=False, env=environment)
        )
    return done


def found_in(workspace: Path) -> dict[str, dict[str, Any]]:
    """The violations of each monitor and month, in the contract's words."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(workspace.glob("executions/*/*/*/*/*/execution.json")):
        execution = json.loads(path.read_text())
        file = path.with_name("constraint_violations.json")
        violations = json.loads(file.read_text())["violations"] if file.exists() else []
        found.setdefault(execution["monitor"], {})[execution["window"]["start"][:7]] = violations
    return found


def rounded(value: Any) -> Any:
    """The same with its numbers, also in texts, to nine digits: processors differ in the last ones."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, str):
        return _NUMBER.sub(lambda match: f"{float(match[0]):.9g}", value)
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    return [rounded(each) for each in value] if isinstance(value, list) else value


def test_the_page_finds_what_is_expected(tmp_path: Path) -> None:
    done = run_page(tmp_path)
    assert [each.returncode for each in done] == [0] * (len(done) - 2) + [1, 1], [
        each.stderr for each in done
    ]
    shown = [said for command, said in typed() if not command.startswith("cd ")]
    for each, said in zip(done, shown, strict=True):
        assert all(line in each.stdout for line in said), each.stdout
    found = found_in(tmp_path / "prices")
    expected = json.loads(EXPECTED.read_text())
    assert rounded(found) == rounded(expected)
    assert expected["data-quality"]["2020-01"] == expected["model-quality"]["2020-01"] == []
    assert len(expected["data-quality"]["2020-02"]) >= 4


@pytest.mark.parametrize("name", sorted(made()))
def test_the_payloads_are_what_their_maker_makes(name: str) -> None:
    assert (FOLDER / name).read_bytes() == made()[name], "run python -m tests.payloads.make"
