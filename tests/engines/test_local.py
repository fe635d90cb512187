import itertools
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engines.profiling import failing_at_three, folded, items, profiled
from watchkeeper.core.errors import InputError
from watchkeeper.engines.local import cores, run

MANY = (1, 2, 7)
PATIENCE = 60.0


@pytest.mark.parametrize("workers", [2, 7, None])
def test_the_same_profile_comes_out_to_the_byte(workers: int | None) -> None:
    assert folded(list(run(profiled, items(20_000), workers))) == folded(
        list(run(profiled, items(20_000), 1))
    )


@settings(max_examples=30)
@given(st.lists(st.integers(), max_size=30), st.integers(1, 9))
def test_results_are_in_item_order(numbers: list[int], workers: int) -> None:
    assert list(run(str, numbers, workers)) == [str(number) for number in numbers]


def test_a_slow_item_holds_its_place() -> None:
    second_done = threading.Event()

    def work(number: int) -> int:
        if number == 0:
            assert second_done.wait(PATIENCE)
        if number == 1:
            second_done.set()
        return number

    assert list(run(work, range(5), 2)) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("workers", MANY)
def test_the_first_error_in_item_order_is_raised_as_it_was(workers: int) -> None:
    given_out: list[int] = []

    def use_all() -> None:
        for result in run(failing_at_three, range(9), workers):
            given_out.append(result)

    with pytest.raises(InputError, match=r"^read part 3: want a row, got none$"):
        use_all()
    assert given_out == [0, 1, 2]


@pytest.mark.parametrize("workers", MANY)
def test_an_error_of_the_items_is_raised_too(workers: int) -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise InputError("list the parts: want a folder, got a file")

    with pytest.raises(InputError, match="want a folder"):
        list(run(str, broken(), workers))


@pytest.mark.parametrize("workers", MANY)
def test_only_a_few_items_are_taken_ahead(workers: int) -> None:
    taken = itertools.count()
    results = run(str, (next(taken) for _ in range(1000)), workers)
    for number in range(20):
        assert next(results) == str(number)
    assert next(taken) <= 20 + workers + 1


def test_one_worker_works_here_and_several_elsewhere() -> None:
    here = threading.get_ident()
    assert set(run(lambda _: threading.get_ident(), range(3), 1)) == {here}
    assert here not in set(run(lambda _: threading.get_ident(), range(3), 2))


def test_closing_begins_nothing_new_and_leaves_nothing_running() -> None:
    begun: list[int] = []
    before = threading.active_count()
    results = run(begun.append, itertools.count(), 2)
    next(results)
    results.close()
    settled = len(begun)
    assert settled <= 4
    assert threading.active_count() == before


def test_nothing_to_do_and_nobody_to_do_it() -> None:
    assert list(run(str, [], 3)) == []
    assert cores() >= 1
    with pytest.raises(ValueError, match="at least 1 worker, got 0"):
        run(str, [1], 0)


@pytest.mark.parametrize("workers", MANY)
def test_an_interrupt_ends_it(workers: int) -> None:
    program = (
        "import itertools; from watchkeeper.engines.local import run\n"
        f"for number in run(str, itertools.count(), {workers}):\n"
        "    if number == '10': print('working', flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"working\n"
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=PATIENCE)
    assert process.returncode not in (0, None)
    assert b"KeyboardInterrupt" in told
