"""The analyzer's Dockerfile: its form, the files it copies, the packages it installs. No engine is needed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.shared import CHECKOUT

FOLDER = CHECKOUT / "deploy" / "containers" / "analyzer"
TEXT = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
STEPS = [
    step.split(maxsplit=1)
    for step in re.sub(r"\\\n", " ", TEXT).splitlines()
    if step.strip() and not step.startswith("#")
]

# Runs the entry point and then says which distributions it has loaded.
PROGRAM = """
import importlib.metadata, json, sys
from watchkeeper.cli import main
sys.argv = ["watchkeeper", "analyze", "--root", sys.argv[1]]
try:
    main()
except SystemExit as ended:
    code = ended.code
known = importlib.metadata.packages_distributions()
tops = {name.partition(".")[0] for name in sys.modules}
print(json.dumps([code, sorted({each for top in tops for each in known.get(top, [])})]))
"""


def arguments(instruction: str) -> list[str]:
    return [step[1] for step in STEPS if step[0] == instruction]


def test_the_entry_point_is_in_exec_form_and_comes_once() -> None:
    (entry,) = arguments("ENTRYPOINT")
    assert json.loads(entry) == ["watchkeeper", "analyze"]
    assert arguments("CMD") == []


def test_what_is_copied_is_there() -> None:
    found = [
        source
        for words in arguments("COPY")
        if not words.startswith("--from")
        for source in words.split()[:-1]
    ]
    assert len(found) > 5
    assert [source for source in found if not (CHECKOUT / source).exists()] == []


def test_packages_are_hashed_and_no_index_is_named() -> None:
    installs = [
        part for run in arguments("RUN") for part in run.split("&&") if re.search(r"\bpip install\b", part)
    ]
    assert len(installs) == 3
    assert all("--require-hashes" in part or "--no-index" in part for part in installs)
    assert re.search(r"index-url|https?://", TEXT) is None


def test_it_stands_on_the_slim_image_of_the_python_we_need() -> None:
    assert {base.split()[0] for base in arguments("FROM")} == {"python:3.11.14-slim-bookworm"}


def picked(list_: str) -> dict[str, str]:
    """What `pick.awk` takes out of the lock, by name."""
    if shutil.which("awk") is None:
        pytest.skip("no awk here")
    command = [
        "awk",
        "-f",
        str(FOLDER / "pick.awk"),
        str(FOLDER / list_),
        str(CHECKOUT / "requirements.lock"),
    ]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    entries = re.findall(r"^[a-z0-9].*?(?=^[a-z0-9]|\Z)", text, re.MULTILINE | re.DOTALL)
    return {Requirement(entry.split(" \\", 1)[0]).name: entry for entry in entries}


@pytest.mark.parametrize("list_", ["packages.txt", "build-packages.txt"])
def test_each_package_is_in_the_lock_with_its_hashes(list_: str) -> None:
    names = (FOLDER / list_).read_text(encoding="utf-8").split()
    found = picked(list_)
    assert sorted(found) == sorted(names)
    assert [name for name, entry in found.items() if "--hash=sha256:" not in entry] == []


def test_a_run_loads_no_package_that_the_image_lacks(tmp_path: Path) -> None:
    source = tmp_path / "processing" / "input"
    source.mkdir(parents=True)
    (source / "data.csv").write_text("a,b\n1,x\n2,y\n")
    variables = {"dataset_source": str(source), "dataset_format": '{"csv": {"header": true}}'}
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    output = str(tmp_path / "processing" / "output")
    ended = subprocess.run(
        command, env={**variables, "output_path": output}, check=True, capture_output=True, text=True
    )
    code, loaded = json.loads(ended.stdout.splitlines()[-1])
    names = {name.lower().replace("_", "-") for name in loaded} - {"watchkeeper"}
    allowed = {*(FOLDER / "packages.txt").read_text(encoding="utf-8").split(), "setuptools"}
    assert (code, names - allowed) == (0, set())
    assert (tmp_path / "processing" / "output" / "statistics.json").exists()
