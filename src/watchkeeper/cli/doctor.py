"""`watchkeeper doctor`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from watchkeeper.app.setup.check import Check, Finding
from watchkeeper.app.setup.doctor import Diagnosis, diagnose
from watchkeeper.cli.output import answer, json_option, workspace_option

_SIGNS = {Finding.FINE: "✓", Finding.MISSING: "–", Finding.WRONG: "✗"}


@click.command()
@workspace_option
@json_option
def doctor(workspace: Path, as_json: bool) -> None:
    """Say what is missing or wrong on this machine and in this project, and how to mend it.

    Nothing is changed, and nobody is asked over the network. Exit code 1 when something is wrong.
    """
    found = diagnose(workspace, dict(os.environ))
    answer(found, as_json, lambda: _text(found))
    sys.exit(0 if found.healthy else 1)


def _text(found: Diagnosis) -> str:
    return checks_text(found.checks)


def checks_text(checks: Sequence[Check]) -> str:
    """Each check with its sign, how to mend what is not fine, and how many are wrong."""
    width = max(len(check.what) for check in checks)
    lines = []
    for check in checks:
        lines.append(f"{_SIGNS[check.finding]} {check.what:<{width}}  {check.found}")
        if check.mend:
            lines.append(f"  {'':<{width}}  → {check.mend}")
    wrong = sum(check.finding is Finding.WRONG for check in checks)
    return "\n".join([*lines, f"{wrong} wrong" if wrong else "nothing is wrong"])
