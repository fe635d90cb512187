"""Light commands load nothing heavy, and every command is known to be light or not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tests.cli.workspaces import after_a_bad_month
from watchkeeper.cli import COMMANDS
from watchkeeper.cli.by_name import ByName

HEAVY_MODULES = ("mlflow", "xgboost", "pandas", "polars", "duckdb", "pyarrow", "boto3", "optuna", "rich")
HEAVY = {
    "aws migrate",
    "aws plan",  # whatever asks AWS loads boto3
    "aws deploy",
    "aws status",
    "aws validate",
    "aws destroy",
    "aws images",
    "aws pipeline",
    "aws job",
    "rehearse",
    "batch",
    "data show",
    "data fetch",
    "doctor",
    "train",
    "serve",
    "up",
    "monitor watch",
    "alerts ack",  # it can be said once
    "stack permissions",  # there is no Grafana to ask
    "stack up",  # it does not end by itself
    "stack check",  # it ends with whatever tools are here
    "labels import",
    "labels merge",
    "labels status",
    "monitor run",
    "monitor backfill",
    "monitor push",
    "analyze",
    "explain",
    "baseline suggest",
    "baseline diff",
    "baseline approve",
    "baseline reject",
    "models approve",
    "models reject",
    "models promote",
    "models rollback",
    "models withdraw",
    "models register",
    "capture import",
    "capture check",
    "backup",
    "gc",
    "incidents hold",
    "incidents release",
    "restore",
    "capture erase",
    "traffic replay",
    "retrain approve",
    "retrain reject",
}
LIGHT = {  # what is typed after each light command; it ends with the code
    "init": (("made",), 0),
    "config check": ((), 0),
    "config show": ((), 0),
    "models list": ((), 0),
    "models show": (("1",), 0),
    "schema list": ((), 0),
    "schema show": (("1",), 0),
    "schema diff": (("1", "1"), 0),
    "baseline list": ((), 0),
    "baseline show": (("data-quality", "1"), 0),
    "index rebuild": ((), 0),
    "index check": ((), 0),
    "monitor trend": (("model_quality_rmse",), 0),
    "incidents search": (("nothing-like-it",), 0),
    "incidents mirror": ((), 0),
    "stack render": ((), 0),
    "stack alarms": ((), 0),
    "alerts test": (("mlops",), 0),
    "alerts mute": (
        ("alertname=EndpointErrors", "--for", "dev", "--until", "2h", "--why", "a test", "--yes"),
        0,
    ),
    "alerts mutes": ((), 0),
    "alerts unmute": (("", "--for", "uat", "--why", "a test"), 2),  # none is there
    "incidents list": ((), 0),
    "incidents show": (("",), 0),  # any id begins so, and there is one
    "incidents close": (("", "--label", "real"), 1),  # it goes on
    "monitor list": ((), 1),
    "monitor show": (("demo-prod-model-quality",), 1),
    "alerts list": ((), 0),
    "retrain list": ((), 0),
    "audit verify": ((), 0),
    "audit list": ((), 0),
}
GROUPS = [name for name, named in COMMANDS.items() if isinstance(named.load(), click.Group)]
HELP = [("--help",), ("--version",), *((name, "--help") for name in GROUPS)]
TYPED = {
    **{" ".join(argv): (argv, 0) for argv in HELP},
    **{name: ((*name.split(), *rest), code) for name, (rest, code) in LIGHT.items()},
    **{
        f"{name} --json": ((*name.split(), *rest, "--json"), code)
        for name, (rest, code) in LIGHT.items()
        if name != "init"
    },
}

# Runs one command after the other, and writes down how each ended and what it was the first to import.
PROGRAM = """
import json, sys
from pathlib import Path
from watchkeeper.cli import main

heavy, typed, out = json.loads(sys.argv[1]), json.loads(sys.argv[2]), Path(sys.argv[3])
found, before = {}, set()
for name, argv in typed.items():
    sys.argv = ["watchkeeper", *argv]
    try:
        main()
    except SystemExit as ended:
        loaded = {module for module in heavy if module in sys.modules}
        found[name] = [ended.code or 0, sorted(loaded - before)]
        before |= loaded
out.write_text(json.dumps(found))
"""


def leaves() -> set[str]:
    """Every command, with its group's name before it."""
    found = set()
    for name, named in COMMANDS.items():
        command = named.load()
        if isinstance(command, ByName):
            found |= {f"{name} {each}" for each in command.table}
        elif isinstance(command, click.Group):
            found |= {f"{name} {each}" for each in command.commands}
        else:
            found.add(name)
    return found


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, list[str]]]:
    """How each command ended, and the heavy modules that it imported."""
    folder = tmp_path_factory.mktemp("light")
    after_a_bad_month(folder / "workspace")
    result, typed = folder / "result.json", {name: argv for name, (argv, _) in TYPED.items()}
    command = [sys.executable, "-c", PROGRAM, json.dumps(HEAVY_MODULES), json.dumps(typed), str(result)]
    environment = {**os.environ, "WATCHKEEPER_WORKSPACE": str(folder / "workspace")}
    subprocess.run(command, check=True, cwd=folder, env=environment, capture_output=True)
    found: dict[str, tuple[int, list[str]]] = json.loads(result.read_text())
    return found


def test_every_command_is_known_to_be_light_or_heavy() -> None:
    assert leaves() == LIGHT.keys() | HEAVY


@pytest.mark.parametrize("name", TYPED)
def test_a_light_command_loads_nothing_heavy(ended: dict[str, tuple[int, list[str]]], name: str) -> None:
    code, loaded = ended[name]
    assert (code, loaded) == (TYPED[name][1], [])


def test_the_watch_would_see_one(tmp_path: Path) -> None:
    """`data show` needs polars: loading it is seen, though the folder holds no project."""
    result = tmp_path / "result.json"
    typed = {"data show": ["data", "show", "--workspace", str(tmp_path)]}
    command = [sys.executable, "-c", PROGRAM, json.dumps(HEAVY_MODULES), json.dumps(typed), str(result)]
    subprocess.run(command, check=True, cwd=tmp_path, capture_output=True)
    code, loaded = json.loads(result.read_text())["data show"]
    assert (code, "polars" in loaded) == (2, True)
