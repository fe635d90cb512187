"""Every receiver is told of every alert at least once, whatever fails, and of none under two ids."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.app.loop import KIM, PROJECT, Loop, new_loop, write_project
from tests.trackers import GITHUB_TOKEN, trackers
from tests.webhooks import Heard, listener, status
from watchkeeper.app.alerts.alerting import alert_history, evaluate_rules
from watchkeeper.app.alerts.delivering import Dispatcher, notifications, receipts
from watchkeeper.app.alerts.trying_out import try_receiver
from watchkeeper.app.setup.project import load_project
from watchkeeper.core.errors import InputError
from watchkeeper.core.inhibition import inhibited
from watchkeeper.core.rules import Alert
from watchkeeper.core.values import Sample, labels_of

RATIO = "watchkeeper_model_quality_rmse_baseline_ratio"
FILE = "mlops: [{kind: file, path: notifications/mlops}]"


@pytest.fixture
def answers() -> list[int]:
    """What the receiver answers, one after the other; 200 when there is nothing left."""
    return []


@pytest.fixture
def receiver(answers: list[int]) -> Iterator[tuple[str, Heard]]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        status(answers.pop(0) if answers else 200)(handler)

    with listener(answer) as found:
        yield found


def loop_telling(folder: Path, url: str, *others: str) -> Loop:
    ways = ", ".join([f"{{kind: webhook, url: '{url}'}}", *others])
    return new_loop(folder, (FILE, f"mlops: [{ways}]"))


def degrade(loop: Loop, value: float = 1.6) -> None:
    labels = labels_of(project="demo", environment="prod", endpoint="demo-prod")
    evaluate_rules(loop.target, "prod", [Sample(RATIO, labels, value, loop.clock.now())])


def wait(loop: Loop, seconds: float) -> None:
    loop.clock.move_to(loop.clock.now() + timedelta(seconds=seconds))


def ids(heard: Heard) -> list[str]:
    return [headers["idempotency-key"] for headers, _ in heard]


def alerts_heard(heard: Heard) -> Counter[tuple[str, str, str]]:
    """Each alert's change, with how many different ids it came under."""
    found = {
        (headers["idempotency-key"], (alert["fingerprint"], alert["startsAt"], alert["status"]))
        for headers, body in heard
        for alert in json.loads(body)["alerts"]
    }
    return Counter(change for _, change in found)


def tries(loop: Loop) -> list[tuple[int, bool, str]]:
    found = sorted(receipts(loop.store, "prod"), key=lambda each: (each.time, each.attempt))
    return [(each.attempt, each.delivery.delivered, each.delivery.reason) for each in found]


def follow(loop: Loop, seconds: int, dispatchers: Sequence[Dispatcher] = ()) -> list[float]:
    """Let it work whenever something is due, and say after how many seconds it tried."""
    (dispatcher,) = dispatchers or [Dispatcher(loop.target, "prod")]
    begin, tried = loop.clock.now(), []
    end = begin + timedelta(seconds=seconds)
    while True:
        if dispatcher.run():
            tried.append((loop.clock.now() - begin).total_seconds())
        due = dispatcher.next_due()
        if due is None or due > end:
            loop.clock.move_to(end)
            return tried
        loop.clock.move_to(max(due, loop.clock.now()))


def test_down_for_five_minutes_it_hears_of_it_afterwards_under_one_id(
    tmp_path: Path, receiver: tuple[str, Heard], answers: list[int]
) -> None:
    url, heard = receiver
    loop = loop_telling(tmp_path, url)
    degrade(loop)
    answers += [503] * 6  # after 0, 5, 15, 35, 75, 155 s; the next is after 315 s
    assert follow(loop, 600) == [0, 5, 15, 35, 75, 155, 315]
    assert len(set(ids(heard))) == 1
    assert tries(loop)[0] == (1, False, "it answered 503")
    assert tries(loop)[-1] == (7, True, "")
    assert follow(loop, 600) == []


