"""Serve a workspace's endpoints, their metrics and those of the monitors."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.adapters.local.trail import FolderTrail
from watchkeeper.app.alerts.alerting import open_alerts
from watchkeeper.app.alerts.deciding import decide_on
from watchkeeper.app.alerts.door import DOOR_TOKEN, Received, door_token, receive, take_in
from watchkeeper.app.captures.changes import CaptureChange, record_change
from watchkeeper.app.captures.label_import import Delivery, LabelImport, Place, import_labels, no_report
from watchkeeper.app.monitoring.overdue import overdue_samples
from watchkeeper.app.monitoring.schedule import schedules_of
from watchkeeper.app.pages.incidents import incident_html
from watchkeeper.app.registry.artefacts import load_version
from watchkeeper.app.registry.candidates import end, ended_by, open_candidate
from watchkeeper.app.registry.catalogue import catalogue
from watchkeeper.app.registry.executions import Exposures, exposed
from watchkeeper.app.setup.project import Project
from watchkeeper.app.setup.targets import Books
from watchkeeper.app.setup.workspace import OpenBooks
from watchkeeper.core.encoding import digest
from watchkeeper.core.errors import InputError
from watchkeeper.core.ports import Store, Trail
from watchkeeper.core.values import Actor, Candidate, Sample, TrialOutcome, newest
from watchkeeper.readers.label_tables import truths_table
from watchkeeper.render.exposition import exposition
from watchkeeper.serving.ground_truth import LabelDelivery
from watchkeeper.serving.refusals import RequestRefused
from watchkeeper.serving.run import Served, serve
from watchkeeper.serving.server import Hooks
from watchkeeper.serving.settings import EndpointSettings, ServerSettings

REPORT = "report.html"
_INCIDENTS = "incidents/"
SERVER = Actor(
    "endpoint-server", "service"
)  # what it does by itself, and labels over HTTP: who brought them nobody knows


@dataclass(frozen=True, slots=True)
class ServeRequest:
    """How to serve a workspace."""

    workspace: Path
    host: str = "127.0.0.1"
    port: int = 8321
    rehearsal: bool = False
    workers: int = 1


def serve_project(project: Project, request: ServeRequest) -> None:
    """Serve every environment's endpoint until SIGTERM or SIGINT; see `serving.run.serve`."""
    store = FolderStore(request.workspace.resolve())
    trail = FolderTrail(store, WallClock())
    books = OpenBooks(project, store, WallClock(), trail)
    known, held = catalogue(store), Exposures(store, schedules_of(project))
    deployments = [found for name in project.environments if (found := known.serving(name))]
    tried = [each for name in project.environments if (each := open_candidate(store, name))]
    settings = ServerSettings(
        project=project.name,
        workspace=request.workspace.resolve(),
        endpoints=tuple(
            EndpointSettings(
                name=project.endpoint(name),
                environment=name,
                capture=project.environment(name).capture_policy(name),
            )
            for name in project.environments
        ),
        rehearsal=request.rehearsal,
        host=request.host,
        port=request.port,
        workers=request.workers,
    )
    serve(
        settings,
        store,
        Served(deployments, tried),
        Hooks(
            load=lambda deployment: load_version(store, deployment.version, deployment.digest),
            metrics=lambda live: exposition(_exposed(books, request, held, live)),
            pages=lambda path: _page(store, project, path),
            labels=lambda delivery: store_labels(store, trail, delivery),
            alerts=lambda token, body: store_alerts(books, request, token, body),
            capture_changed=lambda settings, why: record_capture(store, trail, settings, why),
            withdrawn=lambda candidate, why: record_withdrawal(store, trail, candidate, why),
        ),
    )


def store_labels(store: Store, trail: Trail, sent: LabelDelivery) -> LabelImport:
    """Import labels that came over HTTP; the audit log hears of it when any are stored."""
    delivery = Delivery(
        table=truths_table(sent.truths),
        source="request body",
        digest=digest(sent.body),
        collected_at=sent.collected_at,
        actor=SERVER,
        silent=True,
    )
    return import_labels(Place(store, trail, sent.environment, sent.endpoint), delivery, no_report)


def store_alerts(books: Books, request: ServeRequest, token: str, body: bytes) -> Received:
    """Alerts that Alertmanager sends, on record and, but for a rehearsal, decided on.

    Raises RequestRefused without the token of the workspace's door.
    """
    wanted = door_token(request.workspace.resolve())
    if not secrets.compare_digest(token.encode(), wanted.encode()):
        raise RequestRefused(
            f"take alerts: want the bearer token of {DOOR_TOKEN}", status=401, code="AccessDeniedException"
        )
    received = receive(books.store, books.clock, body)
    for environment in () if request.rehearsal else books.project.environments:
        take_in(books, environment)
        decide_on(books, environment, open_alerts(books.store, environment))
    return received


def record_capture(store: Store, trail: Trail, settings: EndpointSettings, why_off: str) -> None:
    """That an endpoint's capture went off, or with an empty text on again, on record."""
    why = why_off or "records can be written again"
    change = CaptureChange(settings.name, bool(why_off), why, WallClock().now())
    record_change(store, trail, change, SERVER)


def record_withdrawal(store: Store, trail: Trail, candidate: Candidate, why: str) -> None:
    """A canary that the server withdrew by itself, on record and in the audit log."""
    ended = ended_by(candidate, TrialOutcome.WITHDRAWN, why, SERVER, WallClock().now())
    end(store, trail, candidate, ended)


def _exposed(
    books: Books, request: ServeRequest, held: Exposures, live: Sequence[Sample]
) -> tuple[Sample, ...]:
    """What the endpoints say of themselves and the monitors of them; a rehearsal's time is not ours."""
    if request.rehearsal:
        return newest([*exposed(books.store), *live])
    now = books.clock.now()
    late = overdue_samples(books.store, books.project, now)
    return newest([*held.read(now), *late, *live])


def _page(store: Store, project: Project, path: str) -> bytes | None:
    """The report at `/`, executions' pages under their keys, incidents' by id; None for anything else."""
    if path.startswith(_INCIDENTS):
        try:
            return incident_html(store, project, path.removeprefix(_INCIDENTS)).encode()
        except InputError:
            return None
    key = path or REPORT
    is_page = key == REPORT or (key.startswith("executions/") and key.endswith(f"/{REPORT}"))
    return store.read(key) if is_page and key in store.list(key) else None
