"""Run a program that ends with whoever started it: `python leash.py PROGRAM ARGUMENT...`.

It is asked to end (SIGTERM) when this process is, or when standard input closes: who holds its other end is
gone, however that came. Needs the standard library alone, so that it starts at once.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading


def main(command: list[str]) -> int:
    """Run the command to its end; its exit code."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as program:

        def end(*_: object) -> None:
            with contextlib.suppress(ProcessLookupError):
                program.send_signal(signal.SIGTERM)

        def wait_for_the_end_of_input() -> None:
            while os.read(0, 4096):
                continue
            end()

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        threading.Thread(target=wait_for_the_end_of_input, daemon=True).start()
        return program.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
