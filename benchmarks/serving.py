"""What capture costs the endpoint, and how it stands beside servers that answer one request at a time.

Usage: serving.py [SECONDS] (default 6, of each run), with wrk in the PATH. One worker each, the same model of
resale prices, one row of CSV a request; wrk shares the two cores. With and without capture run in five
alternating pairs at 32 connections; plain FastAPI and bare Starlette, without capture, run between them as
often. Printed are medians and their ratios; one JSON object is on the last line.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from attributions import CHECKOUT, fitted, rows

from watchkeeper.app.project import load_project
from watchkeeper.app.schema_inference import schema_of
from watchkeeper.model.artefact import Model, save
from watchkeeper.model.features import Encoder

PAIRS = 5
_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


@dataclass(frozen=True, slots=True)
class Run:
    """What wrk says of one run: requests a second, and the 99th percentile of latency in ms."""

    rate: float
    p99: float


def artefact(folder: Path) -> tuple[Path, str]:
    """A model of resale prices as files, and a row to ask it about."""
    project, table = load_project(CHECKOUT / "projects" / "resale_price"), rows()
    columns = {name: table[name].to_list() for name in table.columns}
    price = table["resale_price"].cast(pl.Float64).to_numpy()
    encoder = Encoder.fit(project.settings.training.training_settings().features, columns, price)
    model = Model(encoder, fitted(table)[0], schema_of(project, table), "resale_price")
    save(folder / "model", model, {name: cells[:5] for name, cells in columns.items()})
    return folder / "model", ",".join(columns[column.name][0] for column in model.schema.inputs)


@contextlib.contextmanager
def serving(kind: str, model: Path, folder: Path) -> Iterator[str]:
    """A server of that kind; the address of its invocations."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / kind).mkdir()
    app = CHECKOUT / "benchmarks" / "lib" / "serving_apps.py"
    process = subprocess.Popen([sys.executable, app, kind, model, folder / kind, str(port)])
    try:
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/invocations"
    finally:
        process.terminate()
        process.wait()


def load(url: str, script: Path, connections: int, seconds: int) -> Run:
    """One run of wrk. Raises SystemExit when an answer was not a 200."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(script), url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise SystemExit(f"wrk against {url}: want answers, got\n{said}")
    rate, late = re.search(r"Requests/sec:\s+([\d.]+)", said), re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    if rate is None or late is None:
        raise SystemExit(f"wrk against {url}: want its figures, got\n{said}")
    return Run(float(rate[1]), float(late[1]) * _UNITS[late[2]])


def middle(runs: list[Run]) -> Run:
    return Run(statistics.median(run.rate for run in runs), statistics.median(run.p99 for run in runs))


def main(seconds: int) -> None:
    """Start all four, load them in turn, and compare."""
    if shutil.which("wrk") is None:
        raise SystemExit("no wrk in the PATH: make test-deps installs it")
    kinds = ("captured", "uncaptured", "fastapi", "starlette")
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as servers:
        folder = Path(name)
        model, row = artefact(folder)
        script = folder / "post.lua"
        script.write_text(f'wrk.method="POST"\nwrk.headers["Content-Type"]="text/csv"\nwrk.body="{row}"\n')
        urls = {kind: servers.enter_context(serving(kind, model, folder)) for kind in kinds}
        found: dict[tuple[str, int], list[Run]] = {(kind, c): [] for kind in kinds for c in (1, 32)}
        for kind in kinds:
            load(urls[kind], script, 32, 1)  # warmed up
        for turn in range(PAIRS):
            order = kinds if turn % 2 == 0 else (kinds[1], kinds[0], *kinds[2:])
            for connections in (32, 1):
                for kind in order:
                    found[kind, connections].append(load(urls[kind], script, connections, seconds))
    medians = {key: middle(runs) for key, runs in found.items()}
    for (kind, connections), run in medians.items():
        print(f"{kind:<11} c={connections:<3} {run.rate:8,.0f} requests/s, p99 {run.p99:6.2f} ms")
    pairs = zip(found["captured", 32], found["uncaptured", 32], strict=True)
    ours, bare = medians["captured", 32], medians["uncaptured", 32]
    figures = {
        "capture_ratio": statistics.median(one.rate / other.rate for one, other in pairs),
        "capture_p99_ms": ours.p99,
        "without_p99_ms": bare.p99,
        "of_fastapi_at_32": ours.rate / medians["fastapi", 32].rate,
        "of_starlette_at_1": medians["captured", 1].rate / medians["starlette", 1].rate,
    }
    rates = {f"{kind}_{c}": round(run.rate) for (kind, c), run in medians.items()}
    print(json.dumps({"benchmark": "serving", **{k: round(v, 3) for k, v in figures.items()}, **rates}))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 6)
