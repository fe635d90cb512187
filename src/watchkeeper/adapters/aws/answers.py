"""What AWS answered, kept to be looked at: the newest answer of each operation, without what is secret."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

_ACCOUNT = re.compile(r"(?<![0-9A-Za-z])\d{12}(?![0-9A-Za-z])")
_PLACEHOLDER = "123456789012"
_SECRET = frozenset({"AssumeRole", "GetAuthorizationToken"})  # their answers are credentials


@dataclass(slots=True)
class Answers:
    """Listens to sessions of boto3. `held` has answers by `service.Operation`, as JSON can say them.

    Numbers of accounts are replaced by the one that AWS's own examples use; bodies that are streamed are
    left out, and whoever reads one may `keep` what it was.
    """

    held: dict[str, Any] = field(default_factory=dict)

    def listen(self, session: Any) -> None:
        """Hear what clients are answered that the session makes from now on."""
        session.events.register("after-call", self._heard)

    def keep(self, name: str, value: Any) -> None:
        """Keep a value under a name, as an answer is kept."""
        self.held[name] = _plain(value)

    def _heard(self, parsed: Mapping[str, Any], model: Any, **_: Any) -> None:
        if model.name not in _SECRET:
            said = {key: value for key, value in parsed.items() if key != "ResponseMetadata"}
            self.keep(f"{model.service_model.service_name}.{model.name}", said)


def _plain(value: Any) -> Any:
    """As JSON has it: times as ISO 8601 with their zone, and no streams."""
    text = json.dumps(value, default=lambda each: each.isoformat() if isinstance(each, datetime) else None)
    return json.loads(_ACCOUNT.sub(_PLACEHOLDER, text))
