"""Requests of one moment are answered together, and none of them notices."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.serving.running import DEPLOYED, PerSquareMetre, Predictions
from watchkeeper.adapters.memory.store import MemoryStore
from watchkeeper.core.errors import PlatformError, WatchkeeperError
from watchkeeper.core.values import CaptureRecord, Schema
from watchkeeper.readers.records import read_capture_lines
from watchkeeper.serving.calls import Answer, Call
from watchkeeper.serving.capture import CaptureWriter
from watchkeeper.serving.counters import VariantCounters
from watchkeeper.serving.moments import Moment
from watchkeeper.serving.recorder import Recorder
from watchkeeper.serving.refusals import ModelFailed, RequestRefused
from watchkeeper.serving.settings import CapturePolicy, EndpointSettings
from watchkeeper.serving.variant import Variant

NOON = datetime(2020, 1, 31, 12, tzinfo=UTC)


@dataclass(slots=True)
class Counted:
    """The tests' model, and how many rows it was asked each time."""

    model: PerSquareMetre = field(default_factory=lambda: PerSquareMetre(2.0))
    asked: list[int] = field(default_factory=list)

    @property
    def schema(self) -> Schema:
        return self.model.schema

    def predict(self, columns: Mapping[str, Sequence[str | None]]) -> Predictions:
        self.asked.append(len(columns["area"]))
        return self.model.predict(columns)


@dataclass(slots=True)
class Served:
    endpoint: Variant
    model: Counted
    store: MemoryStore

    def captured(self) -> list[CaptureRecord]:
        self.endpoint.recorder.capture.flush()
        found: list[CaptureRecord] = []
        for key in self.store.list("captures/"):
            for _, record in read_capture_lines(key, self.store.read(key)):
                assert isinstance(record, CaptureRecord)
                found.append(record)
        return found


def served(folder: Path) -> Served:
    store, model = MemoryStore(), Counted()
    endpoint = Variant(
        EndpointSettings("prices", "prod"),
        "AllTraffic",
        Recorder(CaptureWriter(store, folder), CapturePolicy()),
        VariantCounters({}),
    )
    endpoint.activate(DEPLOYED, model)
    return Served(endpoint, model, store)


def call(number: int, body: str, hours: int = 0, content_type: str = "text/csv") -> Call:
    return Call(f"event-{number}", NOON + timedelta(hours=hours), body.encode(), content_type)


def row(area: object, town: str = "A") -> str:
    return f"{town},{area}"


def single(endpoint: Variant, asked: Call) -> Answer | WatchkeeperError:
    try:
        return endpoint.answer(asked)
    except WatchkeeperError as error:
        return error


def said(found: Answer | WatchkeeperError) -> tuple[object, ...]:
    """An answer, or an error by its kind and words."""
    return (found,) if isinstance(found, Answer) else (type(found), str(found))


def test_one_prediction_and_each_its_own_answer(tmp_path: Path) -> None:
    alone, together = served(tmp_path / "alone"), served(tmp_path / "together")
    calls = [
        call(0, row(50)),
        call(1, f"{row(60)}\n{row(70)}"),
        call(2, "a,b,c"),
        call(3, row(80), hours=1),
        call(4, "x", content_type="image/png"),
    ]
    found = together.endpoint.answer_all(calls)
    assert together.model.asked == [4]
    assert list(map(said, found)) == [said(single(alone.endpoint, each)) for each in calls]
    assert together.captured() == alone.captured()
    assert [record.event_id for record in together.captured()] == ["event-0", "event-1", "event-3"]


def test_who_cannot_be_answered_fails_alone(tmp_path: Path) -> None:
    one = served(tmp_path)
    towns = ["A", "lease", "A", "A", "A", "bug", "A", "A"]
    found = one.endpoint.answer_all([call(number, row(50, town)) for number, town in enumerate(towns)])
    assert [type(each) for each in found] == [
        Answer, RequestRefused, Answer, Answer, Answer, ModelFailed, Answer, Answer,
    ]  # fmt: skip
    assert len(one.captured()) == 6
    assert len(one.model.asked) <= 1 + 2 * 2 * 3, "halved, not asked one by one"


bodies = st.sampled_from(["A,50", "new,60", "lease,1", "bug,1", "nan,1", "A,", "A,large", ""])


