"""The routes: SageMaker's runtime API and container contract, metrics, and our own `/api/v1`."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from watchkeeper.core.encoding import decode, encode
from watchkeeper.core.errors import WatchkeeperError
from watchkeeper.core.values import Deployment, Sample, Samples
from watchkeeper.core.windows import parse_utc
from watchkeeper.render.exposition import CONTENT_TYPE
from watchkeeper.serving.capture import CaptureWriter
from watchkeeper.serving.endpoint import MODEL_FAULTS, Answer, Call, Endpoint, Predictor
from watchkeeper.serving.ground_truth import LabelDelivery, read_truths
from watchkeeper.serving.moments import Moment
from watchkeeper.serving.refusals import BODY_LIMIT, ModelFailed, RequestRefused, too_large
from watchkeeper.serving.settings import EndpointSettings

# Bytes; a larger request is answered beside the event loop, so that it delays no other.
LARGE_BODY = 64 * 1024
TIME_HEADER = "x-watchkeeper-time"

Metrics = Callable[[Sequence[Sample]], str]
Load = Callable[[Deployment], Predictor]
Pages = Callable[[str], bytes | None]
Labels = Callable[[LabelDelivery], object]

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


def no_pages(_: str) -> bytes | None:
    """A server of endpoints alone."""
    return None


def no_labels(delivery: LabelDelivery) -> object:
    """A server that keeps no labels."""
    raise RequestRefused(f"store labels of endpoint {delivery.endpoint}: this server keeps none", status=404)


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a server asks of whoever starts it.

    `load` makes the model of a deployment. `metrics` makes the text of `/metrics` from the
    endpoints' own samples and whatever else it knows. `pages` finds an HTML page by its path.
    `labels` stores labels, one call at a time, and returns a value that is the answer.
    """

    load: Load
    metrics: Metrics
    pages: Pages = no_pages
    labels: Labels = no_labels


