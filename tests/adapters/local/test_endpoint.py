"""The local endpoint host when there is no server, or one that does not come up."""

import os
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from watchkeeper.adapters.local.endpoint import LocalEndpointHost, running_server, started_server
from watchkeeper.core.encoding import encode
from watchkeeper.core.errors import PlatformError
from watchkeeper.core.ports import EndpointHost
from watchkeeper.core.values import Actor, Deployment, RunningServer

DEPLOYED = Deployment(
    1, "prod", "prices", 1, "d" * 64, None, datetime(2020, 1, 1, tzinfo=UTC), Actor("ana", "os-user")
)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_without_a_server_every_question_says_how_to_start_one(tmp_path: Path) -> None:
    host: EndpointHost = LocalEndpointHost(tmp_path / "server.json")
    for asking in (host.flush, lambda: host.deploy(DEPLOYED)):
        with pytest.raises(PlatformError, match="no server runs here") as caught:
            asking()
        assert caught.value.retryable


def test_a_run_file_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "server.json").write_text('{"pid": 1}')
    with pytest.raises(PlatformError, match="read RunningServer") as caught:
        running_server(tmp_path / "server.json")
    assert not caught.value.retryable


def test_a_server_that_is_gone_is_said(tmp_path: Path) -> None:
    run_file = tmp_path / "server.json"
    run_file.write_bytes(encode(RunningServer(4711, free_port(), "t")))
    with pytest.raises(
        PlatformError, match="deploy model version 1 to endpoint prices: the server of process 4711"
    ):
        LocalEndpointHost(run_file).deploy(DEPLOYED)


def test_a_server_that_fails_to_start_shows_the_end_of_its_stderr(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", "import sys; sys.exit('no such project')"]
    with (
        pytest.raises(PlatformError, match=r"it ended with 1; the end of .*\nno such project"),
        started_server(argv, tmp_path / "run" / "server.json"),
    ):
        pytest.fail("it did not start")


def test_a_server_that_never_answers_is_ended(tmp_path: Path) -> None:
    """Its run file is an older process's, which must not be taken for its own."""
    run_file, pid_file = tmp_path / "server.json", tmp_path / "pid"
    run_file.write_bytes(encode(RunningServer(1, free_port(), "t")))
    write = f"pathlib.Path({str(pid_file)!r}).write_text(str(os.getpid()))"
    code = f"import os, pathlib, signal; {write}; signal.pause()"
    with (
        pytest.raises(PlatformError, match="it does not answer; it wrote nothing"),
        started_server([sys.executable, "-c", code], run_file, patience=0.5),
    ):
        pytest.fail("it did not start")
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)
