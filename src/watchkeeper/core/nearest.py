"""The name that was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint at the known name that is most like it, to end a message with; empty when none is.

    >>> nearest("twon", ["area", "town"])
    '; did you mean "town"?'
    """
    near = difflib.get_close_matches(name, list(known), n=1)
    return f'; did you mean "{near[0]}"?' if near else ""
