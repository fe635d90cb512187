"""The README's figure is one that `docs/figures.py` draws, of the months that the README names."""

from __future__ import annotations

import re
from pathlib import Path

from docs.figures import FIGURE, figure
from tests.docs.markdown import ROOT, relative_links
from watchkeeper.app.pages.summary import GateSummary, MonthSummary, RetrainSummary
from watchkeeper.core.encoding import encode
from watchkeeper.core.values import Metrics

EXAMPLE = ROOT / "projects" / "resale_price" / "watchkeeper.yaml"


def summary(source: str) -> bytes:
    metrics = Metrics(10, 30_000.0, 20_000.0, 0.05, 0.95, -0.01)
    gate = GateSummary(34_000.0, 31_000.0, 30)
    months = [
        MonthSummary("2020-01", 10, 1, metrics, metrics, 1.06, 0, ()),
        MonthSummary("2020-02", 20, 2, metrics, metrics, 1.31, 3, ("ModelQualityDegraded",)),
    ]
    retrains = [RetrainSummary("r-1", "2020-02", "rmse is high", "promoted", "model-owner", gate, 2)]
    return encode(
        {
            "data_source": source,
            "first": "2020-01",
            "until": "2020-02",
            "months": months,
            "retrains": retrains,
        }
    )


def test_a_rehearsals_summary_becomes_the_figure(tmp_path: Path) -> None:
    (tmp_path / "watchkeeper.yaml").write_bytes(EXAMPLE.read_bytes())
    (tmp_path / "summary.json").write_bytes(summary("file"))
    drawn = figure(tmp_path)
    assert "Two models on the same 30 sales, January 2020 to February 2020" in drawn
    assert "watched, February 2020: 30,000 SGD" in drawn
    assert "1 Feb 2020: ModelQualityDegraded" in drawn
    assert "1 Feb 2020: version 2 goes into service" in drawn
    assert "Singapore Open Data Licence" in drawn
    (tmp_path / "summary.json").write_bytes(summary("look-alike"))
    assert "look-alike" in figure(tmp_path)


def test_the_figure_of_the_readme_is_of_the_real_three_years() -> None:
    assert FIGURE.relative_to(ROOT).as_posix() in relative_links(ROOT / "README.md")
    drawn = FIGURE.read_text(encoding="utf-8")
    assert "Two models on the same 79,140 sales, January 2020 to December 2022" in drawn
    assert "look-alike" not in drawn
    assert len(re.findall(r"watched, \w+ 202\d: ", drawn)) == 4 * 36
    assert FIGURE.stat().st_size < 60_000
