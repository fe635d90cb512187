"""The routes: SageMaker's runtime API and container contract, metrics, and our own `/api/v1`."""

from __future__ import annotations

import asyncio
import logging
import secrets
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

import orjson
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from watchkeeper.core.encoding import decode, encode
from watchkeeper.core.errors import WatchkeeperError
from watchkeeper.core.values import Candidate, Deployment, Sample, Samples
from watchkeeper.render.exposition import CONTENT_TYPE
from watchkeeper.serving.answers import error_answer, failure, fault, json_answer, logged, unanswered
from watchkeeper.serving.capture import CaptureWriter
from watchkeeper.serving.deployments import Deployments, Load
from watchkeeper.serving.endpoint import Endpoint
from watchkeeper.serving.ground_truth import LabelDelivery, read_truths
from watchkeeper.serving.invocations import TIME_HEADER, Invocations, Withdrawn, read_body, request_time
from watchkeeper.serving.openapi import description
from watchkeeper.serving.predicting import MODEL_FAULTS
from watchkeeper.serving.process import process_samples
from watchkeeper.serving.refusals import RequestRefused
from watchkeeper.serving.relay import ToLeader
from watchkeeper.serving.seat import STEP, Seat, Step
from watchkeeper.serving.settings import EndpointSettings

Metrics = Callable[[Sequence[Sample]], str]
Pages = Callable[[str], bytes | None]
Labels = Callable[[LabelDelivery], object]
Alerts = Callable[[str, bytes], object]

_Kind = TypeVar("_Kind", Deployment, Candidate)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EndpointState:
    """What `GET /api/v1/endpoints` says of one endpoint; `problem` is empty while it serves."""

    name: str
    environment: str
    variant: str
    sampling: int
    deployment: Deployment | None
    problem: str
    candidate: Candidate | None = None


def no_pages(_: str) -> bytes | None:
    """A server of endpoints alone."""
    return None


def no_labels(delivery: LabelDelivery) -> object:
    """A server that keeps no labels."""
    raise RequestRefused(f"store labels of endpoint {delivery.endpoint}: this server keeps none", status=404)


def no_alerts(token: str, body: bytes) -> object:  # noqa: ARG001 - whoever sends them
    """A server that takes no alerts."""
    raise RequestRefused("take alerts: this server takes none", status=404)


def nobody_told(candidate: Candidate, why: str) -> None:
    """A server that keeps no record of withdrawn canaries; its log has it."""


def log_only(settings: EndpointSettings, why_off: str) -> None:
    """A server that keeps no record of when capture was off; its log has it."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a server asks of whoever starts it.

    `load` makes the model of a deployment. `metrics` makes the text of `/metrics` from the
    endpoints' own samples and whatever else it knows. `pages` finds an HTML page by its path.
    `labels` stores labels, one call at a time, and returns a value that is the answer; so does `alerts` with
    a bearer token and the payload of Alertmanager's webhook that came with it. `withdrawn` hears of
    a canary that was withdrawn, and why; `capture_changed` of an endpoint's capture that went off, and why,
    or with an empty text that it is on again.
    """

    load: Load
    metrics: Metrics
    pages: Pages = no_pages
    labels: Labels = no_labels
    alerts: Alerts = no_alerts
    withdrawn: Withdrawn = nobody_told
    capture_changed: Callable[[EndpointSettings, str], None] = log_only


