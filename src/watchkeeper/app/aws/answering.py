"""A person's word on a retrain that waits on AWS; a yes starts the pipeline there."""

from __future__ import annotations

from dataclasses import dataclass

from watchkeeper.adapters.aws.pipeline import SageMakerPipeline
from watchkeeper.adapters.aws.trail import S3Trail
from watchkeeper.app.aws.functions.retrain import Desk, LambdaClock
from watchkeeper.app.aws.landscape import Landscape, open_landscape
from watchkeeper.app.aws.layers import known_outputs
from watchkeeper.app.aws.site import Site
from watchkeeper.app.aws.telemetry import retrain_plan
from watchkeeper.app.setup.aws_sections import CENTRAL
from watchkeeper.app.setup.project import Project


@dataclass(frozen=True, slots=True)
class Word:
    """What a person says of which decision."""

    environment: str
    decision: str
    approved: bool
    why: str


@dataclass(frozen=True, slots=True)
class Said:
    """What was done about it, in words."""

    done: tuple[str, ...]


def answer_on_aws(project: Project, word: Word) -> Said:
    """Put the word on record as the caller that AWS names.

    Raises InputError where there is no such retrain, Refused where none waits for a word, or while a freeze
    is on.
    """
    landscape = open_landscape(project)
    desk, actor = desk_of(landscape), landscape.account.actor
    return Said(desk.on_word(word.environment, word.decision, word.approved, actor, word.why))


def desk_of(landscape: Landscape) -> Desk:
    """What decides and starts on AWS, with the credentials of whoever runs this."""
    store, clock = landscape.central_store(), LambdaClock()
    plan = retrain_plan(Site(landscape, CENTRAL, known_outputs(landscape)), store)
    pipeline = SageMakerPipeline(landscape.account_of(CENTRAL).client("sagemaker"), plan.pipeline)
    return Desk(plan, store, clock, S3Trail(store, clock), pipeline)
