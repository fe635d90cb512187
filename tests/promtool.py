"""Prometheus' own tool, asked about rules: `promtool test rules` and `promtool check`."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from watchkeeper.core.rules import Rule
from watchkeeper.render.prometheus_rules import rules_yaml

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not on PATH (Debian: apt-get install prometheus)"
)


def series(name: str, labels: Mapping[str, str], values: Sequence[float | None]) -> dict[str, str]:
    """A promtool input series with a value a minute; None is a series that is gone (a staleness marker)."""
    braces = ",".join(f'{label}="{value}"' for label, value in labels.items())
    written = " ".join("stale" if value is None else repr(value) for value in values)
    return {"series": f"{name}{{{braces}}}", "values": written}


def rules_tested(
    folder: Path, asked: Sequence[Rule], tests: Sequence[dict[str, Any]], *, summary_alone: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run promtool's tests on the rules, evaluated once a minute."""
    written = yaml.safe_load(rules_yaml({"watchkeeper": asked}))
    for rule in written["groups"][0]["rules"] if summary_alone else ():
        rule["annotations"] = {"summary": rule["annotations"]["summary"]}
    (folder / "rules.yaml").write_text(yaml.safe_dump(written, allow_unicode=True), encoding="utf-8")
    suite = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": list(tests)}
    (folder / "test.yaml").write_text(yaml.safe_dump(suite), encoding="utf-8")
    return run("promtool", "test", "rules", str(folder / "test.yaml"))


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself, with what it wrote."""
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
