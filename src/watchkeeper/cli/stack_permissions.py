"""`watchkeeper stack permissions`."""

from __future__ import annotations

import click

from watchkeeper.adapters.local.grafana import GrafanaApi
from watchkeeper.adapters.secrets import REFERENCE, resolve
from watchkeeper.app.stack.permissions import Bootstrapped, bootstrap
from watchkeeper.cli.output import answer, json_option


@click.command()
@click.option("--grafana", default="http://127.0.0.1:3000", show_default=True, help="Where it answers.")
@click.option(
    "--token",
    default="${env:GRAFANA_TOKEN}",
    show_default=True,
    help="A reference to the token of a service account that is an administrator.",
)
@json_option
def permissions(grafana: str, token: str, as_json: bool) -> None:
    """Let teams look into Grafana's folders of dashboards, each into its own; run again, it changes nothing.

    Teams data-science, ml-engineering and operations are made where they lack. Nobody may change a dashboard
    that is provisioned.
    """
    if not REFERENCE.fullmatch(token):
        raise click.UsageError(
            "--token: want a reference, ${env:NAME}, ${file:PATH} or ${aws-secret:ARN}, not the token itself"
        )
    found = bootstrap(GrafanaApi(grafana.rstrip("/"), resolve(token)))
    answer(found, as_json, lambda: _text(found))


def _text(found: Bootstrapped) -> str:
    made = [f"made the teams {', '.join(found.made)}"] if found.made else []
    lines = [
        f"{each.folder}: {', '.join(each.teams)} may look{'' if each.changed else ', as before'}"
        for each in found.folders
    ]
    return "\n".join([*made, *lines])
