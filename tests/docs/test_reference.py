"""The reference says what the code does: generated pages are fresh, the others name what there is."""

import re
from pathlib import Path

import pytest

from docs.reference.generate import HERE, meanings, pages, sections
from watchkeeper.adapters.memory.store import MemoryStore
from watchkeeper.app.retraining.retrains import OutcomeKind, RetrainState
from watchkeeper.core.decisions import DecisionKind
from watchkeeper.core.rules import AlertState
from watchkeeper.core.values import ApprovalStatus, Role, Status
from watchkeeper.serving.capture import CaptureWriter
from watchkeeper.serving.seat import Seat
from watchkeeper.serving.server import EndpointServer, Hooks


@pytest.mark.parametrize(("name", "text"), pages().items())
def test_a_generated_page_is_fresh(name: str, text: str) -> None:
    stored = (HERE / name).read_text(encoding="utf-8")
    assert stored == text, f"docs/reference/{name} is stale: run `make docs`"


def test_the_words_on_keys_are_those_of_keys_there_are() -> None:
    known = {
        section.__name__: {field.alias or name for name, field in section.model_fields.items()}
        for _, section in sections()
    }
    assert {name: set(words) for name, words in meanings().items() if name != "page"} == known


@pytest.mark.parametrize(
    "kind", [Status, ApprovalStatus, AlertState, DecisionKind, RetrainState, OutcomeKind, Role]
)
def test_every_status_is_explained(kind: type[Status]) -> None:
    text = (HERE / "statuses.md").read_text(encoding="utf-8")
    assert [member.value for member in kind if f"`{member.value}`" not in text] == []


def test_every_route_is_explained(tmp_path: Path) -> None:
    hooks = Hooks(load=lambda _: pytest.fail("no model is loaded"), metrics=lambda _: "")
    server = EndpointServer({}, CaptureWriter(MemoryStore(), tmp_path), hooks, Seat("unused"))
    text = (HERE / "http-api.md").read_text(encoding="utf-8")
    paths = [re.sub(r":\w+}", "}", getattr(route, "path", "")) for route in server.routes()]
    assert len(paths) > 5
    assert [path for path in paths if f"{path}`" not in text] == []
