"""What the server's process takes of the machine, as samples."""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from watchkeeper.core.values import Sample, labels_of

_STATM = Path("/proc/self/statm")


def process_samples(labels: Mapping[str, str], spool: Path, time: datetime) -> tuple[Sample, ...]:
    """CPU time, resident memory where the system tells it, and what is free on the spool's disk."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    found = {"watchkeeper_process_cpu_seconds_total": used.ru_utime + used.ru_stime}
    if _STATM.exists():
        pages = int(_STATM.read_text().split()[1])
        found["watchkeeper_process_resident_memory_bytes"] = float(pages * os.sysconf("SC_PAGE_SIZE"))
    if spool.exists():
        found["watchkeeper_process_spool_free_bytes"] = float(shutil.disk_usage(spool).free)
    return tuple(Sample(name, labels_of(**labels), value, time) for name, value in found.items())
