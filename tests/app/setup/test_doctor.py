"""What the doctor finds, and says to do."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.app.loop import write_project
from watchkeeper.app.setup import doctor
from watchkeeper.app.setup.check import Check, Finding
from watchkeeper.app.setup.doctor import diagnose
from watchkeeper.core.encoding import encode
from watchkeeper.core.values import RunningServer


def found(workspace: Path, what: str, **environment: str) -> Check:
    (check,) = [each for each in diagnose(workspace, environment).checks if each.what == what]
    return check


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path / "ws")


def test_a_new_project_has_nothing_wrong(project: Path) -> None:
    diagnosis = diagnose(project, {})
    assert diagnosis.healthy
    assert {check.what for check in diagnosis.checks} > {
        "Python",
        "disk",
        "project",
        "audit log",
        "server",
        "data",
    }
    assert all(check.mend for check in diagnosis.checks if check.finding is not Finding.FINE)


def test_a_folder_without_a_project_is_told_what_makes_one(tmp_path: Path) -> None:
    check = found(tmp_path, "project")
    assert (check.finding, "watchkeeper init" in check.mend) == (Finding.MISSING, True)


def test_a_slip_in_the_project_file_is_wrong(project: Path) -> None:
    file = project / "watchkeeper.yaml"
    file.write_text(file.read_text().replace("min_rows", "min_row"))
    check = found(project, "project")
    assert (check.finding, 'did you mean "min_rows"?' in check.found) == (Finding.WRONG, True)
    assert not diagnose(project, {}).healthy


@pytest.mark.parametrize(
    ("name", "finding"), [("", Finding.MISSING), ("nowhere.csv", Finding.WRONG), ("there.csv", Finding.FINE)]
)
def test_the_data_file_is_looked_for(project: Path, name: str, finding: Finding) -> None:
    (project / "there.csv").touch()
    named = {"WATCHKEEPER_HDB_CSV": str(project / name)} if name else {}
    assert found(project, "data", **named).finding is finding


def test_a_server_that_was_killed_is_seen(project: Path) -> None:
    (project / "run").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        (project / "run" / "server.json").write_bytes(encode(RunningServer(7, port, "token")))
        assert found(project, "server") == Check("server", Finding.FINE, f"process 7 on port {port}")
    killed = found(project, "server")
    assert (killed.finding, "it was killed" in killed.found) == (Finding.WRONG, True)


def test_a_changed_audit_log_is_wrong(project: Path) -> None:
    (project / "audit").mkdir()
    (project / "audit" / "0000000001.json").write_text("{}")
    assert found(project, "audit log").finding is Finding.WRONG


def test_a_full_disk_is_wrong(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LEAST_FREE", 2**62)
    assert found(project, "disk").finding is Finding.WRONG


def test_what_receivers_ask_for_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ways = "{kind: apprise, url: '${env:CHAT_HERE}'}, {kind: webhook, url: 'http://x', token: '${file:no}'}"
    section = "telemetry: {remote_write: [{url: 'http://x/write'}]}\nreceivers:\n"
    project = write_project(
        tmp_path / "ws",
        ("{kind: file, path: notifications/mlops}", ways),
        ("receivers:\n", section),
    )
    monkeypatch.setenv("CHAT_HERE", "slack://x/y/z")
    assert found(project, "secret ${env:CHAT_HERE}").finding is Finding.FINE
    assert "slack" not in str(diagnose(project, {}))
    lacking = found(project, "secret ${file:no}")
    assert (lacking.finding, "No such file" in lacking.found) == (Finding.WRONG, True)
    assert "apprise" not in {check.what for check in diagnose(project, {}).checks}
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert found(project, "apprise").mend == "pip install 'watchkeeper[notify]'"
    assert found(project, "cramjam").mend == "pip install 'watchkeeper[push]'"
