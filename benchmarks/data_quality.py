"""How fast data quality is judged, as ratios against peers measured in the same run.

Usage: data_quality.py [parquet] [captures] (default: both). Whole processes, imports included, three runs
each by turns, medians. The command timed is `watchkeeper monitor run data-quality` with default settings,
leaving every file and the page. Peers' scripts and the generator lie in the shared folder
(WATCHKEEPER_SHARED), their environments in WATCHKEEPER_PEERS (`make bench-deps`); one that is not there is
named and left out. The machine should be idle. Prints its figures as one JSON object on the last line.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
LIB = CHECKOUT / "benchmarks" / "lib"
RECIPES = Path(os.environ.get("WATCHKEEPER_SHARED", CHECKOUT.parent / "shared")).resolve() / "bench" / "peers"
PEERS = Path(os.environ.get("WATCHKEEPER_PEERS", CHECKOUT / ".peers")).resolve()
DATA = Path(os.environ.get("BENCH_DATA", CHECKOUT / "build" / "bench")).resolve()
SHARED_AS_IT_IS = {"PYTHONDONTWRITEBYTECODE": "1"}  # scripts in the shared folder leave nothing there
RUNS = 3
SIZE = "1m"
WANTED = {"evidently": 20, "whylogs": 15, "tfdv": 4, "spark": 12}
SMALL, LARGE = 1_000_000, 5_000_000
WATCHKEEPER = [sys.executable, "-m", "watchkeeper"]


def environment(**further: str) -> dict[str, str]:
    """Ours. Bytecode is compiled for everybody: that of peers came with `make bench-deps`."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "BENCH_DATA": str(DATA), "PYTHONWARNINGS": "ignore", **further}


def timed(argv: list[str], **further: str) -> float:
    """Wall seconds of a whole process. Raises SystemExit when it fails (1 is a verdict)."""
    started = time.perf_counter()
    done = subprocess.run(
        argv, env=environment(**further), cwd=RECIPES, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - started
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(argv)}: exit {done.returncode}\n{done.stderr[-2000:]}")
    return seconds


def judge(data: Path, out: Path, baseline: Path | None = None) -> list[str]:
    """The shipped command."""
    given = ["--baseline", str(baseline)] if baseline else []
    return [*WATCHKEEPER, "monitor", "run", "data-quality", "--input", str(data), *given, "--out", str(out)]


def parquet() -> dict[str, object]:
    """1,000,000 rows of 12 columns: both sides profiled, drift, every file."""
    if not (DATA / SIZE / "current.parquet").exists():
        timed([str(PEERS / "limits/bin/python"), str(RECIPES / "gen.py"), SIZE], **SHARED_AS_IT_IS)
    present = [name for name in WANTED if (PEERS / name / "bin/python").exists()]
    for name in WANTED.keys() - set(present):
        print(f"{name:<12} not installed, left out (make bench-deps)")
    taken: dict[str, list[float]] = {name: [] for name in ("watchkeeper", *present)}
    with tempfile.TemporaryDirectory() as folder:
        ours = judge(DATA / SIZE / "current.parquet", Path(folder) / "out", DATA / SIZE / "baseline.parquet")
        timed(ours)  # bytecode and page cache
        for _ in range(RUNS):
            taken["watchkeeper"].append(timed(ours))
            for name in present:
                python = str(PEERS / name / "bin/python")
                script = str(RECIPES / f"peer_{name}.py")
                taken[name].append(timed([python, script, SIZE], **SHARED_AS_IT_IS))
    median = {name: statistics.median(seconds) for name, seconds in taken.items()}
    own = median.pop("watchkeeper")
    print(f"{'watchkeeper':<12} {own:7.2f} s {taken['watchkeeper']}")
    for name, seconds in median.items():
        print(f"{name:<12} {seconds:7.2f} s  {seconds / own:5.1f} x, wanted {WANTED[name]} x")
    return {"seconds": own, "ratios": {name: round(seconds / own, 2) for name, seconds in median.items()}}


def captures() -> dict[str, object]:
    """The slope from 1 to 5 million capture records against the fastest parse that reads them right."""
    folders = {}
    for records in (SMALL, LARGE):
        folders[records] = DATA / f"captures-{records // 1_000_000}m"
        current = str(DATA / SIZE / "current.parquet")
        timed([sys.executable, str(LIB / "captures.py"), current, str(folders[records]), str(records)])
    with tempfile.TemporaryDirectory() as folder:
        baseline = Path(folder) / "baseline"
        timed(judge(folders[SMALL], baseline))
        taken: dict[int, list[float]] = {SMALL: [], LARGE: []}
        for _ in range(RUNS):
            for records, seconds in taken.items():
                seconds.append(timed(judge(folders[records], Path(folder) / "out", baseline)))
    slope = (LARGE - SMALL) / (statistics.median(taken[LARGE]) - statistics.median(taken[SMALL]))
    found: dict[str, object] = {
        "records_per_second": round(slope),
        "seconds": {str(records): round(statistics.median(seconds), 2) for records, seconds in taken.items()},
    }
    print(f"captures: {slope:,.0f} records a second")
    reference = PEERS / "limits/bin/python"
    if reference.exists():
        rates = []
        for _ in range(RUNS):
            said = subprocess.run(
                [str(reference), str(LIB / "reference_parse.py"), str(folders[SMALL])],
                capture_output=True, text=True, check=True, env=environment(),
            )  # fmt: skip
            parsed = json.loads(said.stdout.splitlines()[-1])
            rates.append(parsed["records"] / parsed["seconds"])
        rate = statistics.median(rates)
        print(f"reference parse: {rate:,.0f} records a second; ratio {slope / rate:.2f}, wanted 0.40")
        found |= {"reference_records_per_second": round(rate), "ratio": round(slope / rate, 3)}
    return found


def main(parts: list[str]) -> None:
    """Measure what was asked for."""
    found = {name: part() for name, part in (("parquet", parquet), ("captures", captures)) if name in parts}
    print(json.dumps({"benchmark": "data_quality", "runs": RUNS, **found}))


if __name__ == "__main__":
    main(sys.argv[1:] or ["parquet", "captures"])
