"""Programs of others end with the block that runs them, and with this process however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from watchkeeper.adapters.local.programs import find_program, free_ports, program
from watchkeeper.core.errors import InputError, PlatformError

SERVER = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1"]

HOLDER = """
import sys
import time
from pathlib import Path
from watchkeeper.adapters.local.programs import program
port, log = sys.argv[1:]
command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", port]
with program(command, f"http://127.0.0.1:{port}/", Path(log)):
    print("up", flush=True)
    sys.stdin.read()
"""


def free(port: int) -> bool:
    return (
        subprocess.run(
            [sys.executable, "-c", f"import socket; socket.create_connection(('127.0.0.1', {port}), 1)"],
            check=False,
            capture_output=True,
        ).returncode
        != 0
    )


def test_it_answers_in_the_block_and_not_after_it(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with program([*SERVER, str(port)], f"http://127.0.0.1:{port}/", tmp_path / "log"):
        assert not free(port)
    assert free(port)


def test_one_that_does_not_start_is_said_with_its_own_words(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no such flag')"]
    with (
        pytest.raises(PlatformError, match=r"it ended with 1; the end of .*log:\nno such flag"),
        program(command, "http://127.0.0.1:9/", tmp_path / "log"),
    ):
        pass


def test_it_ends_when_its_holder_is_killed(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(port), str(tmp_path / "log")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"up\n"
        assert not free(port)
        os.kill(holder.pid, signal.SIGKILL)
    deadline = time.monotonic() + 20.0
    while not free(port):
        assert time.monotonic() < deadline


def test_a_program_that_is_not_installed_names_its_package() -> None:
    assert find_program(("no-such-program", "sh"), "dash") == "sh"
    with pytest.raises(InputError, match=r"find no-such-program: .*apt-get install nothing"):
        find_program(("no-such-program",), "nothing")
