"""SVG elements as text.

Charts have no viewBox: x is a percentage and y a pixel, so a chart fills any width while its
words keep their size. Only lines live in a stretched inner picture, with strokes that do not scale.
"""

from __future__ import annotations

from html import escape

STRETCH = 1000  # width of the inner picture that is stretched to the chart
AXIS = 22  # px beneath a plot for its axis' labels
LEFT, WIDTH = 0.1, 0.88  # share of the width that data may use; numbers of the y axis stand left of it


def tag(name: str, *children: str, **attributes: str | float) -> str:
    """An element. Attribute names are written with `_` for `-` and a trailing `_` for Python's own words.

    Children are markup already; give text through `words`.
    """
    written = "".join(f' {_name(key)}="{escape(_value(value))}"' for key, value in attributes.items())
    return f"<{name}{written}>{''.join(children)}</{name}>"


def words(text: str) -> str:
    """Text made safe to stand in markup."""
    return escape(text)


def hover(text: str) -> str:
    """What shows when the pointer rests on the element."""
    return tag("title", words(text))


def percent(fraction: float) -> str:
    """A fraction of the width.

    >>> percent(0.25)
    '25%'
    """
    return f"{fraction * 100:.6g}%"


def picture(height: int, label: str, *children: str, kind: str = "chart") -> str:
    """A chart as wide as its place, with the sentence that stands for it where it cannot be seen."""
    return tag("svg", *children, class_=kind, width="100%", height=height, role="img", aria_label=label)


def stretched(top: float, height: float, *children: str) -> str:
    """An inner picture of the whole width, x from 0 to STRETCH, y in pixels from `top`."""
    return tag(
        "svg",
        *children,
        y=top,
        width="100%",
        height=height,
        viewBox=f"0 0 {STRETCH} {height:g}",
        preserveAspectRatio="none",
    )


def nothing_to_draw(label: str) -> str:
    """The picture in place of a chart without values."""
    note = tag("text", "Nothing to draw", x="50%", y=34, text_anchor="middle", class_="tick")
    return picture(60, f"{label}: nothing to draw", note)


def anchor(fraction: float) -> str:
    """Where a label hangs so that it stays inside the chart."""
    return "start" if fraction < 0.07 else "end" if fraction > 0.93 else "middle"


def _name(key: str) -> str:
    if key in ("viewBox", "preserveAspectRatio"):
        return key
    return key.rstrip("_").replace("_", "-")


def _value(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"