@pytest.mark.parametrize("code", [500, 429])
def test_every_change_is_heard_in_order_once_it_answers_again(
    tmp_path: Path, receiver: tuple[str, Heard], answers: list[int], code: int
) -> None:
    url, heard = receiver
    loop = loop_telling(tmp_path, url)
    dispatcher = Dispatcher(loop.target, "prod")
    answers += [code] * 5
    for value in (1.6, 1.0, 1.6, 1.0):
        degrade(loop, value)
        follow(loop, 60, [dispatcher])
    follow(loop, 600, [dispatcher])
    delivered = [json.loads(body)["status"] for _, body in heard[5:]]
    assert delivered == ["firing", "resolved", "firing", "resolved"]
    assert set(alerts_heard(heard).values()) == {1}
    assert dispatcher.undelivered() == ()


def test_one_that_is_down_keeps_nobody_else_waiting(
    tmp_path: Path, receiver: tuple[str, Heard], answers: list[int]
) -> None:
    url, _ = receiver
    loop = loop_telling(tmp_path, url, "{kind: file, path: told}")
    answers += [500]
    degrade(loop)
    dispatcher = Dispatcher(loop.target, "prod")
    dispatcher.run()
    assert len(loop.store.list("told/")) == 1
    assert [(str(outlet), count) for outlet, count in dispatcher.undelivered()] == [("mlops/0-webhook", 1)]


def test_a_notification_that_is_refused_keeps_the_next_ones_from_nobody(
    tmp_path: Path, receiver: tuple[str, Heard], answers: list[int]
) -> None:
    url, heard = receiver
    loop = loop_telling(tmp_path, url)
    dispatcher = Dispatcher(loop.target, "prod")
    answers += [400]
    degrade(loop, 1.6)
    dispatcher.run()
    wait(loop, 1)
    degrade(loop, 1.0)
    wait(loop, 59)
    answers += [400]
    dispatcher.run()
    assert [json.loads(body)["status"] for _, body in heard] == ["firing", "firing", "resolved"]
    assert [count for _, count in dispatcher.undelivered()] == [1]
    assert follow(loop, 600, [dispatcher]) == [10]
    assert dispatcher.undelivered() == ()


def test_it_waits_as_long_as_the_receiver_asks(tmp_path: Path) -> None:
    asked = iter([429])

    def answer(handler: BaseHTTPRequestHandler) -> None:
        code = next(asked, 200)
        status(code, **({"retry_after": "120"} if code == 429 else {}))(handler)

    with listener(answer) as (url, _):
        loop = loop_telling(tmp_path, url)
        degrade(loop)
        assert follow(loop, 300) == [0, 120]


def test_made_anew_it_sends_what_was_not_delivered_and_nothing_else(
    tmp_path: Path, receiver: tuple[str, Heard], answers: list[int]
) -> None:
    url, heard = receiver
    loop = loop_telling(tmp_path, url)
    answers += [500]
    degrade(loop)
    Dispatcher(loop.target, "prod").run()
    Dispatcher(loop.target, "prod").run()
    Dispatcher(loop.target, "prod").run()
    assert len(heard) == 2
    assert len(set(ids(heard))) == 1
    assert [attempt for attempt, *_ in tries(loop)] == [1, 2]
    assert len(notifications(loop.store, "prod")) == 1


def test_killed_after_sending_and_before_the_receipt_it_sends_once_more_under_the_same_id(
    tmp_path: Path, receiver: tuple[str, Heard]
) -> None:
    url, heard = receiver
    loop = loop_telling(tmp_path, url)
    degrade(loop)
    Dispatcher(loop.target, "prod").run()
    for key in loop.store.list("receipts/"):
        del loop.store.objects[key]
    Dispatcher(loop.target, "prod").run()
    assert len(heard) == 2
    assert len(set(ids(heard))) == 1


