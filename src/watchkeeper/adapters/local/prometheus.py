"""What a running Prometheus says, by its HTTP API (prometheus.io/docs/prometheus/latest/querying/api)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from watchkeeper.core.errors import PlatformError
from watchkeeper.core.rules import Alert, AlertState
from watchkeeper.core.windows import parse_utc
from watchkeeper.readers.alertmanager import alert_of

_EVALUATIONS = 2  # by the second one, what lasts an instant has fired
_POLL = 0.02  # seconds between two looks


@dataclass(frozen=True, slots=True)
class PrometheusApi:
    """One server at `url`, which has no slash at its end."""

    url: str
    timeout: float = 10.0

    def alerts(self) -> tuple[Alert, ...]:
        """Every alert that is pending or firing, by its labels."""
        found = [_alert(each) for each in self._get("alerts")["alerts"]]
        return tuple(sorted(found, key=lambda alert: (alert.name, alert.labels)))

    def version(self) -> str:
        """The server's version."""
        return str(self._get("status/buildinfo")["version"])

    def settle(self, since: datetime, patience: float = 60.0) -> None:
        """Return once every group was evaluated twice after a scrape that began later than `since`.

        Raises PlatformError when that takes more than `patience` seconds.
        """
        deadline = time.monotonic() + patience
        while (scraped := self._scraped(since)) is None:
            self._pause(deadline, "scraped no target")
        evaluations: set[datetime] = set()
        while len(evaluations) < _EVALUATIONS:
            if (last := self._evaluated_at()) > scraped:
                evaluations.add(last)
            self._pause(deadline, "evaluated no rule")

    def _scraped(self, since: datetime) -> datetime | None:
        """When scrapes that began later than `since` had all ended; None while a target waits for one."""
        scrapes = [
            (parse_utc(each["lastScrape"]), timedelta(seconds=each["lastScrapeDuration"]))
            for each in self._get("targets")["activeTargets"]
        ]
        if not scrapes or min(scrapes)[0] <= since:
            return None
        return max(began + lasted for began, lasted in scrapes)

    def _evaluated_at(self) -> datetime:
        """When the last evaluation of the group that was evaluated longest ago began."""
        return min(parse_utc(each["lastEvaluation"]) for each in self._get("rules")["groups"])

    def _pause(self, deadline: float, failing: str) -> None:
        if time.monotonic() > deadline:
            raise PlatformError(f"wait for Prometheus at {self.url}: it {failing} in time", retryable=True)
        time.sleep(_POLL)

    def query(self, expression: str) -> list[dict[str, Any]]:
        """An instant query's result, as it is written."""
        found: list[dict[str, Any]] = self._get("query", {"query": expression})["result"]
        return found

    def _get(self, path: str, parameters: Mapping[str, str] | None = None) -> Any:
        doing = f"ask Prometheus at {self.url} for its {path}"
        try:
            response = httpx.get(
                f"{self.url}/api/v1/{path}", params=parameters, timeout=self.timeout, trust_env=False
            )
            body = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise PlatformError(f"{doing}: {type(error).__name__}: {error}", retryable=True) from error
        if body.get("status") != "success":
            raise PlatformError(f"{doing}: {body.get('error', response.status_code)}", retryable=False)
        return body["data"]


def _alert(each: Mapping[str, Any]) -> Alert:
    return alert_of(
        each["labels"], each["annotations"], AlertState(each["state"]), parse_utc(each["activeAt"])
    )
