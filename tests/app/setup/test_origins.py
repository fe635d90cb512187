"""What is shown says where each setting comes from, and a credential is refused wherever it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.app.loop import PROJECT, write_project
from watchkeeper.app.setup.literals import literal_credentials
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
    ("text", "kind"),
    [
        ("AKIAIOSFODNN7EXAMPLE", "an access key of AWS"),
        ("ghp_0123456789abcdefghij0123456789abcdef", "a token of GitHub"),
        ("xoxb-1234567890-abcdefghij", "a token of Slack"),
        ("https://me:hunter2@example.org/x", "a URL with a password"),
        ("'use postgres://me:hunter2@db/x here'", "a URL with a password"),
        ("https://hooks.slack.com/services/T00/B00/XXX", "a hook of Slack"),
        ('"-----BEGIN RSA PRIVATE KEY-----"', "a private key"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc", "a JSON web token"),
    ],
)
def test_a_credential_is_refused_where_it_stands_and_not_repeated(
    tmp_path: Path, text: str, kind: str
) -> None:
    with pytest.raises(InputError) as refused:
        project(tmp_path, ("receivers:\n", f"classification: {text}\nreceivers:\n"))
    said, line = str(refused.value), line_of(PROJECT, "receivers:")
    assert f"watchkeeper.yaml:{line}: classification: want a reference to a secret" in said
    assert said.endswith(f"got {kind}")
    for part in re.findall(r"hunter2|AKIA\w+|ghp_\w+|xoxb\S+|eyJ\S+", text):
        assert part not in said


@pytest.mark.parametrize("name", ["password", "api_key", "db_token", "credentials"])
def test_a_text_under_the_name_of_a_secret_may_be_one(name: str) -> None:
    ((at, said),) = literal_credentials({"a": [{name: "hunter2"}, {"note": "rotate the token monthly"}]})
    assert (at, said.endswith("got a text that may be one")) == (("a", 0, name), True)
    assert not list(literal_credentials({name: "${env:X}"}))
