"""What a running Alertmanager says, by its HTTP API.

Source: github.com/prometheus/alertmanager, api/v2/openapi.yaml.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from watchkeeper.core.errors import PlatformError


@dataclass(frozen=True, slots=True)
class AlertmanagerApi:
    """One server at `url`, which has no slash at its end."""

    url: str
    timeout: float = 10.0

    def version(self) -> str:
        """The server's version."""
        return str(self._get("status")["versionInfo"]["version"])

    def _get(self, path: str) -> Any:
        try:
            response = httpx.get(f"{self.url}/api/v2/{path}", timeout=self.timeout, trust_env=False)
            return response.raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            doing = f"ask Alertmanager at {self.url} for its {path}"
            raise PlatformError(f"{doing}: {type(error).__name__}: {error}", retryable=True) from error
