"""What a running Alertmanager says and is told, by its HTTP API.

Source: github.com/prometheus/alertmanager, api/v2/openapi.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from watchkeeper.core.errors import PlatformError
from watchkeeper.core.silences import Silence, SilenceMatcher
from watchkeeper.core.windows import parse_utc, utc_text


@dataclass(frozen=True, slots=True)
class AlertmanagerApi:
    """One server at `url`, which has no slash at its end."""

    url: str
    timeout: float = 10.0

    def version(self) -> str:
        """The server's version."""
        return str(self._get("status")["versionInfo"]["version"])

    def silences(self) -> tuple[Silence, ...]:
        """Every silence it knows, also those that are over for less than its retention."""
        try:
            return tuple(_silence(each) for each in self._get("silences"))
        except (KeyError, TypeError, ValueError) as error:
            raise PlatformError(
                f"read the silences of Alertmanager at {self.url}: {type(error).__name__}: {error}",
                retryable=False,
            ) from error

    def silence(self, wanted: Silence) -> str:
        """Make a silence like this one, whose own id does not count; the id that it has then."""
        body = {
            "matchers": [
                {"name": each.name, "value": each.value, "isRegex": each.is_regex, "isEqual": each.is_equal}
                for each in wanted.matchers
            ],
            "startsAt": utc_text(wanted.starts_at),
            "endsAt": utc_text(wanted.ends_at),
            "createdBy": wanted.created_by,
            "comment": wanted.comment,
        }
        return str(self._asked("POST", "silences", body).json()["silenceID"])

    def expire(self, silence: str) -> None:
        """End a silence now."""
        self._asked("DELETE", f"silence/{silence}")

    def _get(self, path: str) -> Any:
        return self._asked("GET", path).json()

    def _asked(self, method: str, path: str, body: Mapping[str, object] | None = None) -> httpx.Response:
        url = f"{self.url}/api/v2/{path}"
        try:
            response = httpx.request(method, url, json=body, timeout=self.timeout, trust_env=False)
            response.raise_for_status()
            if method != "DELETE":
                response.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            doing = f"{method} {path} of Alertmanager at {self.url}"
            raise PlatformError(f"{doing}: {type(error).__name__}: {error}", retryable=True) from error
        return response


def _silence(each: Mapping[str, Any]) -> Silence:
    return Silence(
        id=each["id"],
        matchers=tuple(
            SilenceMatcher(part["name"], part["value"], part["isRegex"], part.get("isEqual", True))
            for part in each["matchers"]
        ),
        starts_at=_time(each["startsAt"]),
        ends_at=_time(each["endsAt"]),
        created_by=each["createdBy"],
        comment=each["comment"],
        over=each["status"]["state"] == "expired",
    )


def _time(text: str) -> datetime:
    return parse_utc(text)
