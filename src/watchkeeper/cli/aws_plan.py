"""`watchkeeper aws plan`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.app.aws.costs import Traffic, read_prices
from watchkeeper.app.aws.deploying import LayerPlan
from watchkeeper.app.aws.layers import UNKNOWN
from watchkeeper.app.aws.planning import Assumptions, AwsPlan, aws_plan
from watchkeeper.cli.aws_options import chosen, scope_options
from watchkeeper.cli.output import answer, json_option, table, workspace_option


@click.command("plan")
@scope_options
@click.option("--requests", default=1000, show_default=True, help="Requests a day, of each environment.")
@click.option("--hours", default=24, show_default=True, help="Hours of a day in which requests come.")
@click.option(
    "--prices",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A table of prices instead of the one that ships with us.",
)
@workspace_option
@json_option
def plan(
    environments: tuple[str, ...],
    central: bool,
    only: str | None,
    requests: int,
    hours: int,
    prices: Path | None,
    workspace: Path,
    as_json: bool,
) -> None:
    """Say what `deploy` would change, which permissions that needs, and what a month costs.

    Nothing is changed: change sets are made, read and deleted.
    """
    landscape, choice = chosen(workspace, environments, central, only)
    told = Assumptions(Traffic(requests, hours), read_prices(prices), WallClock().now())
    found = aws_plan(landscape, choice, told)
    answer(found, as_json, lambda: "\n".join(_text(found)))


def _text(found: AwsPlan) -> Iterator[str]:
    for layer in found.layers:
        yield from _layer(layer)
    yield f"\n{found.changes} resources would change"
    yield f"\nA month, by kind of unit ({found.cost.prices_of}, {found.cost.region}, US dollars)"
    rows = [
        (each.kind, f"{each.quantity:,.1f}", "unknown" if each.cost is None else f"{each.cost:,.2f}")
        for each in found.cost.costs
    ]
    yield table(("kind", "units", "cost"), rows, "nothing is billed")
    yield f"together {found.cost.total:,.2f}"
    yield from (f"warning: {each}" for each in found.cost.warnings)
    yield f"\nSeries expected: {sum(each.count for each in found.series):,}"
    yield from (f"  {each.schedule}: {each.count}" for each in found.series)
    yield "\nVPC endpoints that jobs and models need"
    yield from (f"  {name}" for name in found.vpc_endpoints)
    yield f"\nWhoever deploys this needs {len(found.permissions)} permissions"
    yield from (f"  {line}" for line in _by_service(found.permissions))


def _layer(layer: LayerPlan) -> Iterator[str]:
    if layer.waiting is not None:
        yield f"{layer.stack}: {layer.waiting.reason} (next: {layer.waiting.command})"
    elif layer.changes is None or not layer.changes.changes:
        yield f"{layer.stack}: no changes"
    else:
        yield f"{layer.stack}: {'a new stack' if layer.changes.new else 'changes'}"
        yield from (f"  {change}".replace(UNKNOWN, "") for change in layer.changes.changes)


def _by_service(permissions: tuple[str, ...]) -> Iterator[str]:
    services: dict[str, list[str]] = {}
    for each in permissions:
        service, _, action = each.partition(":")
        services.setdefault(service, []).append(action)
    yield from (f"{service}: {', '.join(actions)}" for service, actions in services.items())
