"""The Spark engine on a real session of this machine, in the environment that `make test-deps` makes."""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
from typing import Any

import pytest

from tests.engines.profiling import folded, items, profiled
from tests.engines.spark_python import PYTHON
from tests.shared import CHECKOUT
from watchkeeper.core.errors import PlatformError
from watchkeeper.engines import local, spark

MODULE = [str(PYTHON), "-m", "tests.engines.spark_program"]


def start(**more: str) -> "subprocess.CompletedProcess[str]":
    if not PYTHON.exists():
        pytest.skip(f"no {PYTHON}: make test-deps installs PySpark there (see WATCHKEEPER_SPARK_PYTHON)")
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), **more}
    return subprocess.run(MODULE, env=environment, cwd=CHECKOUT, capture_output=True, text=True, timeout=600)


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        pytest.skip("no Java: make test-deps installs one where apt is")
    run = start()
    assert run.returncode == 0, run.stderr
    assert run.stderr == "", "Spark's noise is not silenced"
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def test_the_profile_is_the_local_engines_to_the_byte(answers: dict[str, Any]) -> None:
    here = folded(list(local.run(profiled, items(20_000), 1)))
    assert answers["profile"] == hashlib.sha256(here).hexdigest()


def test_results_are_in_item_order_for_any_number_of_items(answers: dict[str, Any]) -> None:
    assert answers["counts"] == [True] * 4


def test_the_first_error_in_item_order_comes_out_as_it_was(answers: dict[str, Any]) -> None:
    assert answers["before the error"] == [[0, 1, 2], "read part 3: want a row, got none"]


def test_an_error_keeps_all_that_it_carries(answers: dict[str, Any]) -> None:
    message = "create baselines/v1: it exists already, and objects like it are written once"
    assert answers["exists"] == ["ExistsError", message, "baselines/v1", False]


def test_any_other_error_is_one_of_the_platform_and_says_what_it_was(answers: dict[str, Any]) -> None:
    assert answers["other"] == [True, "run 2 parts on Spark: KeyError: 'no such thing'"]


def test_without_java_the_message_says_so() -> None:
    run = start(JAVA_HOME="/nowhere")
    assert run.returncode == 1
    assert "start Spark: want Java 17 or newer, found no program /nowhere/bin/java" in run.stderr


def test_without_pyspark_the_message_says_what_to_install() -> None:
    if importlib.util.find_spec("pyspark") and importlib.util.find_spec("pyarrow"):
        pytest.skip("PySpark is installed in this environment")
    with pytest.raises(
        PlatformError, match=r"want the package \w+, .* \(pip install 'watchkeeper\[spark\]'\)"
    ):
        next(spark.run(str, [1]))


def test_fewer_workers_than_one_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 worker, got 0"):
        spark.run(str, [1], 0)
