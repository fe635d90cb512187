"""Secrets that this machine makes for itself and keeps in a file, for their owner alone to read."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from watchkeeper.core.errors import PlatformError


def kept_secret(path: Path) -> str:
    """The secret in a file; made when it is first asked for, once, however many ask at the same time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            half = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
            with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(32))
            with contextlib.suppress(FileExistsError):  # another was quicker: that one counts
                path.hardlink_to(half)
            half.unlink()
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise PlatformError(f"keep the secret {path}: {error.strerror or error}", retryable=False) from error
