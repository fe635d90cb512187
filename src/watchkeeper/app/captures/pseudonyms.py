"""Names in the place of values that may not be shown, the same for the same value.

A keyed hash, so that nobody without the key can try values until one fits. The key is made in the workspace
and stays there: it is in no backup, and values get other names in a workspace that was restored.
Source: RFC 2104.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from pathlib import Path

from watchkeeper.adapters.local.kept import kept_secret

KEY = "run/pseudonyms.key"
_SHOWN = 12  # digits of the hash

Pseudonym = Callable[[str, object], str]


def pseudonyms(folder: Path) -> Pseudonym:
    """What names a column's cell in this workspace, `#0123456789ab`."""
    key = kept_secret(folder / KEY).encode()

    def named(column: str, cell: object) -> str:
        said = f"{column}\0{cell}".encode()
        return f"#{hmac.new(key, said, hashlib.sha256).hexdigest()[:_SHOWN]}"

    return named
