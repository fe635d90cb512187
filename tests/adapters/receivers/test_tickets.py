"""An incident is one ticket, whatever is told twice, dies in between or was opened before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.adapters.receivers.told import AGAIN, OVER, TOLD
from tests.trackers import GITHUB_TOKEN, JIRA_TOKEN, JIRA_USER, Trackers, trackers
from watchkeeper.adapters.memory.store import MemoryStore
from watchkeeper.adapters.receivers import sender
from watchkeeper.core.incidents import Delivery, Links, Notification, Outlet

KINDS = ("github", "jira")


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN_HERE", GITHUB_TOKEN)
    monkeypatch.setenv("JIRA_TOKEN_HERE", JIRA_TOKEN)


@pytest.fixture
def both() -> Iterator[Trackers]:
    with trackers() as found:
        yield found


def outlet(kind: str, both: Trackers) -> Outlet:
    if kind == "github":
        options = {"url": f"{both.url}/repos/o/r", "tracker": kind, "token": "${env:GITHUB_TOKEN_HERE}"}
    else:
        options = {"url": both.url, "tracker": kind, "token": "${env:JIRA_TOKEN_HERE}"}
        options |= {"user": JIRA_USER, "board": "OPS"}
    return Outlet("mlops", 0, "ticket", options, Links("https://watch.example.org"))


def tell(kind: str, both: Trackers, *told: Notification, store: MemoryStore | None = None) -> list[Delivery]:
    held = MemoryStore() if store is None else store
    return [sender("ticket")(held, outlet(kind, both), each) for each in told]


@pytest.mark.parametrize("kind", KINDS)
def test_an_incident_opens_comments_and_closes_one_ticket(kind: str, both: Trackers) -> None:
    assert all(each.delivered for each in tell(kind, both, TOLD, AGAIN, OVER))
    (issue,) = both.issues
    assert issue.title == "[firing] DataQualityViolations, prices"
    assert issue.labels == ["watchkeeper-fedcba9876543210"]
    assert "https://watch.example.org/incidents/fedcba9876543210" in issue.text
    assert "docs/runbooks/DataQualityViolations.md" in issue.text
    assert [text.splitlines()[0] for text in issue.comments] == [
        "[firing] DataQualityViolations, prices",
        "[resolved] DataQualityViolations, prices",
    ]
    assert issue.closed


@pytest.mark.parametrize("kind", KINDS)
def test_told_twice_is_told_once(kind: str, both: Trackers) -> None:
    store = MemoryStore()
    for each in (TOLD, TOLD, AGAIN, AGAIN, OVER, OVER):
        tell(kind, both, each, store=store)
    (issue,) = both.issues
    assert (len(issue.comments), issue.closed) == (2, True)


@pytest.mark.parametrize("kind", KINDS)
def test_a_ticket_whose_record_was_never_written_is_found_by_its_label(kind: str, both: Trackers) -> None:
    both.lost = True  # it is opened, and we do not hear of it
    (first,) = tell(kind, both, TOLD)
    assert (first.delivered, first.refused, first.reason) == (False, False, "it answered 502")
    assert all(each.delivered for each in tell(kind, both, TOLD, OVER))
    (issue,) = both.issues
    assert (len(issue.comments), issue.closed) == (1, True)


@pytest.mark.parametrize("kind", KINDS)
def test_an_end_of_what_nobody_was_told_of_opens_nothing(kind: str, both: Trackers) -> None:
    summary = replace(OVER, group=(("environment", "prod"), ("mute", "0123")))
    assert all(each.delivered for each in tell(kind, both, OVER, summary))
    assert both.issues == []


def test_many_comments_are_all_read(both: Trackers) -> None:
    store = MemoryStore()
    tell("github", both, TOLD, AGAIN, store=store)
    both.issues[0].comments[:0] = [f"somebody says {number}" for number in range(150)]
    tell("github", both, AGAIN, store=store)
    assert len(both.issues[0].comments) == 151


@pytest.mark.parametrize(
    ("code", "refused"), [(500, False), (429, False), (401, True), (404, True), (422, True)]
)
def test_what_a_tracker_answers_says_whether_others_may_be_sent(
    code: int, refused: bool, both: Trackers
) -> None:
    both.down = code
    (told,) = tell("github", both, TOLD)
    assert told == Delivery(delivered=False, reason=f"it answered {code}", refused=refused)


def test_a_tracker_that_answers_something_else_is_said(
    both: Trackers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Trackers, "github", lambda *_: (200, {"message": "maintenance"}))
    (told,) = tell("github", both, TOLD)
    assert (told.delivered, told.refused) == (False, False)
    assert told.reason.startswith("read its answer: KeyError")
    monkeypatch.setenv("GITHUB_TOKEN_HERE", " ")
    (told,) = tell("github", both, TOLD)
    assert told.reason == "follow the secret ${env:GITHUB_TOKEN_HERE}: want a text, got none"
