"""Draws the two pictures of docs/explanation/architecture.md from the code: `python -m docs.pictures`.

The rooms come from the layers that `make lint` holds, with each room's own first words; the loop from the
types that carry it, each named with its file.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[1]
ASSETS = ROOT / "docs" / "assets"
WIDTH, ROW, GAP, MARGIN = 960, 56, 10, 16
INK, SOFT, LINE, FILL, TONE = "#1b2430", "#5b6675", "#c5ccd6", "#f6f8fa", "#2f6f9f"


@dataclass(frozen=True, slots=True)
class Stage:
    """One value of the loop: what people call it, its type, and the file below the package that has it."""

    name: str
    type: str
    file: str
    said: str


LOOP = (
    Stage("Capture", "CaptureRecord", "core/values.py", "what was asked and answered"),
    Stage("State", "ColumnProfile", "core/statistics/profiles.py", "mergeable, by column"),
    Stage("Statistic", "FeatureStatistics", "monitors/data_quality_values.py", "computed from a state"),
    Stage("Violation", "Violation", "core/values.py", "a check that did not hold"),
    Stage("Sample", "Sample", "core/values.py", "a metric's value at a time"),
    Stage("Alert", "Alert", "core/rules.py", "pending, firing, resolved"),
    Stage("Decision", "Decision", "core/decisions.py", "what it leads to, with reasons"),
    Stage("Audit entry", "AuditEntry", "core/audit.py", "chained to the one before"),
)


def loop() -> str:
    """The loop: two rows of values, the second running back, and the way round again by a new version."""
    half = len(LOOP) // 2
    wide = (WIDTH - 2 * MARGIN - (half - 1) * 3 * GAP) / half
    top, below = MARGIN, MARGIN + ROW + 5 * GAP
    parts = []
    for place, stage in enumerate(LOOP):
        first = place < half
        column = place if first else 2 * half - 1 - place
        x, y = MARGIN + column * (wide + 3 * GAP), top if first else below
        parts.append(_box((x, y, wide), stage.name, stage.said, f"{stage.type}, {stage.file}"))
        if place == half - 1:
            parts.append(_arrow(x + wide / 2, top + ROW, x + wide / 2, below))
        elif first:
            parts.append(_arrow(x + wide, y + ROW / 2, x + wide + 3 * GAP, y + ROW / 2))
        elif place < len(LOOP) - 1:
            parts.append(_arrow(x, y + ROW / 2, x - 3 * GAP, y + ROW / 2))
    left = MARGIN + wide / 2
    parts.append(_arrow(left, below, left, top + ROW))
    words = "a retrain that was approved: a new version, promoted, is captured in turn"
    parts.append(_text(left + GAP, (top + ROW + below) / 2 + 4, words, SOFT, 12))
    return _svg(below + ROW + MARGIN, "The loop, from a captured request to the audit log and back", parts)


def rooms(root: Path = ROOT) -> str:
    """The rooms of the package, and of its use cases, in layers: imports point down."""
    contracts = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    parts, y = [], float(MARGIN)
    for contract in contracts["contracts"]:
        if contract["type"] != "layers":
            continue
        container = contract["containers"][0]
        parts.append(_text(MARGIN, y + 14, f"{container.replace('.', '/')}/: imports point down", INK, 14))
        y += 26
        for layer in contract["layers"]:
            names = [name.strip(" ()") for name in layer.split("|")]
            there = [name for name in names if _package(root, container, name).exists()]
            parts += _layer(root, container, there, y)
            y += ROW + GAP
        y += 2 * GAP
    return _svg(y, "The rooms of the code in layers, imports pointing down", parts)


def _layer(root: Path, container: str, names: Sequence[str], y: float) -> Iterator[str]:
    wide = (WIDTH - 2 * MARGIN - (len(names) - 1) * GAP) / len(names)
    for place, name in enumerate(names):
        said = ast.get_docstring(ast.parse(_package(root, container, name).read_text(encoding="utf-8"))) or ""
        first = said.split("\n")[0].rstrip(".").replace("`", "")
        yield _box((MARGIN + place * (wide + GAP), y, wide), f"{name}/", _fitting(first, wide), first)


def _fitting(words: str, wide: float) -> str:
    """The words, or where they are too long for the box those before a colon, a semicolon or a comma."""
    for sign in ("", ":", ";", ","):
        shown = words.split(sign)[0] if sign else words
        if len(shown) * 6.8 <= wide - 2 * GAP:
            return shown
    return shown


def _package(root: Path, container: str, name: str) -> Path:
    return root / "src" / Path(*container.split(".")) / name / "__init__.py"


def _box(place: tuple[float, float, float], name: str, said: str, hover: str) -> str:
    x, y, wide = place
    return (
        f'<g><title>{escape(hover)}</title><rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{ROW}" '
        f'rx="6" fill="{FILL}" stroke="{LINE}"/>'
        f"{_text(x + GAP, y + 23, name, INK, 15)}{_text(x + GAP, y + 42, said, SOFT, 12)}</g>"
    )


def _arrow(x1: float, y1: float, x2: float, y2: float) -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{TONE}" stroke-width="2" marker-end="url(#tip)"/>'


def _text(x: float, y: float, words: str, colour: str, size: int) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" font-size="{size}">{escape(words)}</text>'


def _svg(height: float, said: str, parts: Sequence[str]) -> str:
    tip = (
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" '
        f'orient="auto"><path d="M0 0L8 4L0 8z" fill="{TONE}"/></marker></defs>'
    )
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img" '
        f'aria-label="{escape(said)}" font-family="system-ui, sans-serif">'
    )
    back = f'<rect width="{WIDTH}" height="{height:.0f}" fill="#ffffff"/>'
    return "\n".join([head, tip, back, *parts, "</svg>", ""])


def pictures() -> dict[Path, str]:
    """Each picture by its file."""
    return {ASSETS / "loop.svg": loop(), ASSETS / "rooms.svg": rooms()}


if __name__ == "__main__":
    for path, text in pictures().items():
        path.write_text(text, encoding="utf-8")
