"""An incident's page says what its record says, and what data holds stays text."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.app.loop import ANA, Loop, bring_to_prod, model_of, new_loop, train_in
from watchkeeper.app.alerts.alerting import evaluate_rules, open_alerts
from watchkeeper.app.alerts.deciding import decide_on
from watchkeeper.app.alerts.delivering import Dispatcher
from watchkeeper.app.alerts.incident_records import incident_record
from watchkeeper.app.alerts.incident_stories import incident_story, known_incidents
from watchkeeper.app.monitoring.run import run_monitor
from watchkeeper.app.monitoring.schedule import MonitorRun
from watchkeeper.app.pages.incidents import incident_html
from watchkeeper.app.pages.reporting import write_execution_page
from watchkeeper.core.errors import InputError
from watchkeeper.core.values import Sample, labels_of
from watchkeeper.core.windows import month_start

RATIO = "watchkeeper_model_quality_rmse_baseline_ratio"


@pytest.fixture
def loop(tmp_path: Path) -> Loop:
    return new_loop(tmp_path)


def see(loop: Loop, value: float, feature: str = "town") -> None:
    labels = labels_of(project="demo", environment="prod", endpoint="demo-prod", feature=feature)
    evaluate_rules(loop.target, "prod", [Sample(RATIO, labels, value, loop.clock.now())])
    decide_on(loop.target, "prod", open_alerts(loop.store, "prod"))
    Dispatcher(loop.target, "prod").run()


def shown(loop: Loop) -> str:
    return incident_html(loop.store, loop.target.project, known_incidents(loop.store, "prod")[-1].id[:8])


def test_it_has_what_fired_the_course_and_what_is_awaited(loop: Loop) -> None:
    see(loop, 2.0)
    page = shown(loop)
    assert "<h1>ModelQualityDegraded in prod</h1>" in page
    assert '<span class="badge bad">goes on</span> It began 1 May 2020, 00:00.' in page
    for words in (
        "still firing",
        "decided Retrain",
        "mlops/0-file was told",
        "A retrain waits: ",
        "feature town",
    ):
        assert words in page
    assert "http" not in page.replace("http://www.w3.org", "")  # it loads nothing from anywhere


def test_over_it_says_from_when_to_when(loop: Loop) -> None:
    see(loop, 2.0)
    loop.clock.move_to(loop.clock.now() + timedelta(hours=2))
    see(loop, 1.0)
    assert '<span class="badge ok">over</span> From 1 May 2020, 00:00 to 1 May 2020, 02:00.' in shown(loop)


def test_what_data_holds_is_text(loop: Loop) -> None:
    see(loop, 2.0, feature="<script>alert(1)</script>")
    page = shown(loop)
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_an_incident_that_there_is_not_is_told(loop: Loop) -> None:
    with pytest.raises(InputError, match="find incident zzz"):
        incident_html(loop.store, loop.target.project, "zzz")


def test_every_page_and_record_says_how_the_project_is_classified(tmp_path: Path) -> None:
    said = "OFFICIAL (CLOSED) <b>"
    loop = new_loop(tmp_path, ("version: 1\n", f'version: 1\nclassification: "{said}"\n'))
    train_in(loop)
    bring_to_prod(loop)
    loop.send(loop.plan(), model_of(loop))
    loop.clock.move_to(month_start("2020-07"))
    execution = run_monitor(loop.target, MonitorRun("data-quality", "prod", loop.clock.now()), ANA)
    write_execution_page(loop.target, execution)
    (page,) = [
        loop.store.read(key).decode() for key in loop.store.list("executions/") if key.endswith("html")
    ]
    shown = '<p class="classification">OFFICIAL (CLOSED) &lt;b&gt;</p>'
    assert shown in page
    labels = labels_of(project="demo", environment="prod", endpoint="demo-prod")
    evaluate_rules(loop.target, "prod", [Sample(RATIO, labels, 1.9, loop.clock.now())])
    (incident,) = known_incidents(loop.store, "prod")
    assert shown in incident_html(loop.store, loop.target.project, incident.id)
    story = incident_story(loop.store, "prod", incident)
    record = incident_record(story, loop.target.project.classification)
    assert record.startswith("> OFFICIAL (CLOSED) \\<b\\>\n")
