"""`watchkeeper aws job`: what the training image runs."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import click

from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.app.aws import jobs
from watchkeeper.app.setup.targets import Target, open_target
from watchkeeper.core.errors import InputError, WatchkeeperError

STEPS = ("prepare", "train", "evaluate", "fit", "baseline", "record", "missed")


@click.command("job")
@click.argument("step", type=click.Choice(STEPS))
@click.option("--through", default=jobs.NEWEST, help="Newest month to learn from, for prepare.")
@click.option("--package", default="", help="ARN of the model package, for record.")
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("/opt/ml"),
    show_default=True,
    help="Where SageMaker mounts a job's folders.",
)
def job(step: str, through: str, package: str, root: Path) -> None:
    """Run one step on what SageMaker mounted, and leave what the next one reads.

    `train` is one trial of a tuning job. A failure is also written where SageMaker looks for its reason.
    """
    mounts = jobs.Mounts(root)
    with tempfile.TemporaryDirectory(prefix="watchkeeper-") as scratch:
        try:
            click.echo(_run(step, mounts, Path(scratch), through, package))
        except WatchkeeperError as error:
            _leave_reason(root, str(error))
            raise


def _run(step: str, mounts: jobs.Mounts, scratch: Path, through: str, package: str) -> str:
    """Run it; returns what it came to, for the log."""
    if step == "train":
        return f"trial: RMSE {jobs.try_parameters(mounts, click.echo).rmse:.6g}"
    if step == "evaluate":
        verdict = jobs.evaluate_best(mounts)
        return "accepted" if verdict.accepted else f"missed: {'; '.join(verdict.missed)}"
    if step == "fit":
        jobs.fit(mounts)
        return "fitted"
    if step == "baseline":
        return f"wrote {', '.join(jobs.make_baselines(mounts, WallClock()))}"
    return _on_record(step, mounts, _target(mounts, scratch), through, package)


def _on_record(step: str, mounts: jobs.Mounts, target: Target, through: str, package: str) -> str:
    """The steps that look into the project's records, or write to them."""
    if step == "prepare":
        prepared = jobs.prepare(mounts, target, through, os.environ.get("WATCHKEEPER_COMMIT", "unknown"))
        return f"prepared rows through {prepared.known_through}, digest {prepared.data_digest[:12]}"
    if step == "missed":
        return f"not registered: {'; '.join(jobs.record_missed(mounts, target))}"
    if not package:
        raise InputError("record a version: want --package, the ARN of its model package")
    made = jobs.record(mounts, target, package)
    return f"registered model v{made.model.version if made.model else '?'} as {package}"


def _target(mounts: jobs.Mounts, scratch: Path) -> Target:
    return open_target(mounts.project(), scratch, "aws")


def _leave_reason(root: Path, reason: str) -> None:
    """Where a training job's reason is looked for; a processing job's is its log."""
    place = root / "output"
    if place.is_dir():
        (place / "failure").write_text(reason, encoding="utf-8")
