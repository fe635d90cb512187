"""Two distributions of one column, over each other, as inline SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from watchkeeper.render import text
from watchkeeper.render.scales import Scale, Style, scale
from watchkeeper.render.svg import (
    AXIS,
    LEFT,
    STRETCH,
    WIDTH,
    anchor,
    hover,
    nothing_to_draw,
    percent,
    picture,
    stretched,
    tag,
    words,
)


@dataclass(frozen=True, slots=True)
class Distribution:
    """One column in the baseline and in a window, as shares over the same bins.

    A numeric column has `edges`, one more than bins; a categorical one has `labels`, one per bin.
    `series` are what the two are called.
    Raises ValueError when the lengths do not agree.
    """

    column: str
    kind: str  # numeric | categorical
    baseline: tuple[float, ...]
    window: tuple[float, ...]
    edges: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()
    note: str = ""
    series: tuple[str, str] = ("baseline", "window")

    def __post_init__(self) -> None:
        bins = len(self.edges) - 1 if self.kind == "numeric" else len(self.labels)
        if self.kind not in ("numeric", "categorical") or not len(self.baseline) == len(self.window) == bins:
            raise ValueError(
                f'distribution of "{self.column}": want {bins} bins of a numeric or categorical column, '
                f"got {len(self.baseline)} baseline and {len(self.window)} window shares of kind {self.kind}"
            )


def histogram(shown: Distribution, height: int = 190) -> str:
    """Both distributions over each other: the baseline as grey blocks, the window as an outline of colour.

    The axis tells shares of rows. A categorical column with long or many names reads better as `paired_bars`.
    """
    if not shown.baseline:
        return nothing_to_draw(f"Distribution of {shown.column}")
    y = scale([*shown.baseline, *shown.window], zero=True, intervals=3)
    frame = (12, height - AXIS)
    names = _bin_names(shown)
    blocks = [_block(index, shown, names[index], y, frame) for index in range(len(names))]
    return picture(
        height,
        f"{_title(shown)}, as shares of rows over {len(names)} bins",
        _share_grid(y, frame),
        *blocks,
        _outline(shown.window, y, frame),
        _bin_axis(shown, height),
    )


def _title(shown: Distribution) -> str:
    return f"Distribution of {shown.column}, {' and '.join(shown.series)}"


def _share_grid(y: Scale, frame: tuple[int, int]) -> str:
    drawn = []
    for tick in y.ticks(Style.SHARE):
        at = frame[1] - (frame[1] - frame[0]) * tick.at
        drawn.append(tag("line", x1=0, x2="100%", y1=at, y2=at, class_="grid"))
        drawn.append(tag("text", words(tick.label), x=0, y=at - 4, class_="tick"))
    return "".join(drawn)


def _block(index: int, shown: Distribution, name: str, y: Scale, frame: tuple[int, int]) -> str:
    width = WIDTH / len(shown.baseline)
    tall = (frame[1] - frame[0]) * y.at(shown.baseline[index])
    left = LEFT + width * index
    before, now = shown.series
    note = f"{name}: {before} {text.share(shown.baseline[index])}, {now} {text.share(shown.window[index])}"
    return tag(
        "g",
        hover(note),
        tag(
            "rect",
            x=percent(left),
            y=frame[0],
            width=percent(width),
            height=frame[1] - frame[0],
            class_="touch",
        ),
        tag(
            "rect",
            x=percent(left),
            y=frame[1] - tall,
            width=percent(width),
            height=tall,
            class_="baseline-block",
        ),
    )


def _outline(shares: Sequence[float], y: Scale, frame: tuple[int, int]) -> str:
    width = WIDTH * STRETCH / len(shares)
    spots = [f"M{LEFT * STRETCH:.1f} {frame[1]}"]
    for index, value in enumerate(shares):
        level = frame[1] - (frame[1] - frame[0]) * y.at(value)
        spots.append(f"V{level:.1f}H{LEFT * STRETCH + width * (index + 1):.1f}")
    path = "".join(spots) + f"V{frame[1]}"
    return stretched(
        0, frame[1], tag("path", d=path, class_="window-outline", vector_effect="non-scaling-stroke")
    )


def _bin_names(shown: Distribution) -> list[str]:
    if shown.kind == "categorical":
        return list(shown.labels)
    said = [text.amount(edge) for edge in shown.edges]
    return [f"{low} to {high}" for low, high in pairwise(said)]


def _bin_axis(shown: Distribution, height: int) -> str:
    if shown.kind == "categorical":
        bins = len(shown.labels)
        spots = [(LEFT + WIDTH * (i + 0.5) / bins, name) for i, name in enumerate(shown.labels)]
    else:
        low, high = shown.edges[0], shown.edges[-1]
        even = scale([low, high])
        spots = [
            (LEFT + WIDTH * _bin_place(even.low + even.step * n, shown.edges), tick.label)
            for n, tick in enumerate(even.ticks())
            if low <= even.low + even.step * n <= high
        ]
    return "".join(
        tag("text", words(name), x=percent(x), y=height - 5, text_anchor=anchor(x), class_="tick")
        for x, name in spots
    )


def _bin_place(value: float, edges: Sequence[float]) -> float:
    """Where a value stands when every bin is drawn equally wide, as a fraction of the axis."""
    bins = len(edges) - 1
    for index, (low, high) in enumerate(pairwise(edges)):
        if value <= high and high > low:
            return (index + (value - low) / (high - low)) / bins
    return 1.0


def paired_bars(shown: Distribution) -> str:
    """A categorical column: per value the window's bar of colour over the baseline's grey one."""
    if not shown.labels:
        return nothing_to_draw(f"Distribution of {shown.column}")
    most = max(*shown.baseline, *shown.window, 1e-12)
    rows = [_pair(n, name, (shown.baseline[n], shown.window[n]), most) for n, name in enumerate(shown.labels)]
    said = f"{_title(shown)}, as shares of rows over {len(rows)} values"
    return picture(38 * len(rows), said, *rows)


def _pair(row: int, name: str, shares: tuple[float, float], most: float) -> str:
    top, room = 38 * row, 0.78
    said = f"{text.share(shares[1])}, was {text.share(shares[0])}"
    return tag(
        "g",
        hover(f"{name}: {said}"),
        tag("text", words(name), x=0, y=top + 12, class_="bar-name"),
        tag("text", words(said), x="100%", y=top + 12, text_anchor="end", class_="bar-value"),
        tag(
            "rect",
            x=0,
            y=top + 17,
            width=percent(shares[0] / most * room),
            height=13,
            class_="baseline-block",
        ),
        tag("rect", x=0, y=top + 20, width=percent(shares[1] / most * room), height=7, class_="window-block"),
    )
