"""Baselines on record: where each comes from, who approved it, and which one an environment judges by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from watchkeeper.app.registry.records import read_record, read_records
from watchkeeper.app.setup.project import Project
from watchkeeper.app.setup.section import unknown
from watchkeeper.core.errors import InputError
from watchkeeper.core.ports import Store
from watchkeeper.core.values import Actor, ApprovalStatus, BaselineRef
from watchkeeper.core.windows import Window

RECORD, APPROVAL = "/baseline.json", "approval-"


class OriginKind(StrEnum):
    """Where the rows of a baseline come from."""

    TRAINING = "training-run"
    FILE = "file"
    WINDOWS = "production-windows"


@dataclass(frozen=True, slots=True)
class ChosenWindow:
    """A window that was asked for: how many of its rows were used, and why not all or none."""

    window: Window
    rows: int
    used: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """What can be looked up again: the run's file of rows, a file, or an environment's windows.

    `digest` is the sha256 of the file, or of the keys and digests of the objects of the windows.
    """

    kind: OriginKind
    name: str
    digest: str
    windows: tuple[ChosenWindow, ...] = ()


_EARLIER = Origin(OriginKind.TRAINING, "", "")  # records made before origins were kept


@dataclass(frozen=True, slots=True)
class BaselineRecord:
    """Provenance of one baseline; its two files lie beside this record."""

    monitor: str
    version: int
    model_version: int
    digest: str
    rows: int
    source: str
    suggested_by: Actor
    time: datetime
    schema_version: int = 1
    origin: Origin = _EARLIER

    @property
    def folder(self) -> str:
        """Where its files are, with a slash at the end."""
        return f"baselines/{self.monitor}/v{self.version}/"

    @property
    def ref(self) -> BaselineRef:
        """What an execution says it judged by."""
        return BaselineRef(self.monitor, self.version, self.digest)

    @property
    def name(self) -> str:
        """What people call it."""
        return f"{self.monitor} baseline v{self.version}"


@dataclass(frozen=True, slots=True)
class BaselineApproval:
    """One person's word on one baseline for one environment. `digest` is that of the files it is about."""

    monitor: str
    version: int
    digest: str
    environment: str
    status: ApprovalStatus
    actor: Actor
    time: datetime
    why: str


@dataclass(frozen=True, slots=True)
class BaselineStanding:
    """A baseline with its status in each environment, and the environments where it judges its model."""

    baseline: BaselineRecord
    approvals: dict[str, ApprovalStatus]
    used_in: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BaselineDetail:
    """One baseline, its standing, and every word that was said on it."""

    standing: BaselineStanding
    words: tuple[BaselineApproval, ...]


@dataclass(frozen=True, slots=True)
class Baselines:
    """A monitor's baselines and all that was said on them, oldest first."""

    records: tuple[BaselineRecord, ...]
    words: tuple[BaselineApproval, ...]

    def of_model(self, model_version: int) -> tuple[BaselineRecord, ...]:
        """The baselines of one model version, oldest first."""
        return tuple(record for record in self.records if record.model_version == model_version)

    def status(self, record: BaselineRecord, environment: str) -> ApprovalStatus:
        """The newest word on a baseline for an environment; a word on other files is none."""
        words = [
            word.status
            for word in self.words
            if (word.version, word.digest, word.environment) == (record.version, record.digest, environment)
        ]
        return words[-1] if words else ApprovalStatus.PENDING

    def in_use(self, model_version: int, environment: str) -> BaselineRecord | None:
        """The newest approved baseline of a model version: what an environment judges it by."""
        approved = [
            record
            for record in self.of_model(model_version)
            if self.status(record, environment) is ApprovalStatus.APPROVED
        ]
        return approved[-1] if approved else None


def baselines(store: Store, monitor: str) -> Baselines:
    """Fold a monitor's records."""
    return Baselines(baseline_records(store, monitor), _words(store, f"baselines/{monitor}/"))


def baseline_records(store: Store, monitor: str) -> tuple[BaselineRecord, ...]:
    """A monitor's baselines, oldest first."""
    found = read_records(store, f"baselines/{monitor}/", BaselineRecord, RECORD)
    return tuple(sorted(found, key=lambda record: record.version))


def baseline_record(store: Store, monitor: str, version: int) -> BaselineRecord:
    """One baseline's record. Raises InputError, with the versions there are, when it is not on record."""
    found = baseline_records(store, monitor)
    for record in found:
        if record.version == version:
            return record
    known = ", ".join(str(record.version) for record in found) or "none yet"
    raise InputError(f"find {monitor} baseline {version}: want one on record ({known})")


def check_monitor(project: Project, monitor: str) -> str:
    """The name of a monitor of the project. Raises InputError, with the nearest, for any other."""
    if monitor not in project.settings.monitors:
        raise InputError(f"project {project.name}: {unknown(monitor, project.settings.monitors, 'monitor')}")
    return monitor


def standings(project: Project, store: Store) -> tuple[BaselineStanding, ...]:
    """Every baseline of every monitor of the project, with its standing."""
    found = []
    for monitor in project.settings.monitors:
        known = baselines(store, monitor)
        found += [_standing(project, known, record) for record in known.records]
    return tuple(found)


def detail(project: Project, store: Store, monitor: str, version: int) -> BaselineDetail:
    """One baseline with all that is known of it. Raises InputError when it is not on record."""
    record, known = (
        baseline_record(store, check_monitor(project, monitor), version),
        baselines(store, monitor),
    )
    words = tuple(word for word in known.words if word.version == version)
    return BaselineDetail(_standing(project, known, record), words)


def how_to_get_one(known: Baselines, monitor: str, model_version: int, environment: str) -> str:
    """What to type when an environment has no approved baseline for a model version."""
    waiting = [
        record
        for record in known.of_model(model_version)
        if known.status(record, environment) is ApprovalStatus.PENDING
    ]
    if waiting:
        return f"`watchkeeper baseline approve {monitor} {waiting[-1].version} --for {environment}`"
    return f"`watchkeeper baseline suggest {monitor} --for-model {model_version} …`, then approve it"


def _standing(project: Project, known: Baselines, record: BaselineRecord) -> BaselineStanding:
    environments = project.environments
    return BaselineStanding(
        record,
        {name: known.status(record, name) for name in environments},
        tuple(name for name in environments if known.in_use(record.model_version, name) == record),
    )


def _words(store: Store, prefix: str) -> tuple[BaselineApproval, ...]:
    keys = [key for key in store.list(prefix) if key.rpartition("/")[2].startswith(APPROVAL)]
    return tuple(read_record(store, key, BaselineApproval) for key in keys)
