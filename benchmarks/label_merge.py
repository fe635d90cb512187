"""Joining captured records with their labels: the rate, and the peak memory by how many there are.

Usage: label_merge.py [RECORDS ...] (default: 1,000,000 and 10,000,000). As many labels come in files of
another order. Both sides are generated while they are read and merged lines are counted rather than kept, so
that no disk has to hold them; what the join itself puts on disk is there. Each number runs in a process of
its own. Prints its figures as one JSON object on the last line.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cache

from lib.captures import PER_FILE, QUOTED_FILES
from memory import GeneratedBlob, template

from watchkeeper.app.captures.merging import MergeRequest, merge

DEFAULT = (1_000_000, 10_000_000)
STEP = 7_919  # prime: the order of label files has nothing to do with that of captures


@cache
def labels() -> tuple[bytes, bytes]:
    """One file of labels for the template's records, and how their ids begin."""
    text, identity = template(quoted=False)
    begin = len(identity) - 1
    ids = [line.partition(b'"eventId":"')[2].partition(b'"')[0].decode() for line in text.splitlines()]
    lines = (
        f'{{"groundTruthData":{{"data":"{300_000 + place}","encoding":"CSV"}},"eventMetadata":{{"eventId":'
        f'"{each}","collectedTime":"2022-02-01T00:00:00Z"}},"eventVersion":"0"}}'
        for place, each in enumerate(ids)
    )
    return "".join(f"{line}\n" for line in lines).encode(), ids[0][:begin].encode()


@dataclass(frozen=True, slots=True)
class GeneratedLabels:
    """The ground truth of one capture file."""

    number: int

    @property
    def name(self) -> str:
        return f"labels/{self.number:06d}.jsonl"

    def size(self) -> int:
        return len(labels()[0])

    def read(self, start: int = 0, stop: int | None = None) -> bytes:
        text, identity = labels()
        return text.replace(b'"' + identity, f'"{self.number:08x}-'.encode())[start:stop]


def join(records: int) -> None:
    """Merge so many records with as many labels; print counts, seconds and the peak."""
    files = records // PER_FILE
    written = {"lines": 0, "bytes": 0}

    def count(_: str, data: bytes) -> None:
        written["lines"] += data.count(b"\n")
        written["bytes"] += len(data)

    request = MergeRequest(
        [GeneratedBlob(number) for number in range(files)],
        [GeneratedLabels(number * STEP % files) for number in range(files)],
        "generated",
    )
    started = time.perf_counter()
    done = merge(request, count)
    seconds = time.perf_counter() - started
    if not done.records == done.merged == done.labels == written["lines"] == records:
        raise SystemExit(f"want {records:,} of all, got {done} and {written}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {
        "records": records,
        "seconds": round(seconds, 1),
        "peak_mb": round(peak),
        "records_per_second": round(records / seconds),
        "written_mb": written["bytes"] >> 20,
    }
    print(json.dumps(figures))


def main(sizes: list[int]) -> None:
    """One process a size, then all figures."""
    found = []
    for size in sizes:
        asked = [sys.executable, __file__, "--join", str(size)]
        ended = subprocess.run(asked, capture_output=True, text=True, check=False)
        if ended.returncode:
            raise SystemExit(ended.stderr or ended.stdout)
        found.append(json.loads(ended.stdout.splitlines()[-1]))
        print(
            f"{size:12,} records and labels: {found[-1]['seconds']:7.1f} s, "
            f"{found[-1]['records_per_second']:,} a second, peak {found[-1]['peak_mb']:,} MB"
        )
    print(json.dumps({"benchmark": "label_merge", "quoted_files": QUOTED_FILES, "sizes": found}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--join"]:
        join(int(sys.argv[2]))
    else:
        main([int(text) for text in sys.argv[1:]] or list(DEFAULT))
