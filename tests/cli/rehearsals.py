"""Short rehearsals as processes of their own: a few hundred look-alike sales in a market that rises."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tests.cli.workspaces import small_data, small_project
from tests.shared import CHECKOUT
from watchkeeper.adapters.sources.lookalike import sales

PATIENCE = 120.0  # seconds that anything here may take on a busy machine


def rising(last: str = "2020-03") -> pl.DataFrame:
    """Every twentieth look-alike sale from 2018-12 on, half as dear again from 2019-12 on.

    The first model has not seen that month, and the first retrain has.
    """
    rows = sales(0).filter(pl.col("month").is_between(pl.lit("2018-12"), pl.lit(last))).gather_every(20)
    price = pl.col("resale_price")
    dearer = pl.when(pl.col("month") >= "2019-12").then(price.cast(pl.Float64) * 1.5)
    return rows.with_columns(
        dearer.round(0).cast(pl.Int64).cast(pl.String).fill_null(price).alias("resale_price")
    )


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A project and data to rehearse, and the folder it goes into."""

    project: Path
    data: Path
    out: Path

    def argv(self, *more: str) -> list[str]:
        """The command line of a rehearsal of 2020-01 to 2020-03."""
        command = [sys.executable, "-m", "watchkeeper", "rehearse", "--no-serve", "--until", "2020-03"]
        named = ["--project", str(self.project), "--data", str(self.data), "--out", str(self.out)]
        return [*command, *named, *more]

    def run(self, *more: str, before: Callable[[], None] | None = None) -> subprocess.CompletedProcess[str]:
        """The rehearsal to its end; `before` is called in the child."""
        return subprocess.run(
            self.argv(*more),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            env=offline(),
            timeout=PATIENCE,
            preexec_fn=before,
        )

    def start(self, errors: Path) -> subprocess.Popen[bytes]:
        """The rehearsal in a process group of its own, what it says on stderr going to a file."""
        with errors.open("wb") as said:
            return subprocess.Popen(
                self.argv("--json"),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                env=offline(),
                start_new_session=True,
            )


def small_rehearsal(folder: Path, frame: pl.DataFrame | None = None, *changes: tuple[str, str]) -> Rehearsal:
    """A project of one trial on small data, both below a folder."""
    project = small_project(folder / "project", *changes)
    data = small_data(folder / "sales.csv", rising() if frame is None else frame)
    return Rehearsal(project, data, folder / "out")


def offline() -> dict[str, str]:
    """Our environment, without what would lead elsewhere for data."""
    kept = {name: value for name, value in os.environ.items() if name != "WATCHKEEPER_HDB_CSV"}
    return {**kept, "WATCHKEEPER_OFFLINE": "1"}


def wait_for(happened: Callable[[], bool], what: str) -> None:
    """Look until it has happened; the test fails when it does not within `PATIENCE`."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, f"{what} did not happen within {PATIENCE:.0f} s"
        time.sleep(0.005)


def alive(group: int) -> list[int]:
    """The processes of a group that have not ended; one that waits for its parent to notice has."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                state, _, of_group = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
            except OSError:  # it has just ended
                continue
            if int(of_group) == group and state not in "ZX":
                found.append(int(folder.name))
    return found


EXAMPLE = CHECKOUT / "projects" / "resale_price" / "watchkeeper.yaml"


def rehearse(*argv: object) -> subprocess.CompletedProcess[str]:
    """`watchkeeper rehearse` of 2020-01 as a process, without the network."""
    environment = {**os.environ, "WATCHKEEPER_OFFLINE": "1"}
    environment.pop("WATCHKEEPER_HDB_CSV", None)
    command = [sys.executable, "-m", "watchkeeper", "rehearse", "--until", "2020-01", "--no-serve", "--json"]
    return subprocess.run(
        [*command, *map(str, argv)],
        stdin=subprocess.DEVNULL,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def recomputed(folder: Path) -> subprocess.CompletedProcess[str]:
    """The half-years again, by a script that knows nothing of ours."""
    script = CHECKOUT / "tests" / "recompute_half_years.py"
    return subprocess.run([sys.executable, script, folder], capture_output=True, text=True, check=False)
