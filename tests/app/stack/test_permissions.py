"""Grafana's folders are for their teams alone, however often it is said.

The server here answers as Grafana's documentation says; the real one is not to be had where these tests run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.webhooks import Quiet, served
from watchkeeper.adapters.local.grafana import GrafanaApi
from watchkeeper.app.stack.permissions import TEAMS, bootstrap
from watchkeeper.core.errors import DeniedError, InputError, PlatformError
from watchkeeper.render.dashboards import Folder

TOKEN = "glsa-only-here"
DEFAULT = [{"role": "Viewer", "permission": 1, "teamId": 0}, {"role": "Editor", "permission": 2, "teamId": 0}]
ADMIN = {"role": "Admin", "permission": 4, "teamId": 0}


@dataclass(slots=True)
class Grafana:
    """Teams and folders' permissions, as Grafana gives and takes them."""

    folders: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    teams: list[str] = field(default_factory=list)
    posts: list[str] = field(default_factory=list)
    url: str = ""

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        if method == "POST":
            self.posts.append(path)
        match method, path.split("/")[2:]:
            case "GET", ["folders"]:
                return 200, [
                    {"uid": f"uid-{title.lower().replace(' ', '-')}", "title": title}
                    for title in self.folders
                ]
            case "GET", ["teams", "search"]:
                found = [name for name in self.teams if query["name"].lower() in name.lower()]
                return 200, {"teams": [{"id": self.teams.index(name) + 1, "name": name} for name in found]}
            case "POST", ["teams"]:
                self.teams.append(body["name"])
                return 200, {"message": "Team created", "teamId": len(self.teams)}
            case "GET", ["folders", uid, "permissions"]:
                return 200, [ADMIN, *self.folders[self._title(uid)]]
            case "POST", ["folders", uid, "permissions"]:
                self.folders[self._title(uid)] = [{"role": "", **each} for each in body["items"]]
                return 200, {"message": "Folder permissions updated"}
        return 404, {"message": "Not found"}

    def _title(self, uid: str) -> str:
        return next(title for title in self.folders if f"uid-{title.lower().replace(' ', '-')}" == uid)


@contextmanager
def serving(grafana: Grafana) -> Iterator[GrafanaApi]:
    class Handler(Quiet):
        def _any(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            if self.headers["authorization"] == f"Bearer {TOKEN}":
                code, answer = grafana.answer(self.command, parts.path, query, body)
            else:
                code, answer = 401, {"message": "Unauthorized"}
            self.send_response(code)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        do_GET = do_POST = _any

    with served(Handler) as url:
        yield GrafanaApi(url, TOKEN)


def provisioned() -> Grafana:
    return Grafana(
        {folder.value: list(DEFAULT) for folder in Folder}, teams=["operations-night", "operations"]
    )


def test_each_folder_is_for_its_teams_and_said_again_nothing_changes() -> None:
    grafana = provisioned()
    with serving(grafana) as api:
        first, again = bootstrap(api), bootstrap(api)
    assert first.made == ("data-science", "ml-engineering")
    assert all(each.changed for each in first.folders)
    assert (again.made, [each.changed for each in again.folders]) == ((), [False, False, False])
    assert len(grafana.posts) == 5  # two teams, three folders
    for folder, names in TEAMS.items():
        held = grafana.folders[folder]
        assert [(each["teamId"], each["permission"]) for each in held] == [
            (grafana.teams.index(name) + 1, 1) for name in names
        ]


def test_what_somebody_changed_is_set_back() -> None:
    grafana = provisioned()
    with serving(grafana) as api:
        bootstrap(api)
        grafana.folders[Folder.OPERATIONS].append({"role": "Viewer", "permission": 1, "teamId": 0})
        again = bootstrap(api)
    assert [each.folder for each in again.folders if each.changed] == ["Operations"]


def test_without_dashboards_a_token_or_a_server_it_is_said() -> None:
    grafana = Grafana()
    with serving(grafana) as api:
        with pytest.raises(InputError, match="missing: Data science, ML engineering, Operations"):
            bootstrap(api)
        with pytest.raises(DeniedError, match="want an administrator's token"):
            bootstrap(GrafanaApi(api.url, "wrong"))
    assert grafana.posts == []
    with pytest.raises(PlatformError, match="GET folders"):
        bootstrap(api)
