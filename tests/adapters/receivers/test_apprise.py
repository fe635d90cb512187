"""Apprise carries notifications to real services of this machine: a mail server and an HTTP one."""

from __future__ import annotations

import email
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from email.message import Message
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as Mailbox

from tests.adapters.receivers.told import FIRING, OVER, START, TOLD
from tests.webhooks import listener, status
from watchkeeper.adapters.local.programs import free_ports
from watchkeeper.adapters.memory.store import MemoryStore
from watchkeeper.adapters.receivers import sender
from watchkeeper.core.incidents import Delivery, Digest, Links, Notification, Outlet
from watchkeeper.core.rules import Severity

SECRET = "5ecret-of-the-channel"


class Kept(Mailbox):
    """Keeps what is mailed."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[Message] = []

    def handle_message(self, message: Message) -> None:
        self.mails.append(email.message_from_bytes(message.as_bytes()))


@pytest.fixture
def mailbox() -> Iterator[tuple[int, Kept]]:
    kept = Kept()
    (port,) = free_ports(1)
    server = Controller(kept, hostname="127.0.0.1", port=port)
    server.start()
    try:
        yield port, kept
    finally:
        server.stop()


def tell(monkeypatch: pytest.MonkeyPatch, url: str, told: Notification, kind: str = "apprise") -> Delivery:
    monkeypatch.setenv("APPRISE_URL_HERE", url)
    links = Links("https://watch.example.org", "https://grafana.example.org", "OFFICIAL \\ sensitive")
    return sender(kind)(
        MemoryStore(), Outlet("mlops", 0, kind, {"url": "${env:APPRISE_URL_HERE}"}, links), told
    )


def posted(monkeypatch: pytest.MonkeyPatch, told: Notification) -> dict[str, Any]:
    with listener(status(200)) as (url, heard):
        assert tell(monkeypatch, url.replace("http://", f"json://user:{SECRET}@"), told) == Delivery(True)
    found: dict[str, Any] = json.loads(heard[0][1])
    return found


def test_a_mail_says_what_fired_since_when_where_to_look_and_what_to_type(
    monkeypatch: pytest.MonkeyPatch, mailbox: tuple[int, Kept]
) -> None:
    port, kept = mailbox
    url = f"mailto://127.0.0.1:{port}?from=watch@example.org&to=mlops@example.org&mode=insecure"
    assert tell(monkeypatch, url, TOLD) == Delivery(delivered=True)
    (mail,) = kept.mails
    assert mail["subject"] == "[firing] DataQualityViolations, prices"
    assert mail["to"] == "mlops@example.org"
    text = b"".join(part.get_payload(decode=True) or b"" for part in mail.walk() if not part.is_multipart())  # type: ignore[misc]
    for said in (
        "violations is 1, above 0",
        "2020-02-01T00:00:00Z",
        "docs/runbooks/DataQualityViolations.md",
        "https://watch.example.org/incidents/fedcba9876543210",
        "https://grafana.example.org/d/watchkeeper-endpoint?var-env=prod",
        "watchkeeper alerts ack fedcba9876543210",
        "0123456789abcdef",
        "OFFICIAL",
    ):
        assert said in text.decode().replace("&amp;", "&"), said


def test_its_type_says_how_bad_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    page = replace(TOLD, alerts=(replace(FIRING, severity=Severity.CRITICAL),))
    kinds = [posted(monkeypatch, each)["type"] for each in (TOLD, page, OVER)]
    assert kinds == ["warning", "failure", "success"]
    mute_over = replace(OVER, group=(("environment", "prod"), ("mute", "0123")))
    assert posted(monkeypatch, mute_over)["title"] == "[mute over] 1 alert hidden in prod"


def test_a_digest_is_its_own_text(monkeypatch: pytest.MonkeyPatch) -> None:
    digest = replace(TOLD, alerts=(), digest=Digest("[digest] prices: calm", "Nothing ran.", START))
    found = posted(monkeypatch, digest)
    assert (found["title"], found["message"].strip(), found["type"]) == (
        "[digest] prices: calm",
        "Nothing ran.",
        "info",
    )


def test_a_failure_is_said_without_any_piece_of_the_url(monkeypatch: pytest.MonkeyPatch) -> None:
    with listener(status(500)) as (url, _):
        told = tell(monkeypatch, url.replace("http://", f"json://user:{SECRET}@"), TOLD)
    assert not told.delivered
    assert not told.refused
    assert told.reason
    for piece in (SECRET, "127.0.0.1"):
        assert piece not in told.reason


def test_a_url_that_is_none_and_one_that_is_not_there_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    told = tell(monkeypatch, f"nosuch://{SECRET}", TOLD)
    assert told.reason == "${env:APPRISE_URL_HERE} leads to no URL that Apprise knows"
    monkeypatch.delenv("APPRISE_URL_HERE")
    links = Outlet("mlops", 0, "apprise", {"url": "${env:APPRISE_URL_HERE}"})
    assert "want a text, got none" in sender("apprise")(MemoryStore(), links, TOLD).reason


def test_without_the_library_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    monkeypatch.delitem(sys.modules, "watchkeeper.adapters.receivers.apprise", raising=False)
    told = tell(monkeypatch, "json://127.0.0.1", TOLD)
    assert told == Delivery(
        delivered=False, reason="kind apprise needs apprise: pip install 'watchkeeper[notify]'"
    )
