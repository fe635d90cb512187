"""Labels beside the rows they are of: late, twice, contradicting, for nobody, or too few."""

from datetime import UTC, datetime, timedelta

from watchkeeper.core.values import CaptureRecord, Column, ColumnType, GroundTruth, Payload, Role, Schema
from watchkeeper.core.windows import Window
from watchkeeper.readers.captures import Captured, read_captures
from watchkeeper.readers.labels import join_labels, read_labels
from watchkeeper.render.records import capture_line, ground_truth_line

TIME = datetime(2020, 1, 15, 12, tzinfo=UTC)
JANUARY = Window(datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 2, 1, tzinfo=UTC))
SCHEMA = Schema(
    1,
    (
        Column("town", ColumnType.STRING, Role.FEATURE),
        Column("predicted", ColumnType.FRACTIONAL, Role.PREDICTION),
    ),
)


def record(event_id: str, towns: str, inference_id: str | None = None) -> CaptureRecord:
    """One request for the towns, a letter each."""
    asked = Payload("\n".join(towns), "CSV", "text/csv")
    answered = Payload("\n".join("1" for _ in towns), "CSV", "text/csv")
    return CaptureRecord(event_id, inference_id, TIME, 1, 1, asked, answered)


def read(*records: CaptureRecord) -> Captured:
    return read_captures([("k", b"".join(map(capture_line, records)))], SCHEMA, JANUARY)


def labels(*truths: GroundTruth, at: datetime = TIME) -> tuple[str, bytes]:
    return "ground-truth/x", b"".join(ground_truth_line(truth, at) for truth in truths)


def test_labels_join_by_id_and_row() -> None:
    captured = read(
        record("e1", "AB", "i1"),
        record("e2", "C"),
        record("e3", "D"),
        record("e4", "EF"),
    )
    truths = [
        GroundTruth("e2", ("x",)),
        GroundTruth("i1", (10.0, 20.5)),
        GroundTruth("e4", (5.0,)),
        GroundTruth("gone", (1.0,)),
        GroundTruth("e1", (9.0, 9.0)),
    ]
    joined = join_labels(captured, read_labels([labels(*truths)]))
    assert joined.frame["label"].to_list() == ["10", "20.5", "x", None, None, None]
    assert joined.frame["_collected_at"].to_list() == [TIME, TIME, TIME, None, None, None]
    assert joined.frame["town"].to_list() == list("ABCDEF")
    assert (joined.unknown, joined.unlabelled, joined.mismatched, joined.repeated) == (2, 1, 1, 0)


def test_an_id_used_twice_is_counted() -> None:
    captured = read(*(record(f"e{i}", "A", "same") for i in range(3)))
    joined = join_labels(captured, read_labels([labels(GroundTruth("same", (7.0,)))]))
    assert joined.frame["label"].to_list() == ["7", "7", "7"]
    assert joined.repeated == 2


def test_of_labels_given_twice_the_last_collected_counts() -> None:
    later, earlier = TIME + timedelta(days=1), TIME
    found = read_labels(
        [
            labels(GroundTruth("a", (2.0,)), GroundTruth("b", (1.0,)), at=later),
            labels(GroundTruth("a", (1.0,)), GroundTruth("b", (1.0,)), GroundTruth("c", (1.0,)), at=earlier),
        ]
    )
    assert dict(found.frame.select("_join_id", "label").rows()) == {"a": "2", "b": "1", "c": "1"}
    assert (found.requests, found.duplicates, found.conflicting, found.bad) == (3, 2, 1, ())


def test_labels_not_known_yet_are_left_out() -> None:
    tomorrow = TIME + timedelta(days=1)
    objects = [labels(GroundTruth("a", (1.0,))), labels(GroundTruth("b", (1.0,)), at=tomorrow)]
    found = read_labels(objects, known_by=tomorrow)
    assert found.frame["_join_id"].to_list() == ["a"]
    assert found.later == 1


def test_labels_without_a_time_count_as_of_their_folder() -> None:
    line = b'{"groundTruthData":{"data":"1","encoding":"CSV"},"eventMetadata":{"eventId":"a"}}'
    found = read_labels([("ground-truth/prod/p/2020/02/29/23/a.jsonl", line), ("no/folder.jsonl", line)])
    assert found.frame["_collected_at"].to_list() == [datetime(2020, 2, 29, 23, tzinfo=UTC)]
    assert found.duplicates == 1


def test_no_labels_leave_every_row_unlabelled() -> None:
    joined = join_labels(read(record("e", "A")), read_labels([("k", b"junk")]))
    assert (joined.unlabelled, joined.unknown, joined.frame["label"].to_list()) == (1, 0, [None])
