"""Feed a target until time is up: `python -m tests.fuzz.run TARGET SECONDS [--plain SEED | --corpus FOLDER]`.

With atheris the inputs are led by what code they reach; without it, or with `--plain`, the seeds are
changed at random. Prints how many inputs were tried and the slowest one. Exits with another code than 0 for
a crash or a hang, whose input it leaves in a file `crash-TARGET…`. In `--corpus` a run leaves the inputs
that reached new code, and a further one goes on from there.
"""

from __future__ import annotations

import importlib
import importlib.util
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.fuzz.targets import Target

LONGEST = 2_048
SLOW_SECONDS = 20.0  # one input taking this long is a hang


def main(name: str, seconds: float, options: list[str]) -> int:
    plain = options[:1] == ["--plain"]
    if not plain and importlib.util.find_spec("atheris") is not None:
        with tempfile.TemporaryDirectory() as folder:
            return led(name, seconds, options[1] if options else folder)
    why = "asked for" if plain else "atheris is not installed"
    target = importlib.import_module("tests.fuzz.targets").TARGETS[name]
    return at_random(name, target, seconds, f"{why}, seed {''.join(options[1:])}")


def at_random(name: str, target: Target, seconds: float, why: str) -> int:
    chance, end, count, slowest = random.Random(name + why), time.monotonic() + seconds, 0, 0.0
    while time.monotonic() < end:
        data, start = changed(chance, chance.choice(target.seeds)), time.monotonic()
        try:
            target.feed(data)
        except BaseException:
            Path(f"crash-{name}").write_bytes(data)
            raise
        count, slowest = count + 1, max(slowest, time.monotonic() - start)
    sys.stdout.write(f"{name}: {count} inputs at random ({why}), the slowest {slowest:.2f} s\n")
    return int(slowest > SLOW_SECONDS)


def changed(chance: random.Random, data: bytes) -> bytes:
    """Some bytes put in, taken out, repeated or turned into ones that mean something."""
    found = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        place = chance.randint(0, len(found))
        size = chance.choice((0, 1, 1, 2, 8, 40))
        match chance.randint(0, 3):
            case 0:
                found[place : place + size] = chance.randbytes(chance.randint(0, 4))
            case 1:
                found[place : place + size] = chance.choice(
                    (
                        b'"',
                        b",",
                        b"\n",
                        b"\r\n",
                        b"\\",
                        b"{",
                        b"}",
                        b"[",
                        b"null",
                        b"1e999",
                        b"\xff",
                        b'""',
                        b"\\n",
                    )
                )
            case 2:
                found[place:place] = found[place : place + size] * chance.randint(1, 3)
            case 3:
                del found[place : place + size]
    return bytes(found[:LONGEST])


def led(name: str, seconds: float, corpus: str) -> int:
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["watchkeeper.readers"]):
        target = importlib.import_module("tests.fuzz.targets").TARGETS[name]
    for place, seed in enumerate(target.seeds):
        (Path(corpus) / str(place)).write_bytes(seed)
    limits = (f"-max_total_time={int(seconds)}", f"-max_len={LONGEST}", f"-timeout={int(SLOW_SECONDS)}")
    artefacts = f"-artifact_prefix=crash-{name}-"
    atheris.Setup([sys.argv[0], *limits, "-print_final_stats=1", artefacts, corpus], target.feed)
    atheris.Fuzz()  # ends the process
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], float(sys.argv[2]), sys.argv[3:]))
