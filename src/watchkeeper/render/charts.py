"""Charts as inline SVG: a value in, text out, no script.

They fill the width they are given, read at 380 px, take their colours from CSS variables (see
templates/style.css), name each mark on hover, and carry one sentence for those who cannot see them.
"""

from watchkeeper.render.distribution_chart import Distribution, histogram, paired_bars
from watchkeeper.render.line_chart import Line, LineChart, Mark, Threshold, line_chart
from watchkeeper.render.paired_dots import Pair, Spot, paired_dots
from watchkeeper.render.residual_plot import Residuals, residual_plot
from watchkeeper.render.strips import Bar, Cell, Span, bars, status_strip, timeline

__all__ = [
    "Bar",
    "Cell",
    "Distribution",
    "Line",
    "LineChart",
    "Mark",
    "Pair",
    "Residuals",
    "Span",
    "Spot",
    "Threshold",
    "bars",
    "histogram",
    "line_chart",
    "paired_bars",
    "paired_dots",
    "residual_plot",
    "status_strip",
    "timeline",
]
