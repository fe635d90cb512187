"""The knowledge base: every incident's record and a weekly page on drift, mirrored to where people read.

What was put where is on record. A shelf that fails is left alone for a while, longer each time, and what
it has not got is put later; whoever runs this hears of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from watchkeeper.adapters.knowledge import Shelf, puts
from watchkeeper.app.alerts.delivering import retry_at
from watchkeeper.app.alerts.digests import drift_page
from watchkeeper.app.alerts.incident_records import incident_record
from watchkeeper.app.alerts.incident_stories import incident_story, known_incidents
from watchkeeper.app.registry.records import create_record, read_records
from watchkeeper.app.setup.project import Project
from watchkeeper.app.setup.targets import Books
from watchkeeper.core.encoding import digest
from watchkeeper.core.errors import ExistsError
from watchkeeper.core.incidents import Delivery
from watchkeeper.core.ports import Store
from watchkeeper.core.windows import utc_text

WEEK = timedelta(days=7)
SETTLED = timedelta(days=30)  # after its end an incident's record is looked at no more
_TOLD = ("alerts", "receipts", "decisions", "retrains", "incidents", "acknowledgements")
MOST_WEEKS = 4  # that are caught up with


@dataclass(frozen=True, slots=True)
class Mirrored:
    """A try to put a page on a shelf; `digest` is of its text, whose tries are counted from 1."""

    page: str
    shelf: str
    digest: str
    attempt: int
    time: datetime
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class ShelfState:
    """How many pages of an environment a shelf has; `failing` says why the newest one is not there."""

    environment: str
    shelf: str
    pages: int
    failing: str


def mirrored(store: Store, environment: str) -> tuple[Mirrored, ...]:
    """Every try, by shelf and page."""
    return read_records(store, f"mirrored/{environment}/", Mirrored)


@dataclass(slots=True)
class Mirror:
    """Keeps an environment's pages on the project's shelves. One process at a time may run one."""

    books: Books
    environment: str
    folder: Path  # the workspace
    _has: dict[tuple[str, str], str] = field(init=False, default_factory=dict)  # shelf and page: its text
    _tries: dict[tuple[str, str, str], int] = field(init=False, default_factory=dict)
    _failures: dict[str, int] = field(init=False, default_factory=dict)
    _free_at: dict[str, datetime] = field(init=False, default_factory=dict)
    _looked_at: tuple[object, ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        for each in mirrored(self.books.store, self.environment):
            self._seen(each)

    def run(self) -> tuple[Mirrored, ...]:
        """Put what changed on every shelf that can be reached; every try that was made."""
        found = shelves(self.books.project, self.environment, self.folder)
        state = self._told_apart()
        if not found or (state == self._looked_at and not self._failures):
            return ()
        self._looked_at = state
        pages = dict(self._pages([str(shelf) for shelf in found]))
        return tuple(each for shelf in found for each in self._fill(shelf, pages))

    def _told_apart(self) -> tuple[object, ...]:
        """What is another as soon as some page may be: how many records tell of it, and which week it is."""
        counts = (len(self.books.store.list(f"{kind}/{self.environment}/")) for kind in _TOLD)
        return (*counts, self._monday())

    def _monday(self) -> datetime:
        """When the newest week with a page ended: a day ago or more, so that its last monitors have run."""
        settled = self.books.clock.now() - timedelta(days=1)
        monday = settled - timedelta(days=settled.weekday())
        return monday.replace(hour=0, minute=0, second=0, microsecond=0)

    def state(self) -> tuple[ShelfState, ...]:
        """Each shelf with what it has, and why it was last left alone."""
        tries = mirrored(self.books.store, self.environment)
        found = []
        for shelf in shelves(self.books.project, self.environment, self.folder):
            own = sorted((each for each in tries if each.shelf == str(shelf)), key=lambda each: each.time)
            failed = own[-1].delivery.reason if own and not own[-1].delivery.delivered else ""
            pages = sum(name == str(shelf) for name, _ in self._has)
            found.append(ShelfState(self.environment, str(shelf), pages, failed))
        return tuple(found)

    def _pages(self, names: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Each page that may have changed, with its text."""
        now, project = self.books.clock.now(), self.books.project
        for incident in known_incidents(self.books.store, self.environment):
            if incident.ended_at is None or now - incident.ended_at < SETTLED:
                story = incident_story(self.books.store, self.environment, incident)
                page = f"incidents/{self.environment}/{incident.started_at:%Y-%m-%d}-{incident.id}.md"
                yield page, incident_record(story, project.classification)
        for weeks in range(MOST_WEEKS):
            until = self._monday() - weeks * WEEK
            page = f"drift/{self.environment}/{until - WEEK:%G-W%V}.md"
            lacking = any((name, page) not in self._has for name in names)
            if lacking and (text := drift_page(self.books, self.environment, until - WEEK, until)):
                yield page, text

    def _fill(self, shelf: Shelf, pages: dict[str, str]) -> Iterator[Mirrored]:
        now, name = self.books.clock.now(), str(shelf)
        if now < self._free_at.get(name, now):
            return
        for page, text in pages.items():
            known = digest(text.encode())
            if self._has.get((name, page)) == known:
                continue
            attempt = self._tries.get((name, page, known), 0) + 1
            done = Mirrored(page, name, known, attempt, now, puts(shelf.kind)(shelf, page, text))
            _record(self.books.store, self.environment, done)
            self._seen(done)
            yield done
            if not done.delivery.delivered:
                return

    def _seen(self, done: Mirrored) -> None:
        self._tries[done.shelf, done.page, done.digest] = done.attempt
        if done.delivery.delivered:
            self._has[done.shelf, done.page] = done.digest
            self._failures.pop(done.shelf, None)
            self._free_at.pop(done.shelf, None)
        else:
            self._failures[done.shelf] = self._failures.get(done.shelf, 0) + 1
            self._free_at[done.shelf] = retry_at(done.time, self._failures[done.shelf], done.delivery)


def _record(store: Store, environment: str, done: Mirrored) -> None:
    stamp = f"{utc_text(done.time)}-{done.digest[:12]}-{done.attempt:04d}"
    key = f"mirrored/{environment}/{done.shelf}/{done.page.removesuffix('.md')}/{stamp}.json"
    try:
        create_record(store, key, done)
    except ExistsError:  # the same try within one moment
        return


def shelves(project: Project, environment: str, folder: Path) -> tuple[Shelf, ...]:
    """Every place of an environment's knowledge base."""
    sections = project.environment(environment).knowledge_base
    return tuple(Shelf(place, each.kind, each.options(), folder) for place, each in enumerate(sections))
