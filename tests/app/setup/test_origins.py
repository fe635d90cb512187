"""What is shown says where each setting comes from, and a credential is refused wherever it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.app.loop import PROJECT, write_project
from watchkeeper.app.setup.origins import settings_of, settings_text
from watchkeeper.app.setup.project import Project, load_project
from watchkeeper.core.errors import InputError

PROD = ("prod: {approval: required}", "prod:\n    approval: required\n    retrain:\n      cooldown: 3 days")


def project(folder: Path, *changes: tuple[str, str]) -> Project:
    return load_project(write_project(folder, *changes))


def line_of(text: str, found: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), start=1) if found in line)


def test_each_setting_names_the_line_the_environment_or_that_it_is_a_default(tmp_path: Path) -> None:
    loaded = project(tmp_path, PROD)
    origins = {each.name: (each.value, each.origin) for each in settings_of(loaded, "prod")}
    cooldown = line_of(loaded.text, "cooldown")
    assert origins["retrain.cooldown"] == ("3 days", f"watchkeeper.yaml:{cooldown}, of this environment")
    assert origins["retrain.at_most"] == ("2 per 30 days", "default")
    assert origins["alerts.1.for"] == ("5 minutes", f"watchkeeper.yaml:{line_of(loaded.text, 'for: 5m')}")
    assert (
        origins["environments.prod.approval"][1]
        == f"watchkeeper.yaml:{line_of(loaded.text, 'approval: req')}"
    )
    in_dev = {each.name: each.origin for each in settings_of(loaded, "dev")}
    assert in_dev["retrain.cooldown"] == "default"
    assert {each.name for each in settings_of(loaded, None)} >= {"project", "receivers.mlops.0.kind"}


def test_what_is_printed_is_the_settings_as_yaml(tmp_path: Path) -> None:
    loaded = project(tmp_path, PROD)
    for environment in (None, "prod"):
        settings = loaded.environment(environment) if environment else loaded.settings
        text = settings_text(settings_of(loaded, environment))
        assert yaml.safe_load(text) == settings.model_dump(mode="json", by_alias=True)
        assert all("  # " in line or line.rstrip().endswith(":") for line in text.splitlines())


def test_a_reference_stays_a_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_HERE", "https://hook.example/5ecret")
    ways = ("{kind: file, path: notifications/mlops}", "{kind: webhook, url: '${env:HOOK_HERE}'}")
    text = settings_text(settings_of(project(tmp_path, ways), "prod"))
    assert "${env:HOOK_HERE}" in text
    assert "5ecret" not in text


@pytest.mark.parametrize(
    ("added", "kind"),
    [
        ("password: hunter2", "a text that may be one"),
        ("api_key: abc", "a text that may be one"),
        ("note: AKIAIOSFODNN7EXAMPLE", "an access key of AWS"),
        ("note: ghp_0123456789abcdefghij0123456789abcdef", "a token of GitHub"),
        ("note: xoxb-1234567890-abcdefghij", "a token of Slack"),
        ("note: https://me:hunter2@example.org/x", "a URL with a password"),
        ("note: 'use postgres://me:hunter2@db/x here'", "a URL with a password"),
        ("note: https://hooks.slack.com/services/T00/B00/XXX", "a hook of Slack"),
        ('note: "-----BEGIN RSA PRIVATE KEY-----"', "a private key"),
        ("note: eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc", "a JSON web token"),
    ],
)
def test_a_credential_is_refused_where_it_stands_and_not_repeated(
    tmp_path: Path, added: str, kind: str
) -> None:
    targets = f"targets:\n  local: {{}}\n  aws:\n    {added}\n"
    with pytest.raises(InputError) as refused:
        project(tmp_path, ("receivers:\n", f"{targets}receivers:\n"))
    said, line = str(refused.value), line_of(PROJECT, "receivers:") + 3
    assert (
        f"watchkeeper.yaml:{line}: targets.aws.{added.partition(':')[0]}: want a reference to a secret"
        in said
    )
    assert said.endswith(f"got {kind}")
    for part in re.findall(r"hunter2|AKIA\w+|ghp_\w+|xoxb\S+|eyJ\S+", added):
        assert part not in said


def test_a_reference_and_words_about_secrets_are_fine(tmp_path: Path) -> None:
    targets = "targets:\n  local: {}\n  aws: {token: '${env:X}', note: rotate the token monthly}\n"
    assert project(tmp_path, ("receivers:\n", f"{targets}receivers:\n")).name == "demo"
