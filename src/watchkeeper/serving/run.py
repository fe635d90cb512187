"""The server as a process: one per workspace, found by its run file, its captures shipped when it ends.

With several workers it looks after them, and each of them is a process that runs the same command.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import logging
import os
import secrets
import signal
import socket
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import orjson
import uvicorn

from watchkeeper.core.encoding import encode, restore
from watchkeeper.core.errors import PlatformError, WatchkeeperError
from watchkeeper.core.ports import Store
from watchkeeper.core.values import Candidate, Deployment, RunningServer
from watchkeeper.serving.capture import CaptureWriter
from watchkeeper.serving.endpoint import Endpoint
from watchkeeper.serving.predicting import MODEL_FAULTS
from watchkeeper.serving.seat import Seat
from watchkeeper.serving.server import EndpointServer, EndpointState, Hooks
from watchkeeper.serving.settings import ServerSettings
from watchkeeper.serving.workers import Place, place_of_this_process, supervise

SHIP_EVERY = 1.0  # seconds between two looks at which capture files are due
_BACKLOG = 2048

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Served:
    """What is on record as served when a server starts."""

    deployments: Sequence[Deployment] = ()
    candidates: Sequence[Candidate] = ()


def serve(settings: ServerSettings, store: Store, served: Served, hooks: Hooks) -> None:
    """Serve until SIGTERM or SIGINT; then every request is answered and every capture in the store.

    To be called on the main thread, which alone hears signals.

    Captures that an earlier process left in the spool are shipped first. A deployment that cannot
    be loaded leaves its endpoint answering 503 with the reason, and the others serving. Raises
    PlatformError when another server holds the workspace, the port is taken, or captures cannot be
    shipped (they stay in the spool).
    """
    if place := place_of_this_process():
        _work(settings, store, served, hooks, place)
        return
    with _alone(settings.run_file.parent), listening(settings.host, settings.port) as listener:
        _recover(settings, store)
        seat = Seat(secrets.token_urlsafe(32))
        here = RunningServer(os.getpid(), listener.getsockname()[1], seat.token)
        announced = _announced(settings.run_file, here)
        if settings.workers > 1:
            supervise(settings.workers, listener, seat.token, announced)
            return
        server = endpoint_server(settings, store, hooks, seat)
        _answer(server, served, [listener], announced)


def _work(settings: ServerSettings, store: Store, served: Served, hooks: Hooks, place: Place) -> None:
    """Be one of several workers. One that is started anew serves what the others do."""
    server = endpoint_server(settings, store, hooks, place.seat)
    server.capture.recover()
    found = _heard(place.seat) if place.again else None
    with place.sockets() as sockets:
        _answer(server, found or served, sockets, contextlib.nullcontext())


def _heard(seat: Seat) -> Served | None:
    """What the other workers serve; None when none of them answers."""
    for reply in seat.hear("/api/v1/endpoints"):
        states = [restore(EndpointState, each) for each in orjson.loads(reply.body)]
        return Served(
            [each.deployment for each in states if each.deployment],
            [each.candidate for each in states if each.candidate],
        )
    return None


def _recover(settings: ServerSettings, store: Store) -> None:
    """Ship what an earlier process left in the spool, and what its workers did in theirs."""
    for spool in (*sorted(settings.spool.glob("worker-*")), settings.spool):
        CaptureWriter(store, spool).recover()


def _answer(
    server: EndpointServer,
    served: Served,
    sockets: list[socket.socket],
    announced: contextlib.AbstractContextManager[None],
) -> None:
    """Load what is served and answer until a signal; then ship every capture."""
    for deployment in served.deployments:
        _start(server, deployment)
    for candidate in served.candidates:
        _start_trial(server, candidate)
    leave_out_of_collections()
    program = program_of(server)
    with _ended_by_signals(program), shipping(server), announced:
        program.run(sockets=sockets)
    server.capture.flush()


def endpoint_server(
    settings: ServerSettings, store: Store, hooks: Hooks, seat: Seat | None = None
) -> EndpointServer:
    """The endpoints of the settings, none with a model yet; without a seat, alone and with a fresh token."""
    seat = seat or Seat(secrets.token_urlsafe(32))
    capture = CaptureWriter(store, settings.spool_of(seat.number))
    common = {"project": settings.project, **seat.labels}
    return EndpointServer(
        endpoints={each.name: Endpoint.of(common, each, capture) for each in settings.endpoints},
        capture=capture,
        hooks=hooks,
        seat=seat,
        project=settings.project,
        rehearsal=settings.rehearsal,
    )


def leave_out_of_collections() -> None:
    """Let what lives by now, modules and models, be no part of later garbage collections.

    A full collection would go through all of it, for some 90 ms in which nobody is answered.
    """
    gc.collect()
    gc.freeze()


def program_of(server: EndpointServer) -> uvicorn.Server:
    """The program that serves it."""
    config = uvicorn.Config(
        server.application(), lifespan="off", log_config=None, access_log=False, proxy_headers=False
    )
    return uvicorn.Server(config)


@contextlib.contextmanager
def shipping(server: EndpointServer) -> Iterator[None]:
    """On a thread of its own ship capture files as they come due, and tell of capture that is off.

    While the block runs, and once more at its end.
    """
    over = threading.Event()

    def ship() -> None:
        last = False
        while not last:
            last = over.wait(SHIP_EVERY)
            try:
                server.capture.ship()
            except WatchkeeperError as error:
                log.error("capture: %s; the file stays in the spool and is tried again", error)
            try:
                server.tell_of_capture()
            except WatchkeeperError as error:
                log.error("capture: that it went off or on is told later: %s", error)

    thread = threading.Thread(target=ship, name="capture-shipping", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextlib.contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """The listening socket; from here on a client that connects is answered, if only later."""
    try:
        listener = socket.create_server((host, port), backlog=_BACKLOG)
    except OSError as error:
        raise PlatformError(f"listen on {host}:{port}: {error.strerror or error}", retryable=True) from error
    with listener:
        # Accepted sockets inherit it. Without it an answer's body waits some 40 ms for the client to
        # acknowledge its headers: asyncio turns it on only for sockets made with the protocol named.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield listener


def _start(server: EndpointServer, deployment: Deployment) -> None:
    try:
        server.deployments.serve(deployment)
    except MODEL_FAULTS as error:
        log.error("endpoint %s: model version %d: %s", deployment.endpoint, deployment.version, error)
        if deployment.endpoint in server.endpoints:
            problem = f"model version {deployment.version}: {error}"
            server.endpoints[deployment.endpoint].main.problem = problem


def _start_trial(server: EndpointServer, candidate: Candidate) -> None:
    try:
        server.deployments.serve(candidate)
    except MODEL_FAULTS as error:
        kind, version = candidate.kind, candidate.version
        log.error("endpoint %s: %s, model version %d: %s", candidate.endpoint, kind, version, error)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the workspace: the lock goes with the process, however that ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "server.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PlatformError(
                f"serve {folder.parent}: another server is running there", retryable=True
            ) from None
        yield


@contextlib.contextmanager
def _announced(path: Path, here: RunningServer) -> Iterator[None]:
    """The run file while the block runs, readable by its owner alone: it holds the token."""
    temporary = path.with_name(f".part-{here.pid}")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(encode(here))
    temporary.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _ended_by_signals(program: uvicorn.Server) -> Iterator[None]:
    """End in order on SIGTERM and SIGINT.

    Uvicorn raises a signal again once it has shut down, which by default would end the process
    before its captures are shipped.
    """

    def end(_number: int, _frame: FrameType | None) -> None:
        program.should_exit = True

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
