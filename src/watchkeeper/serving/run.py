"""The server as a process: one per workspace, found by its run file, its captures shipped when it ends."""

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
from pathlib import Path
from types import FrameType

import uvicorn

from watchkeeper.core.encoding import encode
from watchkeeper.core.errors import PlatformError, WatchkeeperError
from watchkeeper.core.ports import Store
from watchkeeper.core.values import Deployment, RunningServer
from watchkeeper.serving.capture import CaptureWriter
from watchkeeper.serving.counters import EndpointCounters
from watchkeeper.serving.endpoint import MODEL_FAULTS, Endpoint
from watchkeeper.serving.server import EndpointServer, Hooks
from watchkeeper.serving.settings import EndpointSettings, ServerSettings

SHIP_EVERY = 1.0  # seconds between two looks at which capture files are due
_BACKLOG = 2048

log = logging.getLogger(__name__)


def serve(settings: ServerSettings, store: Store, deployments: Sequence[Deployment], hooks: Hooks) -> None:
    """Serve until SIGTERM or SIGINT; then every request is answered and every capture in the store.

    To be called on the main thread, which alone hears signals.

    Captures that an earlier process left in the spool are shipped first. A deployment that cannot
    be loaded leaves its endpoint answering 503 with the reason, and the others serving. Raises
    PlatformError when another server holds the workspace, the port is taken, or captures cannot be
    shipped (they stay in the spool).
    """
    with _alone(settings.run_file.parent), listening(settings.host, settings.port) as listener:
        server = endpoint_server(settings, store, hooks)
        server.capture.recover()
        for deployment in deployments:
            _start(server, deployment)
        program = program_of(server)
        here = RunningServer(os.getpid(), listener.getsockname()[1], server.token)
        with _ended_by_signals(program), shipping(server.capture), _announced(settings.run_file, here):
            program.run(sockets=[listener])
        server.capture.flush()


def endpoint_server(settings: ServerSettings, store: Store, hooks: Hooks) -> EndpointServer:
    """The endpoints of the settings, none with a model yet, and a fresh token."""
    capture = CaptureWriter(store, settings.spool)
    return EndpointServer(
        endpoints={each.name: _endpoint(settings.project, each, capture) for each in settings.endpoints},
        capture=capture,
        hooks=hooks,
        token=secrets.token_urlsafe(32),
        rehearsal=settings.rehearsal,
    )


def program_of(server: EndpointServer) -> uvicorn.Server:
    """The program that serves it, its models loaded: what lives by now is left out of garbage collections.

    A full collection would go through all of it, for some 90 ms in which nobody is answered.
    """
    gc.collect()
    gc.freeze()
    config = uvicorn.Config(
        server.application(), lifespan="off", log_config=None, access_log=False, proxy_headers=False
    )
    return uvicorn.Server(config)


@contextlib.contextmanager
def shipping(capture: CaptureWriter) -> Iterator[None]:
    """Ship capture files as they come due, on a thread of its own, while the block runs."""
    over = threading.Event()

    def ship() -> None:
        while not over.wait(SHIP_EVERY):
            try:
                capture.ship()
            except WatchkeeperError as error:
                log.error("capture: %s; the file stays in the spool and is tried again", error)

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


def _endpoint(project: str, settings: EndpointSettings, capture: CaptureWriter) -> Endpoint:
    labels = {"project": project, "environment": settings.environment, "endpoint": settings.name}
    return Endpoint(settings, capture, EndpointCounters(labels))


def _start(server: EndpointServer, deployment: Deployment) -> None:
    try:
        server.deploy(deployment)
    except MODEL_FAULTS as error:
        log.error("endpoint %s: model version %d: %s", deployment.endpoint, deployment.version, error)
        if deployment.endpoint in server.endpoints:
            server.endpoints[deployment.endpoint].problem = f"model version {deployment.version}: {error}"


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
