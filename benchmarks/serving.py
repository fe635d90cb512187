"""What capture costs the endpoint, and how it stands beside servers that answer one request at a time.

Usage: serving.py [SECONDS] (default 6, of each run), with wrk in the PATH. One worker each, the same model of
resale prices, one row of CSV a request; wrk shares the two cores. All four run in five alternating turns:
ours with and without capture, plain FastAPI and bare Starlette without it. Each turn has fresh processes, as
one process is faster than another by chance. Printed are medians, and medians of the ratios of one turn; one
JSON object is on the last line, with every run.
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

from watchkeeper.app.registry.schema_inference import schema_of
from watchkeeper.app.setup.project import load_project
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
    (folder / kind).mkdir(parents=True)
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


def paired(ours: list[Run], others: list[Run]) -> float:
    """The median of the ratios of runs that followed each other."""
    return statistics.median(one.rate / other.rate for one, other in zip(ours, others, strict=True))


def main(seconds: int) -> None:
    """Start all four, load them in turn, and compare."""
    if shutil.which("wrk") is None:
        raise SystemExit("no wrk in the PATH: make test-deps installs it")
    kinds = ("captured", "uncaptured", "fastapi", "starlette")
    found: dict[tuple[str, int], list[Run]] = {(kind, c): [] for kind in kinds for c in (1, 32)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model, row = artefact(folder)
        script = folder / "post.lua"
        script.write_text(f'wrk.method="POST"\nwrk.headers["Content-Type"]="text/csv"\nwrk.body="{row}"\n')
        for turn in range(PAIRS):
            order = kinds if turn % 2 == 0 else kinds[::-1]
            with contextlib.ExitStack() as servers:
                place = folder / str(turn)
                urls = {kind: servers.enter_context(serving(kind, model, place)) for kind in kinds}
                for kind in kinds:
                    load(urls[kind], script, 32, 1)  # warmed up
                for connections in (1, 32):
                    for kind in order:
                        found[kind, connections].append(load(urls[kind], script, connections, seconds))
    medians = {key: middle(runs) for key, runs in found.items()}
    for (kind, connections), run in medians.items():
        print(f"{kind:<11} c={connections:<3} {run.rate:8,.0f} requests/s, p99 {run.p99:6.2f} ms")
    figures = {
        "capture_ratio": paired(found["captured", 32], found["uncaptured", 32]),
        "capture_p99_ms": medians["captured", 32].p99,
        "without_p99_ms": medians["uncaptured", 32].p99,
        "of_fastapi_at_32": paired(found["captured", 32], found["fastapi", 32]),
        "of_starlette_at_1": paired(found["captured", 1], found["starlette", 1]),
    }
    rates = {f"{kind}_{c}": round(run.rate) for (kind, c), run in medians.items()}
    runs = {f"{kind}_{c}_runs": [round(run.rate) for run in each] for (kind, c), each in found.items()}
    rounded = {name: round(figure, 3) for name, figure in figures.items()}
    print(json.dumps({"benchmark": "serving", **rounded, **rates, **runs}))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 6)
