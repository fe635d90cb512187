"""Mergeable states of columns: the least that must be kept, one small file each.

A state is made of a part's rows with `of`, put together with `merge` in part order, and read with
`value`. To add one, write its file and its line in `STATISTICS`.
"""

from watchkeeper.core.statistics.categories import Categories
from watchkeeper.core.statistics.kll import Kll
from watchkeeper.core.statistics.moments import Moments
from watchkeeper.core.statistics.presence import Presence
from watchkeeper.core.statistics.protocol import Statistic
from watchkeeper.core.statistics.types import Types

STATISTICS: tuple[type[Statistic], ...] = (Presence, Types, Moments, Kll, Categories)

__all__ = ["STATISTICS", "Categories", "Kll", "Moments", "Presence", "Statistic", "Types"]
