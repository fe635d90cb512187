"""`watchkeeper explain`."""

from __future__ import annotations

from pathlib import Path

import click

from watchkeeper.app.captures.explaining import Explanation, explain, explanation_of
from watchkeeper.app.setup.project import load_project
from watchkeeper.app.setup.workspace import open_workspace
from watchkeeper.cli.output import answer, json_option, printable, workspace_option, write_page
from watchkeeper.render.text import DASH

_WIDTH = 32  # characters that the waterfall takes
_VALUE = 24  # of a value


@click.command("explain")
@click.option("--for", "environment", required=True, help="The environment whose endpoint answered.")
@click.option(
    "--inference-id",
    required=True,
    metavar="ID",
    help="Its inference id; of a request without one its event id.",
)
@click.option("--html", "file", type=click.Path(path_type=Path, dir_okay=False), help="Write a page too.")
@workspace_option
@json_option
def explain_command(
    environment: str, inference_id: str, file: Path | None, workspace: Path, as_json: bool
) -> None:
    """Print what each column added to the predictions of a captured request.

    Attributions are exact SHAP values of the model version that answered. From the expected value they lead
    to the prediction, the largest first; one block for each row of the request.
    """
    project, opened = load_project(workspace), open_workspace(workspace)
    found = explain(opened.store, project, environment, inference_id)
    if file is not None:
        write_page(file, explanation_of(project, found))
    page = [f"the page is {file}"] if file else []
    answer(found, as_json, lambda: "\n\n".join([*map(_text, found), *page]))


def _text(found: Explanation) -> str:
    unit = f" {found.unit}" if found.unit else ""
    lines = [
        f"{printable(found.inference_id)}, row {found.row + 1}, answered {found.time:%Y-%m-%d %H:%M} "
        f"by model v{found.model_version}",
    ]
    labels = [f"{each.column} = {printable(each.value or DASH, _VALUE)}" for each in found.shares]
    width = max(len("prediction"), len("expected"), *(len(label) for label in labels))
    reached = [found.expected]
    for each in found.shares:
        reached.append(reached[-1] + each.contribution)
    low, high = min(reached), max(reached)
    lines.append(f"  {'expected':{width}}  {found.expected:>14,.2f}{unit}")
    for label, each, start, end in zip(labels, found.shares, reached, reached[1:], strict=False):
        bar = _bar(start, end, low, high)
        lines.append(f"  {label:{width}}  {each.contribution:>+14,.2f}{unit}  {bar}".rstrip())
    lines.append(f"  {'prediction':{width}}  {found.prediction:>14,.2f}{unit}")
    return "\n".join(lines)


def _bar(start: float, end: float, low: float, high: float) -> str:
    """A step of the waterfall: from where the ones before it led to where it leads."""
    if high <= low:
        return ""
    first, last = (round((each - low) / (high - low) * _WIDTH) for each in sorted((start, end)))
    return " " * first + ("█" if end >= start else "░") * max(1, last - first)
