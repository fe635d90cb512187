"""Mutes and a real Alertmanager's silences say the same; what was made there is found, and not believed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.app.loop import ANA, KIM, Loop, new_loop
from watchkeeper.adapters.local.alertmanager import AlertmanagerApi
from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.adapters.local.programs import find_program, free_ports, program
from watchkeeper.app.alerts.muting import MuteRequest, confirm_mute, mute_alerts, mute_spans, preview, unmute
from watchkeeper.app.alerts.silences import OUTSIDER, found_silences, sync_silences
from watchkeeper.app.setup.audit import log
from watchkeeper.core.errors import PlatformError
from watchkeeper.core.mutes import Mute, MuteState
from watchkeeper.core.silences import Silence, SilenceMatcher

NAMES = ("prometheus-alertmanager", "alertmanager")
pytestmark = pytest.mark.skipif(
    all(shutil.which(name) is None for name in NAMES),
    reason="Alertmanager is not installed (make test-deps)",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AlertmanagerApi]:
    folder = tmp_path_factory.mktemp("alertmanager")
    (folder / "alertmanager.yml").write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
    (port,) = free_ports(1)
    command = [
        find_program(NAMES, "prometheus-alertmanager"),
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with program(command, f"http://127.0.0.1:{port}/-/ready", folder / "alertmanager.log"):
        yield AlertmanagerApi(f"http://127.0.0.1:{port}")


@pytest.fixture
def loop(tmp_path: Path, server: AlertmanagerApi) -> Iterator[Loop]:
    made = new_loop(tmp_path)
    made.clock.move_to(WallClock().now())  # it is Alertmanager's clock that silences go by
    yield made
    for each in server.silences():
        if not each.over:
            server.expire(each.id)


def muted(loop: Loop, environment: str = "dev") -> Mute:
    ends = loop.clock.now() + timedelta(hours=2)
    asked = MuteRequest(environment, {"alertname": "EndpointErrors"}, ends, "a move", ANA)
    return mute_alerts(loop.target, preview(loop.target, asked))


def live(server: AlertmanagerApi) -> list[Silence]:
    return [each for each in server.silences() if not each.over]


def test_a_mute_is_a_silence_from_its_beginning_to_its_end(loop: Loop, server: AlertmanagerApi) -> None:
    mute = muted(loop)
    (line,) = sync_silences(loop.target, "dev", server)
    (silence,) = live(server)
    assert line == f"mute {mute.id} is silence {silence.id}"
    assert {str(each) for each in silence.matchers} == {"alertname=EndpointErrors", "environment=dev"}
    assert (silence.created_by, silence.ends_at) == (
        "ana",
        mute.ends_at.replace(microsecond=silence.ends_at.microsecond),
    )
    assert mute.id in silence.comment
    assert sync_silences(loop.target, "dev", server) == ()
    assert sync_silences(loop.target, "prod", server) == ()  # it is no business of another environment
    unmute(loop.target, "dev", mute.id, ANA, "done")
    assert sync_silences(loop.target, "dev", server) == (
        f"silence {silence.id} is over, as mute {mute.id} is",
    )
    assert live(server) == []
    assert sync_silences(loop.target, "dev", server) == ()


def test_one_that_waits_for_a_second_person_silences_nothing(loop: Loop, server: AlertmanagerApi) -> None:
    mute = muted(loop, "prod")
    assert sync_silences(loop.target, "prod", server) == ()
    confirm_mute(loop.target, "prod", mute.id, KIM)
    assert len(sync_silences(loop.target, "prod", server)) == 1
    assert len(live(server)) == 1


def test_a_process_that_died_before_its_record_makes_no_second_silence(
    loop: Loop, server: AlertmanagerApi
) -> None:
    muted(loop)
    sync_silences(loop.target, "dev", server)
    for key in loop.store.list("silences/"):
        del loop.store.objects[key]
    sync_silences(loop.target, "dev", server)
    assert len(live(server)) == 1
    assert found_silences(loop.store, "dev") == ()


def test_a_silence_that_somebody_ended_there_ends_the_mute(loop: Loop, server: AlertmanagerApi) -> None:
    mute = muted(loop)
    sync_silences(loop.target, "dev", server)
    (silence,) = live(server)
    server.expire(silence.id)
    (line,) = sync_silences(loop.target, "dev", server)
    assert line == f"mute {mute.id} is over: silence {silence.id} was ended in Alertmanager"
    (span,) = mute_spans(loop.store, "dev")
    assert span.state(loop.clock.now()) is MuteState.OVER
    entry = next(each.event for each in log(loop.target.trail) if each.event.action == "mute.ended")
    assert entry.actor == OUTSIDER
    assert sync_silences(loop.target, "dev", server) == ()


def test_a_silence_made_there_is_found_said_and_over(loop: Loop, server: AlertmanagerApi) -> None:
    now = loop.clock.now()
    wanted = Silence(
        id="",
        matchers=(
            SilenceMatcher("alertname", "Drift.*", is_regex=True),
            SilenceMatcher("environment", "prod"),
        ),
        starts_at=now,
        ends_at=now + timedelta(hours=1),
        created_by="the boss",
        comment="too loud",
    )
    made = server.silence(wanted)
    elsewhere = (SilenceMatcher("project", "another"),)
    server.silence(replace(wanted, matchers=elsewhere))
    (line,) = sync_silences(loop.target, "prod", server)
    assert line.startswith(f"silence {made} on alertname=~Drift.*, environment=prod was made outside")
    assert sync_silences(loop.target, "dev", server) == ()
    (found,) = found_silences(loop.store, "prod")
    assert (found.silence.id, found.silence.created_by, found.silence.comment) == (
        made,
        "the boss",
        "too loud",
    )
    assert mute_spans(loop.store, "prod") == ()  # it is no mute of ours
    entry = next(each.event for each in log(loop.target.trail) if each.event.action == "silence.found")
    assert (entry.actor, "the boss" in entry.why) == (OUTSIDER, True)
    assert sync_silences(loop.target, "prod", server) == ()
    server.expire(made)
    assert sync_silences(loop.target, "prod", server) == (f"silence {made}, made outside, is over",)
    assert found_silences(loop.store, "prod") == ()


def test_one_that_alertmanager_has_forgotten_is_made_again(
    loop: Loop, server: AlertmanagerApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    muted(loop)
    sync_silences(loop.target, "dev", server)
    (silence,) = live(server)
    server.expire(silence.id)
    kept = AlertmanagerApi.silences
    monkeypatch.setattr(
        AlertmanagerApi, "silences", lambda self: tuple(e for e in kept(self) if e.id != silence.id)
    )
    assert len(sync_silences(loop.target, "dev", server)) == 1
    assert len(live(server)) == 1


def test_a_server_that_is_down_is_said(loop: Loop) -> None:
    (port,) = free_ports(1)
    with pytest.raises(PlatformError, match="GET silences of Alertmanager at"):
        sync_silences(loop.target, "dev", AlertmanagerApi(f"http://127.0.0.1:{port}"))
