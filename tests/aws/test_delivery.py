"""The pipelines of GitLab and GitHub: their order, one build, a person before prod, commands that exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import click
import pytest
import yaml

from tests.shared import CHECKOUT
from watchkeeper.cli import COMMANDS
from watchkeeper.cli.by_name import ByName

ORDER = ["test", "build", "train", "dev", "uat", "approve", "prod"]
GITLAB: dict[str, Any] = yaml.safe_load((CHECKOUT / ".gitlab-ci.yml").read_text(encoding="utf-8"))
GITHUB: dict[str, Any] = yaml.safe_load(
    (CHECKOUT / ".github" / "workflows" / "project.yaml").read_text(encoding="utf-8")
)


def gitlab(job: str) -> list[str]:
    return list(GITLAB[job]["script"])


def github(job: str) -> list[str]:
    return [step["run"] for step in GITHUB["jobs"][job]["steps"] if "run" in step]


def commands(lines: list[str]) -> Iterator[list[str]]:
    for line in lines:
        if line.startswith("watchkeeper "):
            yield shlex.split(line.partition(" > ")[0])[1:]


def known(words: list[str]) -> None:
    """There is such a command, and it takes such options."""
    command: click.Command = ByName("watchkeeper", "", COMMANDS)
    context, left = click.Context(command), [each.replace("$VERSION", "1") for each in words]
    while isinstance(command, click.Group):
        found = command.get_command(context, left[0])
        assert found is not None, words
        command, left = found, left[1:]
        context = click.Context(command, parent=context)
    command.parse_args(context, left)


@pytest.fixture(params=[gitlab, github])
def script(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_every_command_is_one_and_has_such_options(script: Any) -> None:
    count = 0
    for job in ORDER[1:]:
        for words in commands(script(job)):
            known(words)
            count += 1
    assert count >= 11


def test_what_is_built_once_goes_from_dev_to_prod(script: Any) -> None:
    built = [job for job in ORDER for words in commands(script(job)) if words[1:2] == ["images"]]
    assert built == ["build"]
    promoted = [(job, words[4]) for job in ORDER for words in commands(script(job)) if words[1] == "promote"]
    assert promoted == [("dev", "dev"), ("uat", "uat"), ("prod", "prod")]
    versions = {words[2] for job in ORDER for words in commands(script(job)) if words[0] == "models"}
    assert versions == {"$VERSION"}, "the version that was trained, and no other"
    assert ["aws", "validate", "--env", "uat"] in [*commands(script("uat"))]


def test_jobs_wait_for_those_before_them_and_prod_for_a_person() -> None:
    stages = GITLAB["stages"]
    assert [stages.index(GITLAB[job]["stage"]) for job in ORDER] == sorted(
        stages.index(GITLAB[job]["stage"]) for job in ORDER
    )
    approval = GITLAB["approve"]
    assert (approval["rules"][0]["when"], approval["allow_failure"]) == ("manual", False)
    assert approval["environment"]["name"] == GITLAB["prod"]["environment"] == "prod"
    assert "approve" in GITLAB["prod"]["needs"]
    jobs = GITHUB["jobs"]
    for before, job in pairwise(ORDER):
        needs = jobs[job]["needs"]
        assert before in ([needs] if isinstance(needs, str) else needs)
    assert jobs["approve"]["environment"] == "prod"
    assert jobs["approve"]["env"]["AWS_ROLE_ARN"] != GITHUB["env"]["AWS_ROLE_ARN"], "another role says yes"
    assert GITLAB["approve"]["variables"]["AWS_ROLE_ARN"] != GITLAB[".aws"]["variables"]["AWS_ROLE_ARN"]


def test_no_secret_is_kept_and_the_caller_is_who_runs_it() -> None:
    text = f"{(CHECKOUT / '.gitlab-ci.yml').read_text()}{GITHUB}"
    assert not re.search(r"ACCESS_KEY|SECRET", text)
    assert GITLAB[".aws"]["variables"]["AWS_ROLE_SESSION_NAME"] == "$GITLAB_USER_LOGIN"
    assert GITHUB["env"]["AWS_ROLE_SESSION_NAME"] == "${{ github.actor }}"


def test_the_how_to_has_eleven_steps_each_with_what_it_makes_and_how_to_undo_it() -> None:
    text = (CHECKOUT / "docs" / "how-to" / "aws.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if re.match(r"\| \d+ \|", line)]
    assert [row[0] for row in rows] == [str(number) for number in range(1, 12)]
    assert all(len(row) == 4 and all(row) for row in rows), "command, what it makes, how to undo it"
    assert rows[0][1].startswith("`git clone")
    assert rows[-1][1].startswith("`watchkeeper aws validate")
    named = re.findall(r"`(watchkeeper [^`]+)`", " ".join(cell for row in rows for cell in row[1:]))
    assert len(named) >= 13
    for words in commands(named):
        known(words)
