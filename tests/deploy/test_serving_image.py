"""The serving image: its form, its packages, and its entry point in a folder laid out as SageMaker does."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import mlflow
import mlflow.pyfunc
import pandas as pd  # type: ignore[import-untyped]
import pytest
from packaging.requirements import Requirement

from tests.app.loop import new_loop, train_in
from tests.shared import CHECKOUT
from watchkeeper.adapters.local.mlflow_model import load_mlflow
from watchkeeper.app.endpoints.model_server import load_folder
from watchkeeper.core.errors import InputError

FOLDER = CHECKOUT / "deploy" / "containers" / "serving"
TEXT = (FOLDER / "Dockerfile").read_text(encoding="utf-8")


def test_it_is_started_as_sagemaker_starts_it() -> None:
    assert re.findall(r"^(?:ENTRYPOINT|CMD) (.*)$", TEXT, re.MULTILINE) == ['["watchkeeper"]', '["serve"]']
    copied = re.findall(r"^COPY (?!--from)(.*)$", TEXT, re.MULTILINE)
    sources = [source for words in copied for source in words.split()[:-1]]
    assert len(sources) > 5
    assert [source for source in sources if not (CHECKOUT / source).exists()] == []
    assert re.search(r"index-url|https?://", TEXT) is None


def needed(name: str, found: set[str]) -> None:
    """The distributions that one needs here, itself included."""
    key = name.lower().replace("_", "-")
    if key in found:
        return
    found.add(key)
    for text in importlib.metadata.distribution(name).requires or ():
        wanted = Requirement(text)
        if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
            needed(wanted.name, found)


def test_its_packages_are_those_that_the_project_needs() -> None:
    found: set[str] = set()
    needed("watchkeeper", found)
    names = (FOLDER / "packages.txt").read_text(encoding="utf-8").split()
    if sys.platform == "linux":
        assert sorted(found - {"watchkeeper"}) == names
    lock = (CHECKOUT / "requirements.lock").read_text(encoding="utf-8")
    assert [name for name in names if not re.search(rf"^{re.escape(name)}==", lock, re.MULTILINE)] == []


class PerMetre(mlflow.pyfunc.PythonModel):  # type: ignore[misc,name-defined]
    """Any MLflow model will do: area times a price by town."""

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> Any:  # noqa: ARG002 - MLflow's
        return model_input["area"] * model_input["town"].map({"A": 10.0, "B": 20.0}).fillna(0.0)


def saved(folder: Path, *, signature: bool = True) -> Path:
    example = pd.DataFrame({"town": ["A"], "area": [2.5]})
    how = {"signature": mlflow.models.infer_signature(example, [25.0])} if signature else {}
    mlflow.pyfunc.save_model(str(folder), python_model=PerMetre(), **how)
    return folder


@contextlib.contextmanager
def container(model: Path, **more: str) -> Iterator[tuple[httpx.Client, subprocess.Popen[bytes]]]:
    """`serve` and nothing else, as in the image; what SageMaker would mount is named by its variables."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "SM_MODEL_DIR": str(model),
        "SAGEMAKER_BIND_TO_PORT": str(port),
        "SAGEMAKER_REGION": "ap-southeast-1",
        "SAGEMAKER_SAFE_PORT_RANGE": "8081-8100",
        "WATCHKEEPER_HOST": "127.0.0.1",
        **more,
    }
    command = [sys.executable, "-m", "watchkeeper", "serve"]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and process.poll() is None:
                with contextlib.suppress(httpx.TransportError):
                    if client.get("/ping").status_code == 200:
                        break
                time.sleep(0.05)
            yield client, process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def test_an_mlflow_model_is_served_by_the_container_contract(tmp_path: Path) -> None:
    """The archive unpacks into a folder of its own below /opt/ml/model."""
    saved(tmp_path / "opt" / "ml" / "model" / "price")
    with container(tmp_path / "opt" / "ml" / "model", WATCHKEEPER_MODEL_VERSION="7") as (client, process):
        answer = client.post("/invocations", content="A,2.5\nB,1\n,3", headers={"content-type": "text/csv"})
        assert (answer.status_code, answer.text) == (200, "25.0\n20.0\n0.0")
        assert answer.headers["x-watchkeeper-model-version"] == "7"
        body = {"instances": [{"town": "B", "area": 2}]}
        assert client.post("/invocations", json=body).json() == {"predictions": [40.0]}
        refused = client.post("/invocations", content="A,wide", headers={"content-type": "text/csv"})
        assert (refused.status_code, "want a number" in refused.text) == (400, True)
    assert process.returncode == 0


def test_our_own_model_is_served_and_captured_where_it_is_asked(tmp_path: Path) -> None:
    loop = new_loop(tmp_path / "ws")
    train_in(loop)
    model = tmp_path / "model"
    for key in loop.store.list("models/v1/artefact/"):
        (model / key.rpartition("/")[2]).parent.mkdir(exist_ok=True)
        (model / key.rpartition("/")[2]).write_bytes(loop.store.read(key))
    with container(model) as (client, process):
        answer = client.post("/invocations", content="2020-05,A,70", headers={"content-type": "text/csv"})
        assert answer.status_code == 200, answer.text
        assert float(answer.text) > 0
        text = client.get("/metrics").text
        assert 'watchkeeper_endpoint_requests_total{code="200",endpoint="model"' in text
    assert process.returncode == 0


def test_a_container_without_a_model_ends_and_says_so(tmp_path: Path) -> None:
    with container(tmp_path) as (_, process):
        process.wait(60)
    assert process.returncode == 2


def test_a_model_without_a_signature_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"want a signature with named columns .*got none"):
        load_mlflow(saved(tmp_path / "bare", signature=False))


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"want a folder with manifest\.json or MLmodel"):
        load_folder(tmp_path / "nowhere")


def test_the_words_of_the_entry_point_are_a_command() -> None:
    (words,) = re.findall(r"^CMD (.*)$", TEXT, re.MULTILINE)
    command = [sys.executable, "-m", "watchkeeper", *json.loads(words), "--help"]
    assert "SageMaker" in subprocess.run(command, check=True, capture_output=True, text=True).stdout
