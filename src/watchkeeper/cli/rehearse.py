"""`watchkeeper rehearse`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from watchkeeper.app.endpoints.serving import ServeRequest, serve_project
from watchkeeper.app.pages.summary import Summary
from watchkeeper.app.replay.rehearsal import RehearsalRequest
from watchkeeper.app.replay.rehearse import interrupted
from watchkeeper.app.replay.rehearse import rehearse as run
from watchkeeper.app.setup.init import template_folder
from watchkeeper.app.setup.project import load_project
from watchkeeper.cli.live_view import live_view
from watchkeeper.cli.output import answer, check_month, json_option, table
from watchkeeper.cli.sources import data_option, source_request
from watchkeeper.core.windows import months_between
from watchkeeper.render.text import months_text

CONSOLE_PORT = 8321


@click.command()
@click.option(
    "--project", type=click.Path(path_type=Path), help="Project folder (default: the resale-price example)."
)
@data_option
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path("rehearsal"), show_default=True
)
@click.option(
    "--from", "first", metavar="YYYY-MM", default="2020-01", show_default=True, help="Month of going live."
)
@click.option("--until", metavar="YYYY-MM", help="Last month of requests (default: the first).")
@click.option("--approve", type=click.Choice(["auto", "ask"]), default="auto", show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of whatever is drawn.")
@click.option("--stack", is_flag=True, help="Let Prometheus and Alertmanager, started here, do the alerting.")
@click.option(
    "--compression",
    type=click.FloatRange(min=1.0),
    default=600_000.0,
    show_default=True,
    help="With --stack: durations of rules and notifications are divided by this.",
)
@click.option("--no-serve", is_flag=True, help="End when the report is written, also on a terminal.")
@json_option
def rehearse(
    project: Path | None,
    path: Path | None,
    out: Path,
    first: str,
    until: str | None,
    approve: str,
    seed: int,
    stack: bool,
    compression: float,
    no_serve: bool,
    as_json: bool,
) -> None:
    """Let months of data travel through the whole loop, over real HTTP, on a clock of their own.

    Writes summary.json, report.html and a whole workspace into --out. Exit code 0 when the loop
    closed, whatever fired; 1 when it stayed open; 130 on Ctrl-C, and the next one starts over.
    """
    settings = load_project(project or template_folder("resale-price"))
    if interrupted(out):
        click.echo(f"the last rehearsal in {out} was interrupted; starting over", err=True)
    begin, end = check_month(first, "rehearse --from"), check_month(until or first, "rehearse --until")
    title = f"{settings.name}, {months_text(begin, end)}"
    with live_view(title, months_between(begin, end), quiet=as_json) as view:
        request = RehearsalRequest(
            out=out,
            source=source_request(path, seed),
            first=begin,
            until=end,
            approves=view.ask if approve == "ask" else (lambda _: True),
            seed=seed,
            compression=compression if stack else None,
        )
        summary = run(settings, request, view.report)
    answer(summary, as_json, lambda: _text(summary, out))
    if sys.stdout.isatty() and not no_serve and not as_json:
        click.echo(f"\nreport on http://127.0.0.1:{CONSOLE_PORT}/ until Ctrl-C")
        serve_project(settings, ServeRequest(out, port=CONSOLE_PORT))
    sys.exit(0 if summary.closed else 1)


def _text(summary: Summary, out: Path) -> str:
    head = ("month", "rows", "model", "RMSE", "MAPE", "R²", "RMSE/baseline", "violations", "alerts")
    rows = [
        (
            month.month,
            f"{month.rows:,}",
            f"v{month.model_version}",
            *(
                (f"{month.watched.rmse:,.0f}", f"{month.watched.mape:.1%}", f"{month.watched.r2:.3f}")
                if month.watched
                else ("–", "–", "–")
            ),
            f"{month.rmse_baseline_ratio:.2f}" if month.rmse_baseline_ratio is not None else "–",
            month.violations,
            ", ".join(month.alerts) or "–",
        )
        for month in summary.months
    ]
    counts, audit = summary.counts, summary.audit
    lines = [
        "",
        table(head, rows, "no month was scored"),
        "",
        f"{counts.requests:,} requests = {counts.captured:,} captured; "
        f"{counts.rows:,} rows = {counts.labels:,} labels = {counts.scored:,} scored",
        *(f"decision {each.kind} on {each.alert}: {each.reasons[0]}" for each in summary.decisions),
        f"audit: {audit.entries} entries, {'verified' if audit.verified else 'NOT verified'}",
        *_stack_lines(summary),
        f"data: {summary.data_description}",
        f"{summary.seconds['total']:.0f} s; report {out / 'report.html'}, figures {out / 'summary.json'}",
        *(f"OPEN: {problem}" for problem in summary.problems),
    ]
    return "\n".join(lines)


def _stack_lines(summary: Summary) -> Iterator[str]:
    if stack := summary.stack:
        equal = sum(check.equal for check in stack.checks)
        yield (
            f"stack: Prometheus {stack.prometheus} and Alertmanager {stack.alertmanager} said what ours says "
            f"at {equal} of {len(stack.checks)} checks; durations divided by {stack.factor:,.0f}"
        )