@dataclass(frozen=True, slots=True)
class EndpointServer:
    """The endpoints of one process and what their routes need; `token` opens those that change something."""

    endpoints: Mapping[str, Endpoint]
    capture: CaptureWriter
    hooks: Hooks
    token: str
    rehearsal: bool = False
    _deploying: asyncio.Lock = field(default_factory=asyncio.Lock)
    _labelling: asyncio.Lock = field(default_factory=asyncio.Lock)
    _moments: dict[str, Moment] = field(default_factory=dict)

    def application(self) -> Starlette:
        """The ASGI application."""
        routes = [
            Route("/endpoints/{name}/invocations", self._invoke, methods=["POST"]),
            Route("/endpoints/{name}/ground-truth", self._ground_truth, methods=["POST"]),
            Route("/invocations", self._invoke_only, methods=["POST"]),
            Route("/ping", self._ping),
            Route("/metrics", self._metrics),
            Route("/api/v1/samples", self._samples),
            Route("/api/v1/endpoints", self._endpoints),
            Route("/api/v1/endpoints/{name}", self._deploy, methods=["PUT"]),
            Route("/api/v1/captures/flush", self._flush, methods=["POST"]),
            Route("/{path:path}", self._page),
        ]
        return Starlette(routes=routes, exception_handlers={Exception: _fault})

    def deploy(self, deployment: Deployment) -> None:
        """Load the version and serve it; the one before serves until then, and goes on when this raises.

        Raises RequestRefused when the deployment is not this endpoint's, and what `load` raises.
        """
        endpoint = self._named(deployment.endpoint)
        wanted = endpoint.settings.environment
        if deployment.environment != wanted:
            where = f"deploy to endpoint {deployment.endpoint}"
            raise RequestRefused(f"{where}: want environment {wanted}, got {deployment.environment}")
        model = self.hooks.load(deployment)
        if not model.schema.inputs or not model.schema.prediction.name:
            raise ValueError("want a schema with input columns and a prediction")
        endpoint.activate(deployment, model)
        log.info("endpoint %s serves model version %d", deployment.endpoint, deployment.version)

    async def _invoke(self, request: Request) -> Response:
        return await self._invoked(request, request.path_params["name"], in_container=False)

    async def _invoke_only(self, request: Request) -> Response:
        if len(self.endpoints) != 1:
            wanted = f"POST /endpoints/NAME/invocations with NAME one of {', '.join(self.endpoints)}"
            return _failure(RequestRefused(f"invoke an endpoint: want {wanted}, got no name"))
        return await self._invoked(request, next(iter(self.endpoints)), in_container=True)

    async def _invoked(self, request: Request, name: str, *, in_container: bool) -> Response:
        if name not in self.endpoints:
            return _failure(RequestRefused(f"invoke endpoint {name}: there is no such endpoint"))
        endpoint, event_id = self.endpoints[name], str(uuid.uuid4())
        started, code = time.perf_counter(), 500
        try:
            call = self._call(request, event_id, await _body(request))
            large = len(call.body) > LARGE_BODY
            answer = await (
                run_in_threadpool(endpoint.answer, call) if large else self._moment(name).answer(call)
            )
            response = _answered(answer, endpoint.settings, event_id)
            code = response.status_code
        except WatchkeeperError as error:
            response = _failure(error, event_id, model_status=500 if in_container else 424)
            code = 500 if isinstance(error, ModelFailed) else response.status_code
        except ClientDisconnect:
            response, code = Response(status_code=400), 400
        finally:
            endpoint.counters.answered(code, time.perf_counter() - started)
        return response

    def _moment(self, name: str) -> Moment:
        if name not in self._moments:
            self._moments[name] = Moment(self.endpoints[name])
        return self._moments[name]

    def _call(self, request: Request, event_id: str, body: bytes) -> Call:
        headers = request.headers
        attributes = _ascii(headers.get("x-amzn-sagemaker-custom-attributes"), "custom attributes", 1024)
        return Call(
            event_id=event_id,
            time=self._time(headers.get(TIME_HEADER)),
            body=body,
            content_type=headers.get("content-type"),
            accept=headers.get("x-amzn-sagemaker-accept") or headers.get("accept"),
            inference_id=_ascii(headers.get("x-amzn-sagemaker-inference-id"), "inference id", 64),
            custom_attributes=(attributes,) if attributes else (),
        )

    def _time(self, stated: str | None) -> datetime:
        if stated is None:
            return datetime.now(UTC)
        if not self.rehearsal:
            raise RequestRefused(f"this server takes no {TIME_HEADER}: it was not started for a rehearsal")
        try:
            return parse_utc(stated)
        except (ValueError, OverflowError) as error:
            raise RequestRefused(f"read {TIME_HEADER}: {error}") from None

    async def _ground_truth(self, request: Request) -> Response:
        """Store labels, whole or not at all; read and stored beside the event loop."""
        try:
            endpoint = self._named(request.path_params["name"]).settings
            body = await _body(request)
            collected = self._time(request.headers.get(TIME_HEADER))
            truths = await run_in_threadpool(read_truths, body)
            delivery = LabelDelivery(endpoint.name, endpoint.environment, body, truths, collected)
            async with self._labelling:
                return _json(encode(await run_in_threadpool(self.hooks.labels, delivery)))
        except WatchkeeperError as error:
            return _failure(error)
        except ClientDisconnect:
            return Response(status_code=400)

    async def _ping(self, _: Request) -> Response:
        """200 as soon as requests are taken; whether a model is there, `GET /api/v1/endpoints` says."""
        return Response()

    async def _metrics(self, _: Request) -> Response:
        text = await run_in_threadpool(self.hooks.metrics, self._exposed())
        return Response(text, media_type=CONTENT_TYPE)

    async def _samples(self, _: Request) -> Response:
        return _json(encode(Samples(self._exposed())))

    def _exposed(self) -> tuple[Sample, ...]:
        now = datetime.now(UTC)
        return tuple(s for endpoint in self.endpoints.values() for s in endpoint.counters.samples(now))

    async def _page(self, request: Request) -> Response:
        page = await run_in_threadpool(self.hooks.pages, request.path_params["path"])
        return Response(page, media_type="text/html") if page else _error(404, "NotFound", "no such page", "")

    async def _endpoints(self, _: Request) -> Response:
        return _json(encode([_state(endpoint) for endpoint in self.endpoints.values()]))

    async def _deploy(self, request: Request) -> Response:
        event_id, name = str(uuid.uuid4()), request.path_params["name"]
        try:
            self._authorise(request)
            deployment = _deployment(await _body(request), name)
            async with self._deploying:
                await run_in_threadpool(self.deploy, deployment)
        except RequestRefused as error:
            return _failure(error)
        except MODEL_FAULTS as error:
            message = f"deploy to endpoint {name}: {error}; what was served before still is"
            return _logged(500, "DeploymentFailed", message, event_id)
        return _json(encode(_state(self._named(name))))

    async def _flush(self, request: Request) -> Response:
        try:
            self._authorise(request)
            await run_in_threadpool(self.capture.flush)
        except WatchkeeperError as error:
            return _failure(error)
        return Response(status_code=204)

    def _authorise(self, request: Request) -> None:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not secrets.compare_digest(token.encode(), self.token.encode()):
            raise RequestRefused(
                "want the bearer token of the run file", status=401, code="AccessDeniedException"
            )

    def _named(self, name: str) -> Endpoint:
        if name not in self.endpoints:
            raise RequestRefused(f"endpoint {name}: there is no such endpoint", status=404)
        return self.endpoints[name]


