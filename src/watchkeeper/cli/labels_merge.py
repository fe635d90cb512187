"""`watchkeeper labels merge`."""

from __future__ import annotations

from pathlib import Path

import click

from watchkeeper.app.captures.merging import Merged, MergeRequest, merge_to_folder
from watchkeeper.cli.output import answer, json_option
from watchkeeper.cli.progress import progress_bars
from watchkeeper.readers.blobs import blobs_of

_FOLDER = click.Path(path_type=Path)


@click.command()
@click.option(
    "--captures",
    type=_FOLDER,
    envvar="dataset_source",
    required=True,
    help="The folder of the capture files, in their hours.",
)
@click.option(
    "--ground-truth",
    type=_FOLDER,
    envvar="ground_truth_source",
    required=True,
    help="The folder of the ground-truth files, in the hours in which they were collected.",
)
@click.option(
    "--output",
    type=_FOLDER,
    envvar="output_path",
    required=True,
    help="Where the merged files go, in the captures' hours.",
)
@json_option
def merge(captures: Path, ground_truth: Path, output: Path, as_json: bool) -> None:
    """Put each captured record's labels beside it, as SageMaker's ground-truth merger does.

    Joined are inference ids, else event ids. Records without labels and labels without a record are left
    out and counted; of several labels for one id the one collected last counts. Neither side has to fit
    into memory. The options' values can also come from the merge job's environment variables
    dataset_source, ground_truth_source and output_path.
    """
    request = MergeRequest(blobs_of([captures]), blobs_of([ground_truth]), captures.as_posix())
    with progress_bars(quiet=as_json) as report:
        done = merge_to_folder(request, output, report)
    answer(done, as_json, lambda: _text(done, output))


def _text(done: Merged, output: Path) -> str:
    head = f"{done.merged:,} of {done.records:,} records with their labels"
    lines = [f"{head} in {done.files:,} files below {output}"]
    for count, said in (
        (done.unlabelled, "records without a label, left out"),
        (done.unknown, "ids with labels and no record, left out"),
        (done.duplicates, "labels that gave way to a later one"),
        (done.conflicting, "ids whose labels do not agree, the last counts"),
        (done.repeated, "records with an id that an earlier one carries too"),
        (done.bad_records, "capture lines that cannot be used"),
        (done.bad_labels, "ground-truth lines that cannot be used"),
    ):
        if count:
            lines.append(f"  {count:,} {said}")
    lines += [f"  {bad.key}, line {bad.line_number}: {bad.reason}" for bad in done.bad]
    return "\n".join(lines)
