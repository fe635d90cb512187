"""`watchkeeper aws migrate`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from watchkeeper.adapters.aws.account import open_account
from watchkeeper.adapters.aws.model_monitor import ModelMonitor
from watchkeeper.app.aws.migrating import Asked, Migrated, migrate
from watchkeeper.cli.output import answer, json_option, table


@click.command("migrate")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--endpoint", required=True, help="The endpoint that Model Monitor watches.")
@click.option("--region", required=True, help="Where it is.")
@click.option("--time", required=True, help="The column of the rows to learn from that says when.")
@click.option("--label", required=True, help="The column of those rows that is predicted.")
@json_option
def migrate_(folder: Path, endpoint: str, region: str, time: str, label: str, as_json: bool) -> None:
    """Make a project in FOLDER from what Model Monitor has of an endpoint: schedules, baselines, constraints.

    Nothing there is changed. What will not be as it was is listed, each with its reason.
    """
    account = open_account(region)
    service = ModelMonitor(account.client("sagemaker"))
    done = migrate(service, account.client("s3"), Asked(endpoint, time, label, folder, region))
    answer(done, as_json, lambda: "\n".join(_text(done, folder)))


def _text(done: Migrated, folder: Path) -> Iterator[str]:
    yield f"wrote {', '.join(done.files)} into {folder}"
    rows = [(each.what, each.theirs, each.ours, each.why) for each in done.differences]
    yield table(("what", "Model Monitor", "here", "why"), rows, "nothing will differ")
    yield f"next: watchkeeper config check --workspace {folder}"