@dataclass(slots=True)
class EndpointServer:
    """The endpoints of one process and what their routes need.

    The token of its `seat` opens the routes that change something. Where several workers share the port, the
    first one takes what concerns them all: every change is made by all of them or by none.
    """

    endpoints: Mapping[str, Endpoint]
    capture: CaptureWriter
    hooks: Hooks
    seat: Seat
    project: str = ""
    rehearsal: bool = False
    deployments: Deployments = field(init=False)
    _deploying: asyncio.Lock = field(default_factory=asyncio.Lock)
    _labelling: asyncio.Lock = field(default_factory=asyncio.Lock)
    _alerting: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.deployments = Deployments(self.endpoints, self.hooks.load, self.hooks.withdrawn, self.seat)

    def application(self) -> ASGIApp:
        """The ASGI application."""
        others: ASGIApp = Starlette(routes=self.routes(), exception_handlers={HTTPException: unanswered})
        if not self.seat.leads:
            others = ToLeader(others, self.seat)
        invocations = Invocations(self.endpoints, others, self.deployments.condemned, self.rehearsal)
        return ServerErrorMiddleware(invocations, handler=fault)

    def routes(self) -> list[Route]:
        """The routes of everything; an invocation that comes here names no endpoint."""
        return [
            Route("/endpoints/{name}/invocations", self._nowhere, methods=["POST"]),
            Route("/endpoints/{name}/ground-truth", self._ground_truth, methods=["POST"]),
            Route("/invocations", self._nowhere, methods=["POST"]),
            Route("/ping", self._ping),
            Route("/metrics", self._metrics),
            Route("/api/v1/samples", self._samples),
            Route("/api/v1/alerts", self._alerts, methods=["POST"]),
            Route("/api/v1/openapi.json", self._openapi),
            Route("/api/v1/endpoints", self._endpoints),
            Route("/api/v1/endpoints/{name}", self._deploy, methods=["PUT"]),
            Route("/api/v1/endpoints/{name}/candidate", self._try_out, methods=["PUT"]),
            Route("/api/v1/endpoints/{name}/candidate", self._withdraw, methods=["DELETE"]),
            Route("/api/v1/captures/flush", self._flush, methods=["POST"]),
            Route("/", self._page),
            Route("/executions/{path:path}", self._page),
            Route("/incidents/{path}", self._page),
        ]

    async def _nowhere(self, request: Request) -> Response:
        if name := request.path_params.get("name"):
            return failure(RequestRefused(f"invoke endpoint {name}: there is no such endpoint"))
        wanted = f"POST /endpoints/NAME/invocations with NAME one of {', '.join(self.endpoints)}"
        return failure(RequestRefused(f"invoke an endpoint: want {wanted}, got no name"))

    async def _ground_truth(self, request: Request) -> Response:
        """Store labels, whole or not at all; read and stored beside the event loop."""
        try:
            endpoint = self._named(request.path_params["name"]).settings
            body = await read_body(request.receive)
            collected = request_time(request.headers.get(TIME_HEADER), rehearsal=self.rehearsal)
            truths = await run_in_threadpool(read_truths, body)
            delivery = LabelDelivery(endpoint.name, endpoint.environment, body, truths, collected)
            async with self._labelling:
                return json_answer(encode(await run_in_threadpool(self.hooks.labels, delivery)))
        except WatchkeeperError as error:
            return failure(error)
        except ClientDisconnect:
            return Response(status_code=400)

    async def _alerts(self, request: Request) -> Response:
        """Take alerts that Alertmanager sends, one delivery at a time, on record before it is answered."""
        try:
            body = await read_body(request.receive)
            async with self._alerting:
                return json_answer(encode(await run_in_threadpool(self.hooks.alerts, _bearer(request), body)))
        except WatchkeeperError as error:
            return failure(error)
        except ClientDisconnect:
            return Response(status_code=400)

    async def _ping(self, _: Request) -> Response:
        """200 as soon as requests are taken; whether a model is there, `GET /api/v1/endpoints` says."""
        return Response()

    async def _metrics(self, _: Request) -> Response:
        own = self._exposed()
        text = await run_in_threadpool(lambda: self.hooks.metrics((*own, *self._heard())))
        return Response(text, media_type=CONTENT_TYPE)

    async def _samples(self, request: Request) -> Response:
        own = self._exposed()
        heard = () if STEP in request.headers else await run_in_threadpool(self._heard)
        return json_answer(encode(Samples((*own, *heard))))

    def _heard(self) -> tuple[Sample, ...]:
        """What the other workers expose of themselves."""
        replies = self.seat.hear("/api/v1/samples")
        return tuple(sample for reply in replies for sample in decode(Samples, reply.body).samples)

    def _exposed(self) -> tuple[Sample, ...]:
        now = datetime.now(UTC)
        return tuple(
            sample
            for endpoint in self.endpoints.values()
            for variant in endpoint.variants()
            for sample in variant.samples(now)
        ) + process_samples({"project": self.project, **self.seat.labels}, self.capture.spool, now)

    def tell_of_capture(self) -> None:
        """Tell the hooks where capture went off or came on again; what cannot be told yet is kept."""
        for endpoint in self.endpoints.values():
            for recorder in (variant.recorder for variant in endpoint.variants()):
                while recorder.changes:
                    self.hooks.capture_changed(endpoint.settings, recorder.changes[0])
                    recorder.changes = recorder.changes[1:]

    async def _page(self, request: Request) -> Response:
        page = await run_in_threadpool(self.hooks.pages, request.url.path.removeprefix("/"))
        return (
            Response(page, media_type="text/html")
            if page
            else error_answer(404, "NotFound", "no such page", "")
        )

    async def _endpoints(self, _: Request) -> Response:
        return json_answer(encode([_state(endpoint) for endpoint in self.endpoints.values()]))

    async def _openapi(self, _: Request) -> Response:
        return json_answer(orjson.dumps(description(self.endpoints, rehearsal=self.rehearsal)))

    async def _deploy(self, request: Request) -> Response:
        return await self._put(request, Deployment)

    async def _try_out(self, request: Request) -> Response:
        return await self._put(request, Candidate)

    async def _put(self, request: Request, kind: type[_Kind]) -> Response:
        event_id, name = str(uuid.uuid4()), request.path_params["name"]
        try:
            self._authorise(request)
            told = _told(kind, await read_body(request.receive), name)
            if step := request.headers.get(STEP):
                await run_in_threadpool(self.deployments.in_step, Step(step), told)
            else:
                async with self._deploying:
                    await run_in_threadpool(self.deployments.all_serve, told, request.url.path)
        except RequestRefused as error:
            return failure(error)
        except MODEL_FAULTS as error:
            message = f"deploy to endpoint {name}: {error}; what was served before still is"
            return logged(500, "DeploymentFailed", message, event_id)
        return json_answer(encode(_state(self._named(name))))

    async def _withdraw(self, request: Request) -> Response:
        """End the trial; with a `number`, that of its candidate alone; with `why`, the hooks hear of it."""
        try:
            self._authorise(request)
            endpoint = self._named(request.path_params["name"])
        except RequestRefused as error:
            return failure(error)
        trial, asked = endpoint.trial, request.query_params
        if trial is not None and asked.get("number") in (None, str(trial.candidate.number)):
            endpoint.trial = None
            if STEP not in request.headers:
                await run_in_threadpool(self.deployments.all_withdraw, trial.candidate, asked.get("why"))
        return json_answer(encode(_state(endpoint)))

    async def _flush(self, request: Request) -> Response:
        try:
            self._authorise(request)
            await run_in_threadpool(self.capture.flush)
            if STEP not in request.headers:
                await run_in_threadpool(self.seat.tell, Step.OWN, "POST", request.url.path)
        except WatchkeeperError as error:
            return failure(error)
        return Response(status_code=204)

    def _authorise(self, request: Request) -> None:
        if not secrets.compare_digest(_bearer(request).encode(), self.seat.token.encode()):
            raise RequestRefused(
                "want the bearer token of the run file", status=401, code="AccessDeniedException"
            )

    def _named(self, name: str) -> Endpoint:
        return self.deployments.endpoint(name)


def _bearer(request: Request) -> str:
    """The request's bearer token; empty without one, which no token is."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token if kind.lower() == "bearer" else ""


def _told(kind: type[_Kind], body: bytes, name: str) -> _Kind:
    try:
        told = decode(kind, body)
    except ValueError as error:
        raise RequestRefused(f"read the {kind.__name__.lower()}: {error}") from None
    if told.endpoint != name:
        raise RequestRefused(
            f"deploy to endpoint {name}: the {kind.__name__.lower()} names endpoint {told.endpoint}"
        )
    return told


def _state(endpoint: Endpoint) -> EndpointState:
    settings, active, trial = endpoint.settings, endpoint.main.active, endpoint.trial
    return EndpointState(
        name=settings.name,
        environment=settings.environment,
        variant=settings.variant,
        sampling=settings.capture.sampling,
        deployment=active.deployment if active else None,
        problem="" if active else endpoint.main.problem,
        candidate=trial.candidate if trial else None,
    )
