"""Every store keeps the port's promises."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from tests.aws.doubles import Doubles
from watchkeeper.adapters.aws.store import RoutedStore, S3Store
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.adapters.memory.store import MemoryStore
from watchkeeper.core.errors import ExistsError, InputError
from watchkeeper.core.ports import SweptStore


def on_s3(request: pytest.FixtureRequest) -> SweptStore:
    doubles: Doubles = request.getfixturevalue("doubles")
    doubles.client("s3").create_bucket(**BUCKET)
    return S3Store(doubles.account().client("s3"), "records")


def of_several(request: pytest.FixtureRequest) -> SweptStore:
    """What an environment keeps to itself lies in a bucket of its own."""
    apart = {"a/b/": MemoryStore(), "ba": MemoryStore()}
    return RoutedStore(on_s3(request), {route: partial(apart.__getitem__, route) for route in apart})


BUCKET = {
    "Bucket": "records",
    "CreateBucketConfiguration": {"LocationConstraint": "ap-southeast-1"},
}
MAKERS: dict[str, Callable[[Path, pytest.FixtureRequest], SweptStore]] = {
    "local": lambda folder, _: FolderStore(folder),
    "memory": lambda *_: MemoryStore(),
    "aws": lambda _, request: on_s3(request),
    "aws, routed": lambda _, request: of_several(request),
}


@pytest.fixture(params=MAKERS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> SweptStore:
    return MAKERS[request.param](tmp_path, request)


def test_what_is_written_is_read(store: SweptStore) -> None:
    store.write("a/b.json", b"1")
    store.write("a/b.json", b"2")
    assert store.read("a/b.json") == b"2"


def test_what_is_not_there_is_an_input_error(store: SweptStore) -> None:
    with pytest.raises(InputError, match="there is no such object"):
        store.read("a/b.json")


def test_an_object_is_created_once(store: SweptStore) -> None:
    store.create("a/b", b"first")
    with pytest.raises(ExistsError, match="a/b"):
        store.create("a/b", b"second")
    assert store.read("a/b") == b"first"


def test_of_many_at_once_one_creates(store: SweptStore) -> None:
    def attempt(number: int) -> bool:
        try:
            store.create("race", f"writer {number}".encode())
        except ExistsError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = [number for number, did in enumerate(pool.map(attempt, range(32))) if did]
    assert len(won) == 1
    assert store.read("race") == f"writer {won[0]}".encode()


def test_keys_are_listed_by_prefix_and_sorted(store: SweptStore) -> None:
    for key in ("b/2", "b/10", "b/c/1", "ba", "a"):
        store.write(key, b"")
    assert list(store.list("b/")) == ["b/10", "b/2", "b/c/1"]
    assert list(store.list("b")) == ["b/10", "b/2", "b/c/1", "ba"]
    assert list(store.list("")) == ["a", "b/10", "b/2", "b/c/1", "ba"]
    assert list(store.list("nothing/here")) == []


def test_a_part_of_a_prefix_may_be_any_part_of_a_key(store: SweptStore) -> None:
    for key in ("a/blue/1/x", "a/blue/2/x", "a/green/1/y", "a/1/z", "b/blue/1/x"):
        store.write(key, b"")
    assert list(store.list("a/*/1/")) == ["a/blue/1/x", "a/green/1/y"]
    assert list(store.list("*/blue/1")) == ["a/blue/1/x", "b/blue/1/x"]
    assert list(store.list("a/*/3/")) == list(store.list("nothing/*/")) == []


def test_what_is_removed_is_gone_and_the_rest_stays(store: SweptStore) -> None:
    for key in ("a/b/c", "a/b/d", "a/e"):
        store.write(key, b"1234")
    assert (store.size("a/b/c"), store.size("a/b/x")) == (4, 0)
    store.remove("a/b/c")
    store.remove("a/b/c")
    store.remove("a/b/d")
    assert list(store.list("a")) == ["a/e"]
    store.create("a/b/c", b"again")
    assert store.read("a/b/c") == b"again"
