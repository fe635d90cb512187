"""References to secrets, followed where a secret is used and nowhere before.

The project file names a secret, `${env:NAME}` or `${file:PATH}`, and never holds one: what is not there
cannot be printed, logged or stored.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from watchkeeper.core.errors import InputError

REFERENCE = re.compile(r"\$\{(env|file):([^}]+)\}")


def resolve(reference: str) -> str:
    """What the reference stands for, stripped. Raises InputError when nothing is there."""
    match = REFERENCE.fullmatch(reference)
    if match is None:
        raise InputError("follow a reference to a secret: want ${env:NAME} or ${file:PATH}, got another text")
    kind, name = match.groups()
    if kind == "env":
        found = os.environ.get(name, "")
    else:
        try:
            found = Path(name).expanduser().read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"follow the secret {reference}: {error}") from None
    if not found.strip():
        raise InputError(f"follow the secret {reference}: want a text, got none")
    return found.strip()


def resolved(text: str) -> str:
    """A text as it is, or what it stands for when it is a reference. Raises InputError as `resolve` does."""
    return resolve(text) if REFERENCE.fullmatch(text) else text
