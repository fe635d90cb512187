"""`watchkeeper train --target aws`."""

from __future__ import annotations

from watchkeeper.app.aws.landscape import open_landscape
from watchkeeper.app.aws.training import NEWEST, Order, Started, train_on_aws
from watchkeeper.app.setup.project import Project
from watchkeeper.cli.output import answer
from watchkeeper.cli.progress import progress_bars


def train_there(project: Project, through: str | None, wait: bool, as_json: bool) -> int:
    """Start the pipeline; the exit code is 1 when it was waited for and made no version."""
    with progress_bars(quiet=as_json) as report:
        done = train_on_aws(open_landscape(project), Order(through or NEWEST, wait=wait), report)
    answer(done, as_json, lambda: _text(done))
    return 1 if done.run is not None and done.model is None else 0


def _text(done: Started) -> str:
    if done.run is None:
        return f"started {done.execution}\nof commit {done.commit} on {done.data}"
    if done.model is not None:
        following = f"next: watchkeeper models promote {done.model} --to dev --target aws"
        return f"registered model v{done.model}, pending approval\n{following}"
    failed = [
        f"{step.name}: {step.failure or step.status}" for step in done.run.steps if step.status == "Failed"
    ]
    return "\n".join([f"not registered: {done.run.failure or done.run.status}", *failed])
