"""`watchkeeper retrain approve|reject --target aws`."""

from __future__ import annotations

from watchkeeper.app.aws.answering import Word, answer_on_aws
from watchkeeper.app.setup.project import Project


def say(project: Project, word: tuple[str, str, bool, str]) -> dict[str, list[str]]:
    """Put the word on record there; what was done."""
    return {"done": list(answer_on_aws(project, Word(*word)).done)}
