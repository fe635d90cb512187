"""An incident's record has what happened, who was told, what was decided and done, and how it ended."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.app.loop import KIM, Loop, new_loop
from watchkeeper.app.alerts.alerting import evaluate_rules, open_alerts
from watchkeeper.app.alerts.closing import Closing, IncidentLabel, close_incident
from watchkeeper.app.alerts.deciding import decide_on
from watchkeeper.app.alerts.delivering import Dispatcher, notifications
from watchkeeper.app.alerts.incident_records import incident_record
from watchkeeper.app.alerts.incident_stories import find_incident, incident_story, known_incidents
from watchkeeper.app.alerts.searching import search_incidents
from watchkeeper.app.retraining.retrains import answer_retrain, retrains
from watchkeeper.core.errors import InputError, Refused
from watchkeeper.core.incidents import Incident, Links
from watchkeeper.core.values import Sample, labels_of
from watchkeeper.render.alertmanager import webhook_payload
from watchkeeper.render.telling import body

RATIO, ERRORS = "watchkeeper_model_quality_rmse_baseline_ratio", "watchkeeper_endpoint_errors_5xx_ratio"


@pytest.fixture
def loop(tmp_path: Path) -> Loop:
    return new_loop(tmp_path)


def see(loop: Loop, value: float, metric: str = RATIO, version: str = "1") -> None:
    """A value is seen, and everything follows: alerts, decisions, notifications."""
    labels = labels_of(project="demo", environment="prod", endpoint="demo-prod", model_version=version)
    evaluate_rules(loop.target, "prod", [Sample(metric, labels, value, loop.clock.now())])
    decide_on(loop.target, "prod", open_alerts(loop.store, "prod"))
    Dispatcher(loop.target, "prod").run()


def later(loop: Loop, hours: float) -> None:
    loop.clock.move_to(loop.clock.now() + timedelta(hours=hours))


def bad_hour(loop: Loop, version: str = "1") -> Incident:
    see(loop, 1.6, version=version)
    later(loop, 1)
    see(loop, 1.0, version=version)
    later(loop, 1)
    return known_incidents(loop.store, "prod")[-1]


def close(loop: Loop, incident: Incident, cause: str, label: IncidentLabel = IncidentLabel.REAL) -> None:
    said = Closing(incident.id, label, cause, "retrained", KIM, loop.clock.now())
    close_incident(loop.target, "prod", incident, said)


def record(loop: Loop, incident: Incident) -> str:
    return incident_record(incident_story(loop.store, "prod", incident))


def test_its_course_is_in_order_and_names_who_did_what(loop: Loop) -> None:
    see(loop, 1.6)
    later(loop, 0.5)
    answer_retrain(loop.target, retrains(loop.store, "prod")[0], False, KIM, "the labels are wrong")
    later(loop, 0.5)
    see(loop, 1.0)
    close(loop, known_incidents(loop.store, "prod")[0], "labels of another month")
    said = record(loop, known_incidents(loop.store, "prod")[0])
    course = said.split("## Course\n\n")[1].split("\n\n")[0].splitlines()
    assert [line.partition("Z ")[2].split(":")[0] for line in course] == [
        "ModelQualityDegraded fired",
        "mlops/0-file was told",
        "decided Retrain",
        "kim rejected the retrain",
        "ModelQualityDegraded was resolved",
        "mlops/0-file was told",
        "kim closed it as real",
    ]
    assert "**real**, says kim. Cause: labels of another month. Remedy: retrained." in said


def test_one_that_goes_on_says_so_and_cannot_be_closed(loop: Loop) -> None:
    see(loop, 1.6)
    (incident,) = known_incidents(loop.store, "prod")
    said = record(loop, incident)
    assert "| ended | it goes on |" in said
    assert f"A retrain waits: {retrains(loop.store, 'prod')[0].decision.id}." in said
    with pytest.raises(Refused, match=r"1 of its alerts still fire"):
        close(loop, incident, "x")
    assert loop.store.list("incidents/") == []


def test_a_later_word_counts_and_both_are_in_the_audit_log(loop: Loop) -> None:
    incident = bad_hour(loop)
    close(loop, incident, "the market")
    close(loop, incident, "a broken feed", IncidentLabel.BENIGN)
    story = incident_story(loop.store, "prod", incident)
    assert story.closing is not None
    assert (story.closing.label, story.closing.cause) == (IncidentLabel.BENIGN, "a broken feed")
    assert loop.actions()[-2:] == ["incident.closed", "incident.closed"]


def test_earlier_ones_like_it_stand_on_it_with_what_was_said_of_them(loop: Loop) -> None:
    first = bad_hour(loop)
    close(loop, first, "the market")
    see(loop, 0.5, ERRORS)
    later(loop, 0.1)
    see(loop, 0.5, ERRORS)
    later(loop, 0.1)
    see(loop, 0.0, ERRORS)
    third = bad_hour(loop, version="2")  # the same trouble of the next model
    (similar,) = incident_story(loop.store, "prod", third).similar
    assert (similar.id, similar.likeness) == (first.id, 1.0)
    assert f"`{first.id}`" in record(loop, third)
    assert "100% the same; real, the market" in record(loop, third)


def test_what_data_holds_is_text_in_the_record(loop: Loop) -> None:
    labels = labels_of(
        project="demo", environment="prod", endpoint="demo-prod", feature="<b>|`x`\n# not a heading"
    )
    evaluate_rules(loop.target, "prod", [Sample(RATIO, labels, 2.0, loop.clock.now())])
    said = record(loop, known_incidents(loop.store, "prod")[0])
    assert r"\<b\>\|\`x\` \# not a heading" in said
    assert [line for line in said.splitlines() if line.startswith("# ")] == ["# ModelQualityDegraded in prod"]


def test_an_id_that_is_none_or_several_is_refused(loop: Loop) -> None:
    bad_hour(loop)
    bad_hour(loop)
    with pytest.raises(InputError, match=r"find incident zzz: want one whose id begins so, got none"):
        find_incident(loop.store, ("prod",), "zzz")
    with pytest.raises(InputError, match=r"got 2: "):
        find_incident(loop.store, ("prod",), "")


def test_incidents_are_found_by_what_their_records_say(loop: Loop) -> None:
    first = bad_hour(loop)
    close(loop, first, "Prices ROSE_with the market")
    second = bad_hour(loop)
    found = search_incidents(loop.store, ("dev", "prod"), ["rose_with", "modelquality"])
    assert [(each.environment, each.incident.id) for each in found] == [
        ("prod", second.id),
        ("prod", first.id),
    ]
    assert any("Cause: Prices ROSE_with the market." in line for line in found[1].lines)
    assert search_incidents(loop.store, ("dev", "prod"), ["rose_with", "drought"]) == []


def test_whoever_is_told_hears_of_earlier_ones_like_it(loop: Loop) -> None:
    close(loop, bad_hour(loop), "the market")
    see(loop, 1.6)
    told = notifications(loop.store, "prod")[-1]
    assert len(told.earlier) == 1
    assert told.earlier[0].endswith("100% the same; real, the market")
    payload = webhook_payload(told)
    assert payload["earlierIncidents"] == list(told.earlier)
    assert "Earlier ones like it:" in body(told, Links())
