"""The README's figure: a file that stands alone, and says in words what it draws."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from watchkeeper.core.values import Metrics
from watchkeeper.core.windows import months_between
from watchkeeper.render.report_values import Gate, Month, Retrain
from watchkeeper.render.two_models import TwoModels, two_models

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '<script>alert("town")</script> & co'
ALERT = "ModelQualityDegraded"


def metrics(r2: float) -> Metrics:
    return Metrics(rows=2000, rmse=150_000 * (1.1 - r2), mae=20_000.0, mape=0.05, r2=r2, bias=-0.02)


def month(name: str, fall: float) -> Month:
    watched, unwatched = metrics(0.955), metrics(0.955 - fall)
    return Month(name, 2000, 1, watched, None, 1.0, (), (), unwatched)


def retrain(when: str, promoted: int | None, gate: Gate | None) -> Retrain:
    return Retrain(f"r-{when}", when, "rmse is high", "model-owner", gate, promoted)


GATE = Gate(34_000.0, 31_000.0, 6_592)
MONTHS = tuple(month(name, 0.02 * at) for at, name in enumerate(months_between("2020-01", "2022-12")))
FIGURE = TwoModels(
    title="Two models on the same 72,000 sales",
    source="Data: the publisher.",
    unit="SGD",
    alert=ALERT,
    months=tuple(replace(each, alerts=(ALERT,)) if each.month == "2021-03" else each for each in MONTHS),
    retrains=(
        retrain("2021-05", 2, GATE),
        retrain("2022-07", None, Gate(34_000.0, 38_000.0, 4_416)),
        retrain("2022-09", None, None),
        retrain("2023-02", 3, GATE),
    ),
)


def parsed(drawing: str) -> ElementTree.Element:
    return ElementTree.fromstring(drawing)  # noqa: S314 - what we have just drawn


def texts(drawing: str, element: str) -> Sequence[str]:
    return ["".join(found.itertext()) for found in parsed(drawing).iter(SVG + element)]


def test_the_file_stands_alone_and_is_small() -> None:
    drawn = two_models(FIGURE)
    assert len(drawn.encode()) < 60_000
    assert drawn.count("http") == 1, "the namespace, and nothing that would be fetched"
    assert not re.search(r"<script|href|url\(|@import|\b(nan|inf|None)\b", drawn)
    assert "prefers-color-scheme: dark" in drawn
    assert parsed(drawn).tag == SVG + "svg"


def test_it_has_words_for_those_who_cannot_see_it() -> None:
    root = parsed(two_models(FIGURE))
    named = (root.get("aria-labelledby") or "").split()
    words = {found.get("id"): found.text or "" for found in root if found.get("id")}
    assert [words[name] for name in named] == [
        "Two models on the same 72,000 sales",
        "Two line charts by month over 72,000 rows. "
        "R² of the watched model: 0.955 in January 2020, 0.955 in December 2022. "
        "R² of the unwatched model: 0.955 in January 2020, 0.255 in December 2022. "
        "Two retrains led to a new version.",
    ]


def test_every_month_of_both_models_is_drawn_in_both_charts() -> None:
    points = [said for said in texts(two_models(FIGURE), "title") if "watched, " in said]
    assert len(points) == 4 * 36
    assert "unwatched, December 2022: 0.255" in points
    assert "watched, January 2020: 21,750 SGD" in points


def test_alerts_and_retrains_are_marked_in_their_months() -> None:
    """A retrain that met no champion has no mark, nor has what came after the last month."""
    marks = [said for said in texts(two_models(FIGURE), "title") if "watched, " not in said]
    assert marks[1:] == [
        "1 May 2021: version 2 goes into service",
        "1 Jul 2022: the challenger loses, the champion stays",
        f"1 Mar 2021: {ALERT}",
    ]


def test_only_what_is_drawn_is_explained() -> None:
    none_lost = replace(FIGURE, retrains=FIGURE.retrains[:1])
    assert any("a challenger loses" in said for said in texts(two_models(FIGURE), "text"))
    assert not any("a challenger loses" in said for said in texts(two_models(none_lost), "text"))


def test_words_are_escaped() -> None:
    drawn = two_models(replace(FIGURE, title=HOSTILE, source=HOSTILE, unit=HOSTILE, alert=HOSTILE))
    assert "<script" not in drawn
    assert texts(drawn, "title")[0] == HOSTILE


def test_without_two_models_there_is_nothing_to_draw() -> None:
    alone = tuple(replace(each, unwatched=None) for each in MONTHS)
    with pytest.raises(ValueError, match="want a month with figures of both"):
        two_models(replace(FIGURE, months=alone))
