"""Who may look into which folder of dashboards: said to Grafana, as provisioning by files cannot.

Custom roles are Grafana Enterprise's; teams and folders' permissions are in the open edition.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from watchkeeper.adapters.local.grafana import VIEW, GrafanaApi
from watchkeeper.core.errors import InputError
from watchkeeper.render.dashboards import Folder

# Each folder with the teams that may look into it. Nobody may change what is provisioned.
TEAMS: Mapping[Folder, tuple[str, ...]] = MappingProxyType(
    {
        Folder.DATA_SCIENCE: ("data-science", "ml-engineering"),
        Folder.ENGINEERING: ("ml-engineering", "operations"),
        Folder.OPERATIONS: ("operations", "ml-engineering"),
    }
)


@dataclass(frozen=True, slots=True)
class FolderAccess:
    """A folder, the teams that may look into it, and whether that was so before."""

    folder: str
    teams: tuple[str, ...]
    changed: bool


@dataclass(frozen=True, slots=True)
class Bootstrapped:
    """The teams that were made, and each folder."""

    made: tuple[str, ...]
    folders: tuple[FolderAccess, ...]


def bootstrap(grafana: GrafanaApi) -> Bootstrapped:
    """Make the teams that lack, and let each folder be looked into by its own alone; again, nothing changes.

    Members are added to teams by people, or by a login that maps groups. Raises InputError when the
    dashboards are not there yet.
    """
    known = grafana.folders()
    if missing := [folder for folder in TEAMS if folder not in known]:
        raise InputError(
            f"set permissions in Grafana at {grafana.url}: want the folders of `watchkeeper stack render`, "
            f"missing: {', '.join(missing)}"
        )
    ids: dict[str, int] = {}
    made = []
    for name in dict.fromkeys(name for names in TEAMS.values() for name in names):
        found = grafana.team(name)
        if found is None:
            made.append(name)
            found = grafana.new_team(name)
        ids[name] = found
    folders = []
    for folder, names in TEAMS.items():
        wanted = {ids[name]: VIEW for name in names}
        changed = grafana.permissions(known[folder]) != wanted
        if changed:
            grafana.permit(known[folder], wanted)
        folders.append(FolderAccess(folder.value, names, changed))
    return Bootstrapped(tuple(made), tuple(folders))
