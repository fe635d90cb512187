"""What of this machine and this project is as it should be, and how to mend what is not."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.adapters.local.endpoint import running_server
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.adapters.local.trail import FolderTrail
from watchkeeper.adapters.secrets import REFERENCE, resolve
from watchkeeper.app.setup.alert_sections import BY_SECRET_URL
from watchkeeper.app.setup.audit import verify_log
from watchkeeper.app.setup.check import Check, Finding
from watchkeeper.app.setup.project import FILE, load_project
from watchkeeper.core.errors import WatchkeeperError

PORT = 8321  # what `watchkeeper up` listens on
LEAST_FREE = 1024**3  # bytes
_OLDEST = (3, 11)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything that was looked at."""

    checks: tuple[Check, ...]

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong; something may be missing that not everybody needs."""
        return all(check.finding is not Finding.WRONG for check in self.checks)


def diagnose(workspace: Path, environment: dict[str, str]) -> Diagnosis:
    """Look at the machine, then at the project; nothing is changed and nobody is asked over the network."""
    checks = [_python(), _disk(workspace), *_programs(), _data(environment)]
    if not (workspace / FILE).is_file():
        mend = "`watchkeeper init FOLDER` makes a project; --workspace names another folder"
        checks.append(Check("project", Finding.MISSING, f"no {FILE} in {workspace}", mend))
        return Diagnosis(tuple(checks))
    checks += [_project(workspace), *_telling(workspace), _writable(workspace)]
    checks += [*_records(workspace), _server(workspace)]
    return Diagnosis(tuple(checks))


def _python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < _OLDEST:
        return Check("Python", Finding.WRONG, found, "install Python 3.11 or newer")
    return Check("Python", Finding.FINE, found)


def _disk(workspace: Path) -> Check:
    there = next(path for path in (workspace.resolve(), *workspace.resolve().parents) if path.exists())
    free = shutil.disk_usage(there).free
    said = f"{free / 1024**3:,.1f} GiB free at {there}"
    if free < LEAST_FREE:
        return Check("disk", Finding.WRONG, said, "make room: what cannot be captured is not answered")
    return Check("disk", Finding.FINE, said)


def _programs() -> Iterator[Check]:
    for name, why in (
        ("promtool", "checks the alert rules you export"),
        ("java", "runs the Spark engine"),
        ("docker", "builds the images in deploy/containers"),
    ):
        place = shutil.which(name)
        if place:
            yield Check(name, Finding.FINE, place)
        else:
            yield Check(name, Finding.MISSING, f"not in the PATH; it {why}", "install it if you need that")


def _data(environment: dict[str, str]) -> Check:
    variable = "WATCHKEEPER_HDB_CSV"
    named = environment.get(variable)
    if not named:
        mend = f"set {variable} to a copy of the file; else the publisher is asked, or rows are generated"
        return Check("data", Finding.MISSING, f"{variable} is not set", mend)
    if not Path(named).is_file():
        return Check("data", Finding.WRONG, f"{variable} names {named}, which is no file", "mend or unset it")
    return Check("data", Finding.FINE, named)


def _tried(what: str, mend: str, look: Callable[[], str]) -> Check:
    try:
        return Check(what, Finding.FINE, look())
    except WatchkeeperError as error:
        return Check(what, Finding.WRONG, str(error), mend)


def _project(workspace: Path) -> Check:
    def look() -> str:
        project = load_project(workspace)
        return f"{project.name}, environments {' → '.join(project.environments)}"

    return _tried("project", "`watchkeeper config check` names each line", look)


def _telling(workspace: Path) -> Iterator[Check]:
    """Libraries and secrets that receivers ask for; nothing of a project that cannot be read."""
    try:
        project = load_project(workspace)
    except WatchkeeperError:
        return
    settings = [project.environment(name) for name in project.environments]
    ways = [way for each in settings for named in each.receivers.values() for way in named]
    pushes = [to for each in settings for to in each.telemetry.remote_write]
    wanted = {"apprise": "notify"} if any(way.kind in BY_SECRET_URL for way in ways) else {}
    wanted |= {"cramjam": "push"} if pushes else {}
    for library, extra in wanted.items():
        if importlib.util.find_spec(library) is None:
            mend = f"pip install 'watchkeeper[{extra}]'"
            yield Check(library, Finding.WRONG, "the project asks for it, and it is not installed", mend)
    told = [text for way in ways for text in way.options().values()]
    texts = {*told, *(to.token or "" for to in pushes)}
    for reference in sorted(text for text in texts if REFERENCE.fullmatch(text)):
        mend = "give it to the process that runs `watchkeeper up`"
        yield _tried(f"secret {reference}", mend, partial(_there, reference))


def _there(reference: str) -> str:
    resolve(reference)
    return "there"


def _writable(workspace: Path) -> Check:
    if os.access(workspace, os.W_OK | os.X_OK):
        return Check("workspace", Finding.FINE, str(workspace.resolve()))
    return Check(
        "workspace", Finding.WRONG, f"{workspace} cannot be written to", "give yourself the right to"
    )


def _records(workspace: Path) -> Iterator[Check]:
    store = FolderStore(workspace.resolve())
    trail = FolderTrail(store, WallClock())
    if not (workspace / "audit").exists():
        yield Check("audit log", Finding.FINE, "no entries yet")
        return

    def look() -> str:
        found = verify_log(trail)
        return f"{found.entries:,} entries" if found.verified else "broken"

    check = _tried("audit log", "`watchkeeper audit verify` says where", look)
    if check.found == "broken":
        check = Check(
            "audit log", Finding.WRONG, "it does not verify", "`watchkeeper audit verify` says where"
        )
    yield check


def _server(workspace: Path) -> Check:
    run_file = workspace.resolve() / "run" / "server.json"
    if run_file.exists():

        def look() -> str:
            here = running_server(run_file)
            with socket.socket() as probe:
                probe.settimeout(1.0)
                up = probe.connect_ex(("127.0.0.1", here.port)) == 0
            return f"process {here.pid} on port {here.port}" if up else ""

        check = _tried("server", "stop it and start `watchkeeper up` again", look)
        if check.found:
            return check
        mend = "start `watchkeeper up`: captures it left in spool/ are shipped then"
        return Check("server", Finding.WRONG, "its run file is there and nobody answers: it was killed", mend)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", PORT))
        except OSError:
            mend = "`watchkeeper up --port N` takes another"
            return Check(
                "server", Finding.MISSING, f"none runs here, and port {PORT} is taken by another", mend
            )
    return Check(
        "server", Finding.MISSING, f"none runs here; port {PORT} is free", "`watchkeeper up` starts one"
    )