async def _body(request: Request) -> bytes:
    """The body. One over the limit is read on for a while, so that the client hears of it, then refused."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size <= BODY_LIMIT:
            parts.append(part)
        elif size > 4 * BODY_LIMIT:
            break
    if size > BODY_LIMIT:
        raise too_large()
    return b"".join(parts)


def _ascii(value: str | None, what: str, most: int) -> str | None:
    """A header's text; an empty one counts as none. The limits are those of SageMaker's API."""
    if value and not (value.isascii() and len(value) <= most):
        raise RequestRefused(
            f"read the header with the {what}: want at most {most} ASCII characters, "
            f"got {len(value)}: {value[:40]!a}"
        )
    return value or None


def _deployment(body: bytes, name: str) -> Deployment:
    try:
        deployment = decode(Deployment, body)
    except ValueError as error:
        raise RequestRefused(f"read the deployment: {error}") from None
    if deployment.endpoint != name:
        raise RequestRefused(
            f"deploy to endpoint {name}: the deployment names endpoint {deployment.endpoint}"
        )
    return deployment


def _state(endpoint: Endpoint) -> EndpointState:
    settings, active = endpoint.settings, endpoint.active
    return EndpointState(
        name=settings.name,
        environment=settings.environment,
        variant=settings.variant,
        sampling=settings.sampling,
        deployment=active.deployment if active else None,
        problem="" if active else endpoint.problem,
    )


def _answered(answer: Answer, settings: EndpointSettings, event_id: str) -> Response:
    headers = {
        "content-type": answer.content_type,
        "x-amzn-requestid": event_id,
        "x-amzn-invoked-production-variant": settings.variant,
        "x-watchkeeper-model-version": str(answer.version),
    }
    return Response(answer.body, headers=headers)


def _failure(error: WatchkeeperError, event_id: str = "", model_status: int = 424) -> Response:
    """An error in the runtime API's shape: what the caller can mend, or a failure with its id in the log."""
    if isinstance(error, RequestRefused):
        return _error(error.status, error.code, str(error), event_id)
    event_id = event_id or str(uuid.uuid4())
    if isinstance(error, ModelFailed):
        return _logged(model_status, "ModelError", str(error), event_id)
    return _logged(503, "ServiceUnavailable", str(error), event_id)


def _logged(status: int, code: str, message: str, event_id: str) -> Response:
    log.error("%s %s: %s", code, event_id, message, exc_info=True)
    return _error(status, code, message, event_id)


async def _fault(_: Request, error: Exception) -> Response:
    """A fault of the server's own: the caller gets its id, the log the rest."""
    event_id = str(uuid.uuid4())
    log.error("InternalFailure %s", event_id, exc_info=error)
    return _error(500, "InternalFailure", "the server failed; its log says more under this id", event_id)


def _error(status: int, code: str, message: str, event_id: str) -> Response:
    body: dict[str, object] = {"ErrorCode": code, "Message": message}
    if status >= 500 or code == "ModelError":
        body["Id"] = event_id
    if code == "ModelError":
        body |= {"OriginalStatusCode": 500, "OriginalMessage": message}
    response = _json(encode(body), status)
    response.headers["x-amzn-errortype"] = code
    if event_id:
        response.headers["x-amzn-requestid"] = event_id
    return response


def _json(body: bytes, status: int = 200) -> Response:
    return Response(body, status_code=status, media_type="application/json")
