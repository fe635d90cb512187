"""Credentials that stand in the project file themselves: refused, as the file is stored and shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from watchkeeper.adapters.secrets import REFERENCE
from watchkeeper.app.setup.yaml_source import Path_

_NAMES = re.compile(
    r"(^|_)(password|passwd|secret|token|api_?key|access_?key|private_?key|credentials?)$", re.I
)
_SHAPES = {
    "an access key of AWS": re.compile(r"\b(AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a token of GitHub": re.compile(r"\b(gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})"),
    "a token of GitLab": re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}"),
    "a token of Slack": re.compile(r"\bxox[abeprs]-[A-Za-z0-9-]{10,}"),
    "a hook of Slack": re.compile(r"hooks\.slack\.com/services/\w+/\w+/\w+"),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a JSON web token": re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\."),
    "a URL with a password": re.compile(r"[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s@]+@", re.I),
}
WANTED = "want a reference to a secret, ${env:NAME}, ${file:PATH} or ${aws-secret:ARN}"


def literal_credentials(data: Any, at: Path_ = ()) -> Iterator[tuple[Path_, str]]:
    """Where a credential stands, and what is wrong with it; the value itself is never repeated."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from literal_credentials(value, (*at, key))
    elif isinstance(data, list):
        for place, value in enumerate(data):
            yield from literal_credentials(value, (*at, place))
    elif isinstance(data, str) and data and not REFERENCE.fullmatch(data):
        name = next((str(part) for part in reversed(at) if isinstance(part, str)), "")
        kind = next((kind for kind, shape in _SHAPES.items() if shape.search(data)), "")
        if kind or _NAMES.search(name):
            yield at, f"{WANTED}, got {kind or 'a text that may be one'}"
