"""The endpoints of one machine: our server as a process, reached over HTTP on loopback."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from watchkeeper.adapters.local.programs import end
from watchkeeper.core.encoding import decode, encode
from watchkeeper.core.errors import PlatformError
from watchkeeper.core.values import Candidate, Deployment, RunningServer, Sample, Samples

_POLL = 0.05  # seconds between two looks whether the server answers
_STDERR_TAIL = 2000  # bytes


@dataclass(frozen=True, slots=True)
class LocalEndpointHost:
    """An `EndpointHost` that asks the server whose run file this is. `timeout` is in seconds."""

    run_file: Path
    timeout: float = 60.0

    def deploy(self, deployment: Deployment) -> None:
        doing = f"deploy model version {deployment.version} to endpoint {deployment.endpoint}"
        self._ask(doing, "PUT", f"/api/v1/endpoints/{deployment.endpoint}", encode(deployment))

    def try_out(self, candidate: Candidate) -> None:
        doing = f"try model version {candidate.version} on endpoint {candidate.endpoint}"
        self._ask(doing, "PUT", f"/api/v1/endpoints/{candidate.endpoint}/candidate", encode(candidate))

    def withdraw(self, candidate: Candidate) -> None:
        doing = f"withdraw model version {candidate.version} from endpoint {candidate.endpoint}"
        self._ask(doing, "DELETE", f"/api/v1/endpoints/{candidate.endpoint}/candidate")

    def flush(self) -> None:
        self._ask("flush captures", "POST", "/api/v1/captures/flush")

    def samples(self) -> Sequence[Sample]:
        body = self._ask("read the endpoints' samples", "GET", "/api/v1/samples").content
        return decode(Samples, body).samples

    def url(self) -> str:
        """Where the server answers, without a slash at the end. Raises PlatformError when none runs."""
        return f"http://127.0.0.1:{running_server(self.run_file).port}"

    def _ask(self, doing: str, method: str, path: str, body: bytes = b"") -> httpx.Response:
        server = running_server(self.run_file)
        try:
            response = httpx.request(
                method,
                f"http://127.0.0.1:{server.port}{path}",
                content=body,
                headers={"authorization": f"Bearer {server.token}", "content-type": "application/json"},
                timeout=self.timeout,
                trust_env=False,
            )
        except httpx.HTTPError as error:
            raise _unreachable(doing, server, error) from error
        if response.is_error:
            raise PlatformError(f"{doing}: {words_of(response)}", retryable=response.status_code == 503)
        return response


def running_server(run_file: Path) -> RunningServer:
    """What the run file says. Raises PlatformError when there is none, or it is something else."""
    try:
        return decode(RunningServer, run_file.read_bytes())
    except FileNotFoundError:
        message = f"read {run_file}: no server runs here (start one with `watchkeeper up`)"
        raise PlatformError(message, retryable=True) from None
    except (OSError, ValueError) as error:
        raise PlatformError(f"read {run_file}: {error}", retryable=False) from error


@contextlib.contextmanager
def started_server(
    argv: Sequence[str], run_file: Path, patience: float = 60.0
) -> Iterator[LocalEndpointHost]:
    """Run the server's command while the block runs, and end it by SIGTERM, which ships its captures.

    The process is given a pipe as its standard input that closes when this one ends, however it
    ends, so that it need not outlive it. Yields once it answers. What it writes to stderr goes to
    `server.log` beside the run file.
    Raises PlatformError, with the end of that, when it is not up within `patience` seconds or
    does not end as asked.
    """
    run_file.parent.mkdir(parents=True, exist_ok=True)
    errors = run_file.with_name("server.log")
    with errors.open("wb") as log:
        process = subprocess.Popen(list(argv), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=log)
    try:
        _await(process, run_file, patience, errors)
        yield LocalEndpointHost(run_file)
    except BaseException:
        end(process, patience)
        raise
    if code := end(process, patience):
        raise PlatformError(f"stop the server: it ended with {code}{_tail(errors)}", retryable=False)


def _await(process: subprocess.Popen[bytes], run_file: Path, patience: float, errors: Path) -> None:
    deadline = time.monotonic() + patience
    while process.poll() is None and time.monotonic() < deadline:
        if _answers(process.pid, run_file):
            return
        time.sleep(_POLL)
    how = "it does not answer" if process.returncode is None else f"it ended with {process.returncode}"
    raise PlatformError(f"start the server: {how}{_tail(errors)}", retryable=True)


def _answers(pid: int, run_file: Path) -> bool:
    """Whether this process (and not one before it, that left its run file) takes requests."""
    try:
        server = running_server(run_file)
        if server.pid != pid:
            return False
        return httpx.get(f"http://127.0.0.1:{server.port}/ping", timeout=5.0, trust_env=False).is_success
    except (PlatformError, httpx.HTTPError):
        return False


def _tail(errors: Path) -> str:
    text = errors.read_bytes()[-_STDERR_TAIL:].decode(errors="replace").strip()
    return f"; the end of {errors}:\n{text}" if text else f"; it wrote nothing to {errors}"


def words_of(response: httpx.Response) -> str:
    """The server's own words, or its status when it has none."""
    try:
        body = response.json()
    except ValueError:
        body = None
    said = body.get("Message") if isinstance(body, dict) else None
    return str(said) if said else f"the server answered {response.status_code}"


def _unreachable(doing: str, server: RunningServer, error: httpx.HTTPError) -> PlatformError:
    where = f"the server of process {server.pid} on port {server.port}"
    return PlatformError(
        f"{doing}: {where} does not answer ({type(error).__name__}: {error})", retryable=True
    )
