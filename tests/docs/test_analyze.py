"""The page on the container names every variable, message and file there is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tests.docs.markdown import ROOT
from watchkeeper.app.container.inputs import NO_DATA
from watchkeeper.app.container.run import (
    BEGUN,
    CONSTRAINTS,
    METRICS,
    STATISTICS,
    STOPPED,
    VIOLATIONS,
    closing_message,
)
from watchkeeper.app.container.scripts import POSTPROCESSOR, PREPROCESSOR
from watchkeeper.app.container.settings import Format, read_job

PAGE = (ROOT / "docs/reference/analyze.md").read_text(encoding="utf-8")


@dataclass(slots=True)
class Asked(Mapping[str, str]):
    """Variables that remembers which of them were asked for."""

    variables: dict[str, str]
    names: set[str] = field(default_factory=set)

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        return self.variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.variables)

    def __len__(self) -> int:
        return len(self.variables)


def test_every_variable_that_is_read_has_its_line() -> None:
    given = {"dataset_source": "/data", "dataset_format": '{"csv": {}}', "analysis_type": "MODEL_QUALITY"}
    asked = Asked({**given, "problem_type": "Regression", "inference_attribute": "p"})
    read_job(asked)
    assert len(asked.names) > 15
    assert [name for name in sorted(asked.names) if f"`{name}`" not in PAGE] == []


def test_every_format_message_and_file_is_there() -> None:
    texts = [NO_DATA, PREPROCESSOR, POSTPROCESSOR, STOPPED, BEGUN.partition(":")[0], *Format]
    texts += [closing_message(0), closing_message(60), STATISTICS, CONSTRAINTS, VIOLATIONS, METRICS]
    assert [text for text in texts if text not in PAGE] == []