def test_a_storm_in_dev_pages_nobody_in_prod(tmp_path: Path, receiver: tuple[str, Heard]) -> None:
    url, heard = receiver
    only_prod = f"prod: {{approval: required, receivers: {{mlops: [{{kind: webhook, url: '{url}'}}]}}}}"
    loop = new_loop(tmp_path, ("prod: {approval: required}", only_prod))
    labels = labels_of(project="demo", environment="dev", endpoint="demo-dev")
    for number in range(20):
        storm = [
            Sample(RATIO, (*labels, ("segment", f"{n}")), 2.0 + number, loop.clock.now()) for n in range(50)
        ]
        for environment in loop.target.project.environments:
            evaluate_rules(loop.target, environment, storm)
            Dispatcher(loop.target, environment).run()
        wait(loop, 60)
    assert heard == []
    assert len(notifications(loop.store, "dev")) == 1  # the storm is one incident there
    assert notifications(loop.store, "uat") == notifications(loop.store, "prod") == ()


def test_a_notification_leads_to_us_and_to_the_rule_s_runbook(
    tmp_path: Path, receiver: tuple[str, Heard]
) -> None:
    url, heard = receiver
    ways = f"mlops: [{{kind: webhook, url: '{url}'}}]"
    links = "external_url: 'https://watch.example', runbooks: 'https://wiki.example/runbooks'"
    loop = new_loop(tmp_path, (FILE, ways), ("{group_wait: 0s,", f"{{{links}, group_wait: 0s,"))
    degrade(loop)
    Dispatcher(loop.target, "prod").run()
    (body,) = [json.loads(body) for _, body in heard]
    assert body["externalURL"] == "https://watch.example"
    assert body["commonAnnotations"]["runbook_url"] == (
        "https://wiki.example/runbooks/ModelQualityDegraded.md"
    )


def test_a_receiver_can_be_tried_over_every_way_it_has(
    tmp_path: Path, receiver: tuple[str, Heard], answers: list[int]
) -> None:
    url, heard = receiver
    loop = loop_telling(tmp_path, url, "{kind: file, path: told}")
    answers += [403]
    found = try_receiver(loop.target, "prod", "mlops", KIM)
    assert [(str(each.outlet), each.delivery.delivered) for each in found] == [
        ("mlops/0-webhook", False),
        ("mlops/1-file", True),
    ]
    (body,) = [json.loads(body) for _, body in heard]
    assert body["commonAnnotations"] == {"summary": "a test by kim: nothing is wrong"}
    assert loop.actions() == ["receiver.tested"]
    assert notifications(loop.store, "prod") == ()  # it is no incident
    with pytest.raises(InputError, match=r'unknown receiver "mlop"; did you mean "mlops"'):
        try_receiver(loop.target, "prod", "mlop", KIM)


def test_a_test_leaves_no_ticket_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN_HERE", GITHUB_TOKEN)
    with trackers() as both:
        way = f"url: '{both.url}/repos/o/r', tracker: github, token: '${{env:GITHUB_TOKEN_HERE}}'"
        loop = new_loop(tmp_path, (FILE, f"mlops: [{{kind: ticket, {way}}}]"))
        (tried,) = try_receiver(loop.target, "prod", "mlops", KIM)
        wait(loop, 60)
        try_receiver(loop.target, "prod", "mlops", KIM)
        degrade(loop)
        wait(loop, 60)
        Dispatcher(loop.target, "prod").run()
    assert tried.delivery.delivered
    assert [(each.title, each.closed) for each in both.issues] == [
        ("[firing] ReceiverTest, demo-prod", True),
        ("[firing] ReceiverTest, demo-prod", True),
        ("[firing] ModelQualityDegraded, demo-prod", False),
    ]


