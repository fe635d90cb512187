"""`watchkeeper models list`, `show` and what changes the standing of a version."""

from __future__ import annotations

from pathlib import Path

import click

from watchkeeper.app.registry.candidates import described
from watchkeeper.app.registry.models import (
    ModelStatus,
    Tryout,
    approve,
    promote,
    reject,
    rollback,
    status,
    statuses,
    try_out,
    withdraw,
)
from watchkeeper.app.setup.project import load_project
from watchkeeper.cli.output import answer, json_option, table, workspace_option
from watchkeeper.cli.targets import acting, records_of, target_option
from watchkeeper.core.values import CandidateKind, ModelVersion

_FORMS = {
    "rows": "{:,.0f}",
    "rmse": "{:,.0f}",
    "mae": "{:,.0f}",
    "mape": "{:.1%}",
    "r2": "{:.3f}",
    "bias": "{:+.1%}",
}


@click.command("list")
@target_option
@workspace_option
@json_option
def list_(target: str, workspace: Path, as_json: bool) -> None:
    """Print every version with its approvals and where it serves."""
    project, store = load_project(workspace), records_of(workspace, target)
    found = statuses(project, store)
    head = (
        "version",
        "trained through",
        "test rmse",
        "test r2",
        *project.environments,
        "serves in",
        "digest",
    )
    answer(found, as_json, lambda: table(head, [_row(each) for each in found], "no model is registered yet"))


@click.command("show")
@click.argument("version", type=int)
@target_option
@workspace_option
@json_option
def show(version: int, target: str, workspace: Path, as_json: bool) -> None:
    """Print one version: where it comes from, its figures, who approved it."""
    found = status(load_project(workspace), records_of(workspace, target), version)
    answer(found, as_json, lambda: _page(found))


@click.command("approve")
@click.argument("version", type=int)
@click.option("--for", "environment", required=True, help="The environment it is approved for.")
@click.option("--why", default="", help="The reason, for the audit log.")
@target_option
@workspace_option
@json_option
def approve_(version: int, environment: str, why: str, target: str, workspace: Path, as_json: bool) -> None:
    """Say yes to VERSION for an environment; in prod, another person than the one who registered it."""
    on, actor = acting(workspace, target)
    said = approve(on, version, environment, actor, why)
    answer(said, as_json, lambda: f"model v{version} is {said.status} for {environment}, says {said.actor}")


@click.command("reject")
@click.argument("version", type=int)
@click.option("--for", "environment", required=True, help="The environment it is rejected for.")
@click.option("--why", required=True, help="The reason, for the audit log.")
@target_option
@workspace_option
@json_option
def reject_(version: int, environment: str, why: str, target: str, workspace: Path, as_json: bool) -> None:
    """Say no to VERSION for an environment."""
    on, actor = acting(workspace, target)
    said = reject(on, version, environment, actor, why)
    answer(said, as_json, lambda: f"model v{version} is {said.status} for {environment}, says {said.actor}")


class _Percent(click.ParamType[int]):
    """A whole percentage from 1 to 99, with or without its sign."""

    name = "PERCENT"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        text = str(value).strip().removesuffix("%")
        if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 99):
            self.fail(f"want a whole percentage from 1% to 99%, got {value}", param, ctx)
        return int(text)


@click.command("promote")
@click.argument("version", type=int)
@click.option("--to", "environment", required=True, help="The environment that is to serve it.")
@click.option("--canary", type=_Percent(), help="Only for this share of requests, e.g. 10%, at first.")
@click.option("--shadow", is_flag=True, help="Only for copies of requests, its answers given to nobody.")
@target_option
@workspace_option
@json_option
def promote_(
    version: int,
    environment: str,
    canary: int | None,
    shadow: bool,
    target: str,
    workspace: Path,
    as_json: bool,
) -> None:
    """Serve VERSION in an environment; it must have served in the one before.

    A canary that fails or is slow is withdrawn by itself; `promote` without --canary ends a trial well.
    """
    if canary is not None and shadow:
        raise click.UsageError("want --canary or --shadow, got both")
    on, actor = acting(workspace, target)
    if canary is None and not shadow:
        done = promote(on, version, environment, actor)
        answer(done, as_json, lambda: f"{done.endpoint} serves model v{done.version}")
        return
    kind = CandidateKind.SHADOW if shadow else CandidateKind.CANARY
    tried = try_out(on, version, Tryout(environment, kind, canary or 0), actor)
    answer(tried, as_json, lambda: f"{tried.endpoint} tries {described(tried)}")


@click.command("withdraw")
@click.option("--in", "environment", required=True, help="The environment that tries a version.")
@click.option("--why", required=True, help="The reason, for the audit log.")
@target_option
@workspace_option
@json_option
def withdraw_(environment: str, why: str, target: str, workspace: Path, as_json: bool) -> None:
    """End the trial of a canary or a shadow; the version that serves answers everything again."""
    on, actor = acting(workspace, target)
    done = withdraw(on, environment, actor, why)
    answer(done, as_json, lambda: f"{environment} tries no version any more: {done.why}")


@click.command("rollback")
@click.option("--in", "environment", required=True, help="The environment to roll back.")
@target_option
@workspace_option
@json_option
def rollback_(environment: str, target: str, workspace: Path, as_json: bool) -> None:
    """Serve again what an environment served before."""
    on, actor = acting(workspace, target)
    done = rollback(on, environment, actor)
    answer(done, as_json, lambda: f"{done.endpoint} serves model v{done.version} again")


def _figure(model: ModelVersion, name: str) -> str:
    return _FORMS[name].format(model.metrics[name]) if name in model.metrics else "–"


def _row(each: ModelStatus) -> tuple[object, ...]:
    model = each.model
    figures = [_figure(model, name) for name in ("rmse", "r2")]
    places = (*each.serving_in, *(f"{name} (on trial)" for name in each.tried_in))
    standing = [*each.approvals.values(), ", ".join(places) or "–"]
    through = model.trained_through or "served elsewhere"
    return model.version, through, *figures, *standing, model.digest[:12]


def _page(each: ModelStatus) -> str:
    model = each.model
    registered = f"registered {model.registered_at:%Y-%m-%d %H:%M} by {model.registered_by}"
    trained = [
        f"trained on {model.trained_from} to {model.trained_through}, "
        f"labels known in {model.labels_known_in}",
        f"{registered}, MLflow run {model.run_id}",
        f"on its test months: {', '.join(f'{name} {_figure(model, name)}' for name in _FORMS)}",
    ]
    lines = [
        f"model v{model.version}, digest {model.digest}",
        *(["served elsewhere", registered] if model.external else trained),
        *(f"{name}: {word}" for name, word in each.approvals.items()),
        f"serves in {', '.join(each.serving_in) or 'no environment'}",
        *(f"on trial in {name}" for name in each.tried_in),
    ]
    return "\n".join(lines)
