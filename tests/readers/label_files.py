"""Ground-truth files as strategies draw them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from watchkeeper.core.values import GroundTruth
from watchkeeper.core.windows import hour_folder
from watchkeeper.render.records import ground_truth_line

TIME = datetime(2020, 1, 15, 12, tzinfo=UTC)


SERVICE = (
    b'{"eventVersion":"0","eventMetadata":{"eventId":"%s"},"groundTruthData":{"encoding":"CSV","data":"7"}}\n'
)


ids = st.sampled_from(["a", "b", "c", 'quo"te', "back\\slash", "é", "n\nl"])


numbers = st.one_of(
    st.integers(-3, 3).map(float),
    st.sampled_from([0.1, 1e16, 1e300, 1e-7, -0.0, 123456.789]),
    st.floats(allow_nan=False, allow_infinity=False),
)


label = st.one_of(numbers, st.sampled_from(["dear", "x,y", "1,5"]))


times = st.integers(0, 4).map(lambda half: TIME + timedelta(minutes=30 * half))


records = st.tuples(ids, st.lists(label, min_size=1, max_size=3).map(tuple), times)


odd = st.sampled_from(
    [
        b"junk\n",
        b"\n",
        b"{}\n",
        b"\xff\n",
        SERVICE % b"a",
        SERVICE % b"z",
        SERVICE % b"\\u0061",  # a, as JSON may also spell it
        b'{"groundTruthData":{"data":"1e999","encoding":"CSV"},"eventMetadata":{"eventId":"a",'
        b'"collectedTime":"2020-01-15T12:00:00Z"},"eventVersion":"0"}\n',
        b'{"groundTruthData":{"data":"1","encoding":"CSV"},"eventMetadata":{"eventId":"a",'
        b'"collectedTime":"2020-13-15T12:00:00Z"},"eventVersion":"0"}\n',
        b'{"groundTruthData":{"data":"{\\"instances\\":[{\\"label\\":1},{\\"label\\":2.50}]}","encoding":"JSON"},'
        b'"eventMetadata":{"eventId":"b","collectedTime":"2020-01-15T13:30:00Z"},"eventVersion":"0"}\n',
    ]
)


lines = st.one_of(records.map(lambda r: ground_truth_line(GroundTruth(r[0], r[1]), r[2])), odd)


contents = st.lists(st.lists(lines, max_size=6).map(b"".join), max_size=4)


def objects_of(parts: list[bytes]) -> list[tuple[str, bytes]]:
    """Each part in an hour of its own."""
    hours = [hour_folder(TIME + timedelta(hours=n)) for n in range(len(parts))]
    return [(f"ground-truth/prod/p/{hour}/x.jsonl", data) for hour, data in zip(hours, parts, strict=True)]
