"""Capture files for benchmarks: HDB-like rows as SageMaker's capture lines, 10,000 records a file.

Usage: captures.py CURRENT.parquet FOLDER RECORDS. One file in a hundred has quoted fields (a comma within),
two records in a hundred have three rows. The same arguments give the same bytes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

PER_FILE = 10_000
QUOTED_FILES = 100  # every so many
SEVERAL_ROWS = 50  # every so many records
ROWS = 3
INPUTS = (
    "month", "town", "flat_type", "block", "street_name", "storey_range", "floor_area_sqm", "flat_model",
    "lease_commence_date", "remaining_lease_months",
)  # fmt: skip
HEAD = '{"captureData":{"endpointInput":{"observedContentType":"text/csv","mode":"INPUT","data":"'
MIDDLE = (
    '","encoding":"CSV"},"endpointOutput":'
    '{"observedContentType":"text/csv; charset=utf-8","mode":"OUTPUT","data":"'
)
TAIL = '","encoding":"CSV"}},"eventMetadata":{"eventId":"'
END = '","inferenceTime":"2022-01-01T00:00:00Z","modelVersion":"1","schemaVersion":"1"},"eventVersion":"0"}'


def write(rows: pl.DataFrame, folder: Path, records: int) -> None:
    """Write the files, unless the last one is there."""
    files = records // PER_FILE
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / f"part-{files - 1:05d}.jsonl").exists():
        return
    for number in range(files):
        (folder / f"part-{number:05d}.jsonl").write_text(capture_lines(rows, number))


def capture_lines(rows: pl.DataFrame, number: int) -> str:
    """The text of file `number`, its rows taken from `rows` in turn."""
    sizes = [ROWS if record % SEVERAL_ROWS == 0 else 1 for record in range(PER_FILE)]
    wanted = sum(sizes)
    own = rows.slice(number * wanted % (rows.height - wanted), wanted)
    if number % QUOTED_FILES == 0:
        own = own.with_columns(pl.col("town").str.replace_all(" ", ", "))
    return _lines(own, sizes, number)


def _lines(rows: pl.DataFrame, sizes: list[int], number: int) -> str:
    csv = rows.select(INPUTS).write_csv(include_header=False).rstrip("\n").split("\n")
    owner = [record for record, size in enumerate(sizes) for _ in range(size)]
    table = pl.DataFrame({"record": owner, "row": csv, "answer": rows["prediction"].cast(pl.String)})
    escaped = (
        pl.col("row").str.replace_all("\\", "\\\\", literal=True).str.replace_all('"', '\\"', literal=True)
    )
    grouped = table.group_by("record", maintain_order=True).agg(
        escaped.str.join("\\n").alias("input"), pl.col("answer").str.join("\\n").alias("output")
    )
    identity = pl.format(
        "{}-{}", pl.lit(f"{number:08x}-0000-4000-8000"), pl.col("record").cast(pl.String).str.zfill(12)
    )
    lines = grouped.select(
        pl.concat_str(
            [pl.lit(HEAD), "input", pl.lit(MIDDLE), "output", pl.lit(TAIL), identity, pl.lit(END)]
        ).alias("line")
    )
    return "\n".join(lines["line"].to_list()) + "\n"


if __name__ == "__main__":
    write(pl.read_parquet(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
