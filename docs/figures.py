"""Writes the figure of docs/assets from a rehearsal of several months: `figures.py DIR`.

DIR is what `watchkeeper rehearse --until … --out DIR` wrote; its summary.json has every figure that is drawn.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from watchkeeper.app.pages.summary import MonthSummary, RetrainSummary
from watchkeeper.app.setup.project import load_project
from watchkeeper.core.encoding import decode
from watchkeeper.core.metrics import METRIC_PREFIX
from watchkeeper.render.report_values import Gate, Month, Retrain
from watchkeeper.render.text import months_text, whole
from watchkeeper.render.two_models import TwoModels, two_models

FIGURE = Path(__file__).parent / "assets" / "two-models.svg"
SOURCES = {"look-alike": "Generated look-alike of HDB resale prices, not real sales."}
REAL = "Data: Housing & Development Board via data.gov.sg, Singapore Open Data Licence 1.0."


@dataclass(frozen=True, slots=True)
class Run:
    """The part of `summary.json` that is drawn."""

    data_source: str
    first: str
    until: str
    months: tuple[MonthSummary, ...]
    retrains: tuple[RetrainSummary, ...]


def figure(folder: Path) -> str:
    """The figure of the rehearsal in a folder, as SVG."""
    run = decode(Run, (folder / "summary.json").read_bytes())
    project = load_project(folder)
    metric = f"{METRIC_PREFIX}model_quality_rmse_baseline_ratio"
    names = [rule.name for rule in project.rules(project.environments[-1]) if rule.metric == metric]
    rows = whole(sum(month.rows for month in run.months))
    return two_models(
        TwoModels(
            title=f"Two models on the same {rows} sales, {months_text(run.first, run.until)}",
            source=SOURCES.get(run.data_source, REAL),
            unit=project.settings.data.unit,
            alert=names[0],
            months=tuple(map(_month, run.months)),
            retrains=tuple(map(_retrain, run.retrains)),
        )
    )


def _month(each: MonthSummary) -> Month:
    return Month(
        month=each.month,
        rows=each.rows,
        model_version=each.model_version,
        metrics=each.watched,
        baseline_rmse=None,
        ratio=each.rmse_baseline_ratio,
        violations=(),
        alerts=each.alerts,
        unwatched=each.unwatched,
    )


def _retrain(each: RetrainSummary) -> Retrain:
    gate = Gate(each.gate.champion_rmse, each.gate.challenger_rmse, each.gate.rows) if each.gate else None
    return Retrain(each.decision, each.month, each.reason, each.approved_by, gate, each.promoted)


if __name__ == "__main__":
    FIGURE.parent.mkdir(exist_ok=True)
    FIGURE.write_text(figure(Path(sys.argv[1])), encoding="utf-8")