@pytest.mark.parametrize(
    ("way", "fault"),
    [
        ("{kind: webhook}", "want a url for the kind webhook, got none"),
        ("{kind: file, url: 'http://x'}", "url is a key of the kinds webhook and apprise"),
        ("{kind: webhook, url: 'http://x', path: y}", "path is a key of the kind file alone"),
        ("{kind: webhook, url: 'ftp://x'}", "url: want http:// or https:// and a host"),
        ("{kind: webhook, url: 'https://me:pass@x'}", "url: want no password in it"),
        ("{kind: webhook, url: 'http://x', token: abc}", "token: want a reference to a secret"),
        ("{kind: apprise, url: 'slack://a/b/c'}", "url: want a reference to a secret"),
        ("{kind: digest, url: '${env:X}'}", "want a schedule for the kind digest, got none"),
        ("{kind: ticket, url: 'http://x'}", "want a tracker for the kind ticket, got none"),
        ("{kind: ticket, url: 'http://x', tracker: jira}", "want a board for the tracker jira"),
        ("{kind: ticket, url: 'http://x', tracker: trac}", "tracker: "),
        ("{kind: pager, url: 'http://x'}", "kind: "),
    ],
)
def test_a_way_that_cannot_be_used_is_refused_with_its_line(tmp_path: Path, way: str, fault: str) -> None:
    line = PROJECT.splitlines().index("receivers:") + 2
    with pytest.raises(InputError, match=re.escape(fault)) as refused:
        load_project(write_project(tmp_path, (FILE, f"mlops: [{way}]")))
    assert f"watchkeeper.yaml:{line}: receivers.mlops.0" in str(refused.value)


INHIBIT = (
    "inhibit: [{source: {alertname: EndpointErrors}, target: {alertname: ModelQualityDegraded}, "
    "equal: [endpoint]}]\n"
)
ERRORS = "watchkeeper_endpoint_errors_5xx_ratio"


def inhibiting(folder: Path, *others: tuple[str, str]) -> Loop:
    return new_loop(folder, ("receivers:\n", f"{INHIBIT}receivers:\n"), ("    for: 5m\n", ""), *others)


def see(loop: Loop, ratio: float, errors: float) -> list[str]:
    """Evaluate both, follow the waits, and give what is told, `name status` each."""
    labels = labels_of(project="demo", environment="prod", endpoint="demo-prod")
    now, before = loop.clock.now(), len(notifications(loop.store, "prod"))
    evaluate_rules(
        loop.target, "prod", [Sample(RATIO, labels, ratio, now), Sample(ERRORS, labels, errors, now)]
    )
    Dispatcher(loop.target, "prod").run()
    wait(loop, 120)
    Dispatcher(loop.target, "prod").run()
    told = notifications(loop.store, "prod")[before:]
    return [f"{alert.name} {alert.state}" for note in told for alert in note.alerts]


def test_what_a_graver_alert_says_is_told_by_that_one_alone(tmp_path: Path) -> None:
    loop = inhibiting(tmp_path)
    assert see(loop, 1.9, 0.5) == ["EndpointErrors firing"]
    assert see(loop, 1.9, 0.0) == ["EndpointErrors resolved", "ModelQualityDegraded firing"]
    assert see(loop, 1.9, 0.5) == ["EndpointErrors firing"]
    assert see(loop, 1.0, 0.5) == ["ModelQualityDegraded resolved"]  # who heard of its beginning


def test_what_came_and_went_with_the_graver_one_is_not_told_at_all(tmp_path: Path) -> None:
    loop = inhibiting(tmp_path)
    see(loop, 1.9, 0.5)
    assert see(loop, 1.0, 0.0) == ["EndpointErrors resolved"]
    wait(loop, 3600)
    Dispatcher(loop.target, "prod").run()
    told = [alert.name for note in notifications(loop.store, "prod") for alert in note.alerts]
    assert set(told) == {"EndpointErrors"}


def test_another_endpoint_s_trouble_hides_nothing(tmp_path: Path) -> None:
    loop = inhibiting(tmp_path)
    labels = labels_of(project="demo", environment="prod", endpoint="other")
    evaluate_rules(loop.target, "prod", [Sample(ERRORS, labels, 0.5, loop.clock.now())])
    degrade(loop)
    told = inhibited(*_alert_and_firings(loop), loop.target.project.inhibitions("prod"), loop.clock.now())
    assert not told


def _alert_and_firings(loop: Loop) -> tuple[Alert, list[Alert]]:
    firing = [alert for alert in alert_history(loop.store, "prod") if alert.fired_at]
    (alert,) = [each for each in firing if each.name == "ModelQualityDegraded"]
    return alert, firing


def test_a_rule_that_is_not_there_cannot_inhibit(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r'unknown rule "EndpointError"; did you mean "EndpointErrors"'):
        inhibiting(tmp_path, ("alertname: EndpointErrors", "alertname: EndpointError"))
