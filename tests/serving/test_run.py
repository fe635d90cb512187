"""The server's process: how it starts, is alone, ends, and what is left when it is killed."""

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.serving.running import DEPLOYED, captured_in
from watchkeeper.adapters.local.endpoint import LocalEndpointHost, running_server, started_server
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.core.errors import PlatformError
from watchkeeper.serving.run import listening

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _at_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the process finds `tests`."""
    monkeypatch.chdir(CHECKOUT)


def argv(workspace: Path, *how: str) -> list[str]:
    return [sys.executable, "-m", "tests.serving.process", str(workspace), *how]


def run_file(workspace: Path) -> Path:
    return workspace / "run" / "server.json"


def ask(host: LocalEndpointHost, body: str = "A,2") -> httpx.Response:
    url = f"{host.url()}/endpoints/prices/invocations"
    return httpx.post(url, content=body, headers={"content-type": "text/csv"}, trust_env=False)


def test_the_whole_life_of_a_server(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    with started_server(argv(tmp_path), run_file(tmp_path)) as host:
        assert run_file(tmp_path).stat().st_mode & 0o777 == 0o600
        assert ask(host).text == "2.0"
        host.flush()
        assert captured_in(store).requests == 1
        host.deploy(replace(DEPLOYED, version=3))
        assert ask(host).text == "6.0"
        with pytest.raises(PlatformError, match="what was served before still is"):
            host.deploy(replace(DEPLOYED, version=666))
        with pytest.raises(PlatformError, match="no such endpoint"):
            host.deploy(replace(DEPLOYED, endpoint="rents"))
        with (
            pytest.raises(PlatformError, match="another server is running there"),
            started_server(argv(tmp_path), run_file(tmp_path)),
        ):
            pass
        assert ask(host).text == "6.0"
    assert not run_file(tmp_path).exists()
    assert captured_in(store).requests == 3
    assert list((tmp_path / "spool").rglob("*.jsonl")) == []


def test_a_version_that_cannot_be_loaded_leaves_a_server_that_says_so(tmp_path: Path) -> None:
    with started_server(argv(tmp_path, "broken"), run_file(tmp_path)) as host:
        response = ask(host)
        assert response.status_code == 503
        assert "model version 666: read model v666" in response.json()["Message"]
        host.deploy(DEPLOYED)
        assert ask(host).text == "2.0"


def test_an_interrupted_server_ends_in_order(tmp_path: Path) -> None:
    with started_server(argv(tmp_path), run_file(tmp_path)) as host:
        ask(host)
        pid = running_server(run_file(tmp_path)).pid
        os.kill(pid, signal.SIGINT)
    assert captured_in(FolderStore(tmp_path)).requests == 1


def test_a_taken_port_is_said() -> None:
    with listening("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PlatformError, match=f"listen on 127.0.0.1:{port}"), listening("127.0.0.1", port):
            pass
