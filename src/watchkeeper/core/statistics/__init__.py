"""Mergeable states of columns: the least that must be kept, one small file each.

A state is made of a part's rows with `of`, put together with `merge` in part order, and read with
`value`. To add one, write its file and its line in `STATISTICS`.
"""

from watchkeeper.core.statistics.categories import Categories
from watchkeeper.core.statistics.distinct import Distinct
from watchkeeper.core.statistics.duplicates import Duplicates
from watchkeeper.core.statistics.freshness import Freshness
from watchkeeper.core.statistics.hours import Hours
from watchkeeper.core.statistics.kll import Kll
from watchkeeper.core.statistics.lengths import Lengths
from watchkeeper.core.statistics.moments import Moments
from watchkeeper.core.statistics.presence import Presence
from watchkeeper.core.statistics.protocol import Statistic
from watchkeeper.core.statistics.signs import Signs
from watchkeeper.core.statistics.types import Types

CONTRACT: tuple[type[Statistic], ...] = (Presence, Types, Moments, Kll, Categories, Distinct)
STATISTICS: tuple[type[Statistic], ...] = (*CONTRACT, Signs, Lengths, Freshness, Duplicates, Hours)

__all__ = [
    "CONTRACT",
    "STATISTICS",
    "Categories",
    "Distinct",
    "Duplicates",
    "Freshness",
    "Hours",
    "Kll",
    "Lengths",
    "Moments",
    "Presence",
    "Signs",
    "Statistic",
    "Types",
]
