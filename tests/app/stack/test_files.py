"""What the servers' own tools say of the configuration that is written for them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.app.loop import write_project
from watchkeeper.app.setup.init import template_folder
from watchkeeper.app.setup.project import Project, load_project
from watchkeeper.app.stack.files import ToolCheck, check_stack, stack_files, write_stack
from watchkeeper.core.errors import InputError
from watchkeeper.render.compose import compose_yaml
from watchkeeper.render.stack import StackSettings

pytestmark = pytest.mark.skipif(
    shutil.which("promtool") is None or shutil.which("amtool") is None,
    reason="promtool or amtool is not on PATH (make test-deps)",
)

SETTINGS = StackSettings("/run/token")
FILE = "mlops: [{kind: file, path: notifications/mlops}]"


def project(folder: Path, *changes: tuple[str, str]) -> Project:
    return load_project(write_project(folder, *changes))


def told(folder: Path, of: Project, settings: StackSettings = SETTINGS) -> tuple[ToolCheck, ...]:
    write_stack(folder, stack_files(of, of.environments, settings))
    return check_stack(of, of.environments, folder)


def wrong(found: tuple[ToolCheck, ...]) -> list[str]:
    return [f"{each.what}: {each.said}" for each in found if not each.fine]


def test_the_worked_example_s_files_and_routes_are_fine(tmp_path: Path) -> None:
    example = load_project(template_folder("resale-price"))
    found = told(tmp_path, example)
    assert wrong(found) == []
    rules = sum(len(example.rules(name)) for name in example.environments)
    assert len(found) == 4 + rules  # the files, and a route for each rule
    assert f"{rules} rules found" in found[1].said


def test_a_rehearsal_s_durations_are_fine_too(tmp_path: Path) -> None:
    assert wrong(told(tmp_path, project(tmp_path), StackSettings("/t", interval=250, factor=600_000))) == []


def test_a_webhook_is_told_by_alertmanager_and_its_token_read_from_its_file(tmp_path: Path) -> None:
    way = "mlops: [{kind: webhook, url: 'http://127.0.0.1:9/hook', token: '${file:/run/hook.token}'}]"
    of = project(tmp_path, (FILE, way))
    assert wrong(told(tmp_path, of)) == []
    config = yaml.safe_load((tmp_path / "alertmanager.yml").read_text())
    (ours,) = [each for each in config["receivers"] if each["name"] == "prod-mlops"]
    (webhook,) = ours["webhook_configs"]
    assert webhook["url"] == "http://127.0.0.1:9/hook"
    assert webhook["http_config"]["authorization"]["credentials_file"] == "/run/hook.token"


def test_a_token_that_alertmanager_cannot_follow_is_refused(tmp_path: Path) -> None:
    way = "mlops: [{kind: webhook, url: 'http://127.0.0.1:9/hook', token: '${env:HOOK}'}]"
    of = project(tmp_path, (FILE, way))
    with pytest.raises(InputError, match=r"receiver mlops/0-webhook for Alertmanager: want its token as"):
        stack_files(of, of.environments, SETTINGS)


def test_an_absence_rule_says_of_which_endpoint_it_is(tmp_path: Path) -> None:
    of = project(tmp_path, ("above: 0.01\n    for: 5m", "absent: true\n    for: 5m"))
    assert wrong(told(tmp_path, of)) == []
    groups = yaml.safe_load((tmp_path / "rules.yml").read_text())["groups"]
    absent = groups[2]["rules"][1]
    assert absent["expr"].startswith("absent(watchkeeper_endpoint_errors_5xx_ratio{endpoint=")
    assert absent["labels"]["endpoint"] == "demo-prod"


def test_a_route_that_leads_elsewhere_is_found(tmp_path: Path) -> None:
    of = project(tmp_path)
    told(tmp_path, of)
    config = yaml.safe_load((tmp_path / "alertmanager.yml").read_text())
    config["route"]["routes"][3]["matchers"] = ['environment="production"']
    (tmp_path / "alertmanager.yml").write_text(yaml.safe_dump(config))
    found = check_stack(of, of.environments, tmp_path)
    assert {each.what for each in found if not each.fine} == {
        "route of ModelQualityDegraded in prod",
        "route of EndpointErrors in prod",
    }


def test_a_rule_that_is_none_is_found(tmp_path: Path) -> None:
    of = project(tmp_path)
    told(tmp_path, of)
    rules = tmp_path / "rules.yml"
    rules.write_text(rules.read_text().replace(" > 1.5", " >> 1.5", 1))
    assert not check_stack(of, (), tmp_path)[1].fine


def test_a_tool_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = told(tmp_path, project(tmp_path))
    assert {(each.ran, each.fine) for each in found} == {(False, False)}
    assert found[0].said == "promtool is not in the PATH"


def test_compose_mounts_what_the_servers_read_where_they_look_for_it() -> None:
    settings = StackSettings(token_file="/work/run/alerts.token")
    text = compose_yaml(settings, "/work/stack", dashboards=True)
    services = yaml.safe_load(text)["services"]
    assert services.keys() == {"prometheus", "alertmanager", "grafana"}
    assert services["prometheus"]["command"][0] == "--config.file=/work/stack/prometheus.yml"
    assert "/work/run/alerts.token:/work/run/alerts.token:ro" in services["alertmanager"]["volumes"]
    for each in services.values():
        assert "/work/stack:/work/stack:ro" in each["volumes"]
        assert not each["image"].endswith(":latest")
        assert ":" in each["image"]
    assert services["grafana"]["environment"]["GF_SECURITY_ADMIN_PASSWORD"].startswith("${")
    without = yaml.safe_load(compose_yaml(settings, "/work/stack", dashboards=False))
    assert without["services"].keys() == {"prometheus", "alertmanager"}


def test_where_no_program_is_and_an_engine_is_compose_runs_it(tmp_path: Path) -> None:
    """The engine here is a script that says what it was asked, as there is none to be had."""
    write_project(tmp_path / "work")
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "docker").write_text('#!/bin/sh\necho "$@"\n')
    (tools / "docker").chmod(0o755)
    command = [sys.executable, "-m", "watchkeeper", "stack", "up", "--workspace", str(tmp_path / "work")]
    done = subprocess.run(
        command, env={**os.environ, "PATH": str(tools)}, capture_output=True, text=True, check=False
    )
    file = tmp_path / "work" / "stack" / "docker-compose.yml"
    assert (done.returncode, done.stdout) == (0, f"compose --file {file} up\n")
    assert file.is_file()
