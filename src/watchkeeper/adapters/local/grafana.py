"""What a Grafana has of teams and folders, and what it is told of them, by its HTTP API.

Sources: grafana.com/docs/grafana/v11.6/developers/http_api, the pages folder, folder_permissions and team.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from watchkeeper.core.errors import DeniedError, PlatformError

VIEW = 1  # Grafana's number for the permission to look


@dataclass(frozen=True, slots=True)
class GrafanaApi:
    """One server at `url`, which has no slash at its end; `token` is a service account's."""

    url: str
    token: str
    timeout: float = 10.0

    def folders(self) -> dict[str, str]:
        """Each folder's uid by its title."""
        return {each["title"]: each["uid"] for each in self._asked("GET", "folders?limit=1000")}

    def team(self, name: str) -> int | None:
        """A team's id; None when there is no team of that name."""
        found = self._asked("GET", "teams/search", {"name": name})["teams"]
        return next((each["id"] for each in found if each["name"] == name), None)

    def new_team(self, name: str) -> int:
        """Make a team without members; its id."""
        return int(self._asked("POST", "teams", body={"name": name})["teamId"])

    def permissions(self, folder: str) -> dict[int, int]:
        """What teams may do with a folder, by their ids, and 0 for who is in none.

        What a folder above gives, and what administrators have in any case, is left out.
        """
        found = self._asked("GET", f"folders/{folder}/permissions")
        return {
            each.get("teamId") or 0: each["permission"]
            for each in found
            if not each.get("inherited") and each.get("role") != "Admin"
        }

    def permit(self, folder: str, teams: Mapping[int, int]) -> None:
        """Let these teams do this with a folder, and nobody else; administrators may always do everything."""
        items = [{"teamId": team, "permission": permission} for team, permission in teams.items()]
        self._asked("POST", f"folders/{folder}/permissions", body={"items": items})

    def _asked(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: object = None
    ) -> Any:
        doing = f"{method} {path} of Grafana at {self.url}"
        try:
            response = httpx.request(
                method,
                f"{self.url}/api/{path}",
                params=query,
                json=body,
                headers={"authorization": f"Bearer {self.token}"},
                timeout=self.timeout,
                trust_env=False,
            )
            if response.status_code in (401, 403):
                raise DeniedError(
                    f"{doing}: it answered {response.status_code}; want an administrator's token"
                )
            return response.raise_for_status().json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise PlatformError(f"{doing}: {type(error).__name__}: {error}", retryable=True) from error
