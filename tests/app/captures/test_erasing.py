"""One request taken out of the records: it is gone, all else is there, and a tombstone says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.loop import ANA, Loop, model_of, new_loop, train_in
from watchkeeper.app.captures.erasing import Erasure, Tombstone, erase
from watchkeeper.app.captures.label_import import no_report
from watchkeeper.app.captures.labels import record_labels
from watchkeeper.app.setup.audit import log, verify_log
from watchkeeper.core.encoding import decode, digest
from watchkeeper.core.errors import InputError, PlatformError
from watchkeeper.core.values import GroundTruth
from watchkeeper.core.windows import month_start


@pytest.fixture
def loop(tmp_path: Path) -> Loop:
    """A month of requests and their labels."""
    made = new_loop(tmp_path / "ws")
    train_in(made)
    requests = made.plan()
    made.send(requests, model_of(made))
    truths = [GroundTruth(each.inference_id, tuple(map(float, each.truth.labels))) for each in requests]
    record_labels(made.target, "prod", truths, month_start("2020-06"))
    return made


def held(loop: Loop) -> dict[str, list[bytes]]:
    keys = [*loop.store.list("captures/"), *loop.store.list("ground-truth/")]
    return {key: loop.store.read(key).splitlines() for key in keys}


def test_a_request_is_gone_and_a_tombstone_says_so(loop: Loop) -> None:
    gone = loop.plan()[3].inference_id
    before = held(loop)
    done = erase(loop.target, Erasure("prod", gone, "asked to, ticket 12", ANA), no_report)
    after = held(loop)
    assert (done.requests, done.labels, len(done.objects)) == (1, 1, 2)
    assert after == {
        key: [line for line in lines if gone.encode() not in line] for key, lines in before.items()
    }
    assert sum(map(len, before.values())) - sum(map(len, after.values())) == 2
    (key,) = loop.store.list("erasures/")
    assert decode(Tombstone, loop.store.read(key)) == done
    assert gone.encode() not in loop.store.read(key)
    event = log(loop.target.trail)[-1].event
    assert (event.action, event.after, gone in event.why) == ("capture.erase", digest(gone.encode()), False)
    assert verify_log(loop.target.trail).verified
    for each in done.objects:
        assert digest(loop.store.read(each.key)) == each.after


def test_an_id_that_nobody_carries_erases_nothing(loop: Loop) -> None:
    before, gone = held(loop), loop.plan()[0].inference_id[:-1]
    with pytest.raises(InputError, match="no record in prod carries that id"):
        erase(loop.target, Erasure("prod", gone, "asked to", ANA), no_report)
    assert held(loop) == before
    assert loop.store.list("erasures/") == []


def test_what_is_not_in_the_store_yet_is_not_said_to_be_erased(loop: Loop) -> None:
    gone, before = loop.plan()[3].inference_id, held(loop)
    spooled = loop.target.folder / "spool" / "captures" / "late.jsonl"
    spooled.parent.mkdir(parents=True)
    spooled.write_text(f'{{"eventMetadata":{{"inferenceId":"{gone}"}}}}\n')
    with pytest.raises(PlatformError, match="it is in a capture spool still"):
        erase(loop.target, Erasure("prod", gone, "asked to", ANA), no_report)
    assert held(loop) == before
    assert loop.store.list("erasures/") == []
    spooled.unlink()
    assert erase(loop.target, Erasure("prod", gone, "asked to", ANA), no_report).requests == 1
