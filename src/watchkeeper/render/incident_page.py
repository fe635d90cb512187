"""The page of an incident: the same record as `render.incident`, with pictures of what drifted."""

from __future__ import annotations

from collections.abc import Sequence

from watchkeeper.render import text
from watchkeeper.render.distribution_chart import Distribution
from watchkeeper.render.evidence import exhibits
from watchkeeper.render.incident import IncidentView
from watchkeeper.render.pages import page

MOST = 3  # columns whose distributions are drawn


def incident_page(view: IncidentView, distributions: Sequence[Distribution]) -> str:
    """The page as HTML that needs nothing else; `distributions` has the suspects first."""
    incident = view.incident
    shared = dict(incident.group)
    goes_on, began = incident.ended_at is None, text.time_text(incident.started_at)
    span = f"It began {began}."
    if incident.ended_at is not None:
        span = f"From {began} to {text.time_text(incident.ended_at)}."
    return page(
        "incident.html",
        classification=view.classification,
        view=view,
        incident=incident,
        group=[pair for pair in incident.group if pair[0] != "incident"],
        state="goes on" if goes_on else "over",
        tone=("bad" if shared.get("severity") == "critical" else "warn") if goes_on else "ok",
        span=span,
        own=[
            ", ".join(f"{name} {value}" for name, value in alert.labels if name not in shared)
            for alert in incident.alerts
        ],
        suspects=[each for each in view.executions if each.violations],
        exhibits=exhibits(distributions[:MOST]),
        ended=_plain(view.ended),
        similar=[_plain(each) for each in view.similar],
    )


def _plain(markdown: str) -> str:
    """The few marks that our own sentences carry, taken off."""
    return markdown.replace("**", "").replace("`", "")
