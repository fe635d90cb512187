"""Every incident's record is where people read, as it stands, whatever failed on the way there."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from tests.app.loop import ANA, PROJECT, Loop, bring_to_prod, model_of, new_loop, train_in, write_project
from tests.webhooks import Quiet, served
from watchkeeper.app.alerts.alerting import evaluate_rules
from watchkeeper.app.alerts.closing import Closing, IncidentLabel, close_incident
from watchkeeper.app.alerts.incident_stories import known_incidents
from watchkeeper.app.alerts.mirroring import Mirror
from watchkeeper.app.monitoring.run import run_monitor
from watchkeeper.app.monitoring.schedule import MonitorRun
from watchkeeper.app.setup.project import load_project
from watchkeeper.core.errors import InputError
from watchkeeper.core.values import Sample, labels_of
from watchkeeper.core.windows import month_start

RATIO = "watchkeeper_model_quality_rmse_baseline_ratio"
LABELS = labels_of(project="demo", environment="prod", endpoint="demo-prod")
SECTION = "receivers:\n"


def kept(folder: Path, shelf: str) -> Loop:
    return new_loop(folder, (SECTION, f"knowledge_base: [{shelf}]\n{SECTION}"))


def measured(loop: Loop, value: float) -> None:
    evaluate_rules(loop.target, "prod", [Sample(RATIO, LABELS, value, loop.clock.now())])


def later(loop: Loop, minutes: float) -> None:
    loop.clock.move_to(loop.clock.now() + timedelta(minutes=minutes))


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


@contextmanager
def pages_api(answers: list[int]) -> Iterator[tuple[str, dict[str, str]]]:
    """Takes pages by PUT, or answers what it is told to first."""
    pages: dict[str, str] = {}

    class Handler(Quiet):
        def do_PUT(self) -> None:
            text = self.rfile.read(int(self.headers["content-length"])).decode()
            code = answers.pop(0) if answers else 204
            if self.headers["authorization"] != "Bearer let-me-in":
                code = 401
            if code < 300:
                pages[self.path] = text
            self.send_response(code)
            self.end_headers()

    with served(Handler) as url:
        yield f"{url}/wiki/", pages


def test_a_page_follows_its_incident_from_beginning_to_the_last_word(tmp_path: Path) -> None:
    loop = kept(tmp_path / "work", f"{{kind: folder, path: {tmp_path / 'wiki'}}}")
    mirror = Mirror(loop.target, "prod", loop.target.folder)
    assert mirror.run() == ()
    measured(loop, 1.9)
    (incident,) = known_incidents(loop.store, "prod")
    page = tmp_path / "wiki" / "incidents" / "prod" / f"2020-05-01-{incident.id}.md"
    assert len(mirror.run()) == 1
    assert "It goes on." in page.read_text()
    assert mirror.run() == ()  # nothing changed
    later(loop, 5)
    measured(loop, 1.0)
    assert len(mirror.run()) == 1
    assert "Nobody has said what it was" in page.read_text()
    (ended,) = known_incidents(loop.store, "prod")
    said = Closing(ended.id, IncidentLabel.REAL, "prices rose", "retrained", ANA, loop.clock.now())
    close_incident(loop.target, "prod", ended, said)
    again = Mirror(loop.target, "prod", loop.target.folder)  # another process
    assert len(again.run()) == 1
    assert "Cause: prices rose. Remedy: retrained." in page.read_text()
    assert again.run() == ()
    (state,) = again.state()
    assert (state.shelf, state.pages, state.failing) == ("0-folder", 1, "")


def test_a_shelf_that_fails_is_tried_again_later_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIKI_TOKEN", "let-me-in")
    answers = [503, 500]
    with pages_api(answers) as (url, pages):
        loop = kept(tmp_path, f"{{kind: http, url: '{url}', token: '${{env:WIKI_TOKEN}}'}}")
        mirror = Mirror(loop.target, "prod", loop.target.folder)
        measured(loop, 1.9)
        (first,) = mirror.run()
        assert first.delivery.reason == "it answered 503"
        assert mirror.state()[0].failing == "it answered 503"
        assert mirror.run() == ()  # not yet
        later(loop, 0.1)
        (second,) = mirror.run()
        assert (second.attempt, second.delivery.reason) == (2, "it answered 500")
        again = Mirror(loop.target, "prod", loop.target.folder)
        assert again.run() == ()
        later(loop, 1)
        (third,) = again.run()
    assert (third.attempt, third.delivery.delivered) == (3, True)
    (path,) = pages
    assert path.startswith("/wiki/incidents/prod/2020-05-01-")
    assert "# ModelQualityDegraded in prod" in pages[path]


def test_a_repository_gets_a_commit_for_each_change_beside_those_of_others(tmp_path: Path) -> None:
    remote, other = tmp_path / "kb.git", tmp_path / "other"
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch", "main", str(remote))
    loop = kept(tmp_path / "work", f"{{kind: git, url: '{remote}'}}")
    mirror = Mirror(loop.target, "prod", loop.target.folder)
    measured(loop, 1.9)
    (first,) = mirror.run()
    assert first.delivery.delivered, first.delivery.reason
    git(tmp_path, "clone", "--quiet", str(remote), str(other))
    (other / "ours.md").write_text("written by hand")
    git(other, "add", "ours.md")
    git(other, "-c", "user.name=kim", "-c", "user.email=kim@localhost", "commit", "-qm", "Write by hand")
    git(other, "push", "--quiet")
    later(loop, 5)
    measured(loop, 1.0)
    (second,) = mirror.run()
    assert second.delivery.delivered, second.delivery.reason
    git(other, "pull", "--quiet")
    assert [
        line.split(" ", 1)[1] for line in git(other, "log", "--format=%an %s", "--reverse").splitlines()
    ] == [
        f"Put {first.page}",
        "Write by hand",
        f"Put {first.page}",
    ]
    assert "Nobody has said" in (other / first.page).read_text()


def test_a_repository_that_is_not_there_is_said_without_asking_anybody(tmp_path: Path) -> None:
    loop = kept(tmp_path, f"{{kind: git, url: '{tmp_path / 'nothing.git'}'}}")
    measured(loop, 1.9)
    (tried,) = Mirror(loop.target, "prod", loop.target.folder).run()
    assert not tried.delivery.delivered
    assert tried.delivery.reason.startswith("git ls-remote: ")


def test_each_week_in_which_monitors_ran_has_a_page_on_drift(tmp_path: Path) -> None:
    loop = kept(tmp_path / "work", f"{{kind: folder, path: {tmp_path / 'wiki'}}}")
    train_in(loop)
    bring_to_prod(loop)
    loop.send(loop.plan(), model_of(loop))
    loop.clock.move_to(month_start("2020-06"))  # a Monday
    run_monitor(loop.target, MonitorRun("data-quality", "prod", loop.clock.now()), ANA)
    mirror = Mirror(loop.target, "prod", loop.target.folder)
    assert mirror.run() == ()  # its last monitors may be running
    later(loop, 60 * 24)
    (done,) = mirror.run()
    assert done.page == "drift/prod/2020-W22.md"  # its window was due at the end of that week
    text = (tmp_path / "wiki" / done.page).read_text()
    assert "## Columns that drifted" in text
    assert "`demo-prod-data-quality`: " in text
    later(loop, 60 * 24 * 7)
    assert mirror.run() == ()  # nothing ran in the week after


@pytest.mark.parametrize(
    ("shelf", "fault"),
    [
        ("{kind: folder}", "want a path for the kind folder, got none"),
        ("{kind: s3, url: 'https://kb/x'}", "url: want s3://BUCKET/PREFIX"),
        ("{kind: git, path: x}", "path is a key of the kind folder alone"),
        ("{kind: http, url: 'http://x', token: abc}", "token: want a reference to a secret"),
        ("{kind: git, url: 'https://me:secret@x/y.git'}", "url: want no password in it"),
    ],
)
def test_a_shelf_that_cannot_be_used_is_refused_with_its_line(tmp_path: Path, shelf: str, fault: str) -> None:
    changed = (SECTION, f"knowledge_base: [{shelf}]\n{SECTION}")
    line = PROJECT.splitlines().index("receivers:") + 1
    with pytest.raises(InputError, match=fault) as refused:
        load_project(write_project(tmp_path, changed))
    assert f":{line}: knowledge_base.0" in str(refused.value)
