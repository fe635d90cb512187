"""The peak memory of judging captures, by how many there are: bounded by parts, not by rows.

Usage: memory.py [RECORDS ...] (default: 1,000,000 and 10,000,000). Records are generated while they are
read, so that no disk has to hold them; each number runs in a process of its own, on the engine `local` with
its default settings. Prints its figures as one JSON object on the last line.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cache

from lib.captures import PER_FILE, QUOTED_FILES, capture_lines

from watchkeeper.adapters.sources.lookalike import sales
from watchkeeper.app.files.analysis import AnalysisRequest, Tools, Yardstick, analyse
from watchkeeper.app.files.profiling import DataSet
from watchkeeper.engines.local import run
from watchkeeper.readers.parts import CaptureLayout

DEFAULT = (1_000_000, 10_000_000)
BASELINE = 100_000


@cache
def template(quoted: bool) -> tuple[bytes, bytes]:
    """One file of records, and how their ids begin: with the file's number."""
    rows = sales(0).rename({"remaining_lease": "remaining_lease_months", "resale_price": "prediction"})
    number = 0 if quoted else 1
    return capture_lines(rows, number).encode(), f'"{number:08x}-'.encode()


@dataclass(frozen=True, slots=True)
class GeneratedBlob:
    """A capture file that is made when it is read: the template's rows under ids of their own."""

    number: int

    @property
    def name(self) -> str:
        return f"generated/{self.number:06d}.jsonl"

    def size(self) -> int:
        return len(template(self.number % QUOTED_FILES == 0)[0])

    def read(self, start: int = 0, stop: int | None = None) -> bytes:
        text, identity = template(self.number % QUOTED_FILES == 0)
        return text.replace(identity, f'"{self.number:08x}-'.encode())[start:stop]


def captures(records: int) -> DataSet:
    """So many records, in files of 10,000."""
    blobs = tuple(GeneratedBlob(number) for number in range(records // PER_FILE))
    return DataSet(f"{records:,} generated records", blobs, CaptureLayout())


def judge(records: int) -> None:
    """Judge so many records against a baseline of the first ones; print rows, seconds and the peak."""
    tools = Tools(run)
    baseline = analyse(AnalysisRequest(captures(BASELINE)), tools)
    started = time.perf_counter()
    judged = analyse(AnalysisRequest(captures(records), Yardstick("generated", baseline.files)), tools)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found = {
        "records": judged.analysis.requests,
        "rows": judged.analysis.rows,
        "bad": judged.analysis.bad_lines,
    }
    print(json.dumps({**found, "seconds": round(seconds, 1), "peak_mb": round(peak)}))


def main(sizes: list[int]) -> None:
    """One process a size, then all figures."""
    found = []
    for records in sizes:
        said = subprocess.run(
            [sys.executable, __file__, "--one", str(records)],
            capture_output=True,
            text=True,
            check=True,
        )
        found.append(json.loads(said.stdout.splitlines()[-1]))
        rate = records / found[-1]["seconds"]
        print(f"{records:>12,} records: peak {found[-1]['peak_mb']:,} MB, {rate:,.0f} a second")
    print(json.dumps({"benchmark": "memory", "runs": found}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        judge(int(sys.argv[2]))
    else:
        main([int(text.replace(",", "")) for text in sys.argv[1:]] or list(DEFAULT))
