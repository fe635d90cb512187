"""A person's word on a retrain that waits on AWS: by the command, and by the function's address."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.app.loop import Loop
from tests.aws.doubles import Doubles
from tests.aws.running import recorded_project
from tests.aws.test_chain import alert
from watchkeeper.app.aws.answering import desk_of
from watchkeeper.app.aws.functions.approve import answer
from watchkeeper.app.aws.functions.retrain import ENDED, Desk
from watchkeeper.app.aws.landscape import Landscape
from watchkeeper.app.retraining.retrains import OutcomeKind, RetrainState, retrains
from watchkeeper.app.setup.audit import log
from watchkeeper.cli.retrain_answer import approve, reject

ASKS = ("receivers:\n", "retrain: {approval: {dev: required}}\nreceivers:\n")
KIM = "arn:aws:sts::123456789012:assumed-role/operators/kim@example.org"


@pytest.fixture
def landscape(doubles: Doubles, tmp_path: Path, trained: Loop) -> Landscape:
    return recorded_project(doubles, tmp_path, trained, ASKS)


@pytest.fixture
def desk(landscape: Landscape) -> Desk:
    made = desk_of(landscape)
    made.on_alert(alert("dev")["detail"])
    return made


def request(method: str = "POST", arn: str = KIM, **said: Any) -> dict[str, Any]:
    """As a function's address has it: lambda/latest/dg/urls-invocation.html."""
    who = {"authorizer": {"iam": {"userArn": arn}}} if arn else {}
    body = base64.b64encode(json.dumps(said).encode()).decode()
    return {"requestContext": {"http": {"method": method}, **who}, "body": body, "isBase64Encoded": True}


def test_a_post_of_somebody_whom_iam_knows_is_that_persons_word(desk: Desk, doubles: Doubles) -> None:
    (waiting,) = retrains(desk.store, "dev")
    assert waiting.state is RetrainState.WAITING
    assert doubles.pipelines.executions == {}
    found = waiting.decision.id
    word: dict[str, Any] = {"environment": "dev", "decision": found, "approved": True, "why": "it has moved"}
    refused = {
        405: request("GET", **word),
        403: request(arn="", **word),
        400: request(**{**word, "approved": "yes"}),
        404: request(**{**word, "decision": "0000"}),
    }
    assert {answer(desk, each)[0] for each in refused.values()} == set(refused)
    assert answer(desk, request(**{**word, "why": " "}))[0] == 400
    assert answer(desk, {**request(), "body": "{"})[0] == 400
    assert doubles.pipelines.executions == {}, "and none of these changed anything"
    status, words = answer(desk, request(**word))
    assert status == 200, words
    assert f"retrain {found} in dev is approved; started " in words
    (approved,) = retrains(desk.store, "dev")
    assert approved.answer is not None
    assert (approved.answer.actor.name, approved.answer.why) == ("operators/kim@example.org", "it has moved")
    assert answer(desk, request(**word))[0] == 409, "it does not wait any more"
    assert len(doubles.pipelines.executions) == 1


def test_how_the_pipeline_ended_is_on_record_once(desk: Desk, doubles: Doubles) -> None:
    (waiting,) = retrains(desk.store, "dev")
    actor = log(desk.trail)[-1].event.actor
    desk.on_word("dev", waiting.decision.id, True, actor, "go")
    (arn,) = doubles.pipelines.executions
    ended = {"pipelineExecutionArn": arn, "currentPipelineExecutionStatus": "Succeeded"}
    assert desk.on_ended(ended) == ("not accepted, no version met the acceptance thresholds",)
    assert desk.on_ended(ended) == (f"retrain {waiting.decision.id} is over already",)
    assert desk.on_ended({**ended, "pipelineExecutionArn": "arn:other"}) == ("arn:other is of no retrain",)
    (over,) = retrains(desk.store, "dev")
    assert over.outcome is not None
    assert over.outcome.kind is OutcomeKind.NOT_ACCEPTED
    assert ENDED.startswith("SageMaker Model Building Pipeline")


def test_a_start_that_was_interrupted_is_taken_up_by_the_next_call(desk: Desk, doubles: Doubles) -> None:
    (waiting,) = retrains(desk.store, "dev")
    desk.on_word("dev", waiting.decision.id, True, log(desk.trail)[-1].event.actor, "go")
    desk.store.remove(f"retrains/dev/{waiting.decision.id}/execution.json")  # asked, and died before this
    assert desk.start_open("dev")[0].startswith("started ")
    assert len(doubles.pipelines.executions) == 1, "the same token starts nothing"
    assert desk.start_open("dev") == ()


def test_the_commands_say_it_as_whoever_aws_says_one_is(
    desk: Desk, landscape: Landscape, doubles: Doubles, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in doubles.environment.items():
        monkeypatch.setenv(name, text)
    (waiting,) = retrains(desk.store, "dev")
    place = str(landscape.project.path.parent)
    asked = [waiting.decision.id, "--for", "dev", "--target", "aws", "--workspace", place]
    assert CliRunner().invoke(approve, asked).exit_code == 2, "a reason is wanted"
    done = CliRunner().invoke(reject, [*asked, "--why", "labels are wrong"])
    assert done.exit_code == 0, done.output
    assert "is rejected" in done.output
    (said,) = retrains(desk.store, "dev")
    assert said.answer is not None
    assert said.answer.actor.how == "session"
    assert doubles.pipelines.executions == {}