@settings(deadline=None)
@given(st.lists(st.tuples(bodies, st.integers(0, 2)), max_size=12))
def test_together_is_as_alone(tmp_path_factory: pytest.TempPathFactory, asked: list[tuple[str, int]]) -> None:
    folder = tmp_path_factory.mktemp("moments")
    alone, together = served(folder / "alone"), served(folder / "together")
    calls = [call(number, body, hours) for number, (body, hours) in enumerate(asked)]
    found = together.endpoint.answer_all(calls)
    assert list(map(said, found)) == [said(single(alone.endpoint, each)) for each in calls]
    by_id = {record.event_id: record for record in alone.captured()}
    assert {record.event_id: record for record in together.captured()} == by_id


def test_without_a_model_nobody_is_answered(tmp_path: Path) -> None:
    one = served(tmp_path)
    one.endpoint.active = None
    found = one.endpoint.answer_all([call(0, row(50)), call(1, row(60))])
    assert [type(each) for each in found] == [PlatformError, PlatformError]


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A disk that takes half of what it is given."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda at, data: write(at, data[: len(data) // 2]))
    yield
    monkeypatch.undo()


@pytest.mark.usefixtures("full")
def test_records_that_cannot_be_kept_are_of_no_answer(tmp_path: Path) -> None:
    one = served(tmp_path)
    found = one.endpoint.answer_all([call(0, row(50)), call(1, "bad"), call(2, row(60))])
    assert [type(each) for each in found] == [PlatformError, RequestRefused, PlatformError]
    assert one.captured() == []


async def together(moment: Moment, *towns: str, number: int = 0) -> list[Answer | BaseException]:
    """What one turn of the loop gets."""
    asked = (moment.answer(call(number + at, row(50, town))) for at, town in enumerate(towns))
    return await asyncio.gather(*asked, return_exceptions=True)


def test_one_turn_of_the_loop_is_one_prediction(tmp_path: Path) -> None:
    one = served(tmp_path)

    async def live() -> list[Answer | BaseException]:
        moment = Moment(one.endpoint)
        await together(moment, "A", "B", number=10)
        return await together(moment, "A", "lease", "B")

    assert [type(each) for each in asyncio.run(live())] == [Answer, RequestRefused, Answer]
    assert one.model.asked == [1, 1, 3, 1, 2, 1, 1]


def test_one_at_a_time_is_answered_at_once(tmp_path: Path) -> None:
    """A single request waits for nothing; after a turn with several, the next is the last to wait."""
    one = served(tmp_path)

    def at_once(moment: Moment, number: int) -> bool:
        try:
            moment.answer(call(number, row(50))).send(None)
        except StopIteration:
            return True
        return False

    async def live() -> None:
        moment = Moment(one.endpoint)
        for number in range(3):
            assert at_once(moment, number)
            await asyncio.sleep(0)
        await together(moment, "A", "B", number=10)
        assert [type(each) for each in await together(moment, "A", number=20)] == [Answer]
        await asyncio.sleep(0)
        assert at_once(moment, 30)

    asyncio.run(live())
    assert len(one.captured()) == 7


def test_one_who_goes_away_takes_no_others_answer_along(tmp_path: Path) -> None:
    one = served(tmp_path)

    async def live() -> list[Answer | BaseException]:
        moment = Moment(one.endpoint)
        first, leaving, staying = (
            asyncio.create_task(moment.answer(call(number, row(50)))) for number in range(3)
        )
        await asyncio.sleep(0)
        leaving.cancel()
        return list(await asyncio.gather(first, leaving, staying, return_exceptions=True))

    kinds = [type(each) for each in asyncio.run(live())]
    assert kinds == [Answer, asyncio.CancelledError, Answer]


def test_a_fault_of_the_servers_own_is_everybodys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = served(tmp_path)

    def broken(*_: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr("watchkeeper.serving.variant.encode_predictions", broken)

    async def live() -> list[object]:
        moment = Moment(one.endpoint)
        asked = (moment.answer(call(number, row(50))) for number in range(2))
        return list(await asyncio.gather(*asked, return_exceptions=True))

    assert [type(each) for each in asyncio.run(live())] == [KeyError, KeyError]
