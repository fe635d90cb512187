"""Record preprocessors and post-processors in the container (contract 8.7, 8.8)."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import threading
from pathlib import Path

import pytest

from tests.cli.containers import (
    CAPTURE,
    CAPTURES,
    DATASET,
    POSTPROCESSOR,
    PREPROCESSOR,
    Container,
    captured,
    container,
)
from tests.shared import shared

__all__ = ["container"]

CLEAN = "Completed: Job completed successfully with no violations."
FAULT = "Exception while invoking preprocessor script. "

# The form of AWS's documentation: the answer before the inputs, keys that sort as numbers do.
BY_POSITION = """
def preprocess_handler(inference_record):
    asked = inference_record.endpoint_input.data
    answered = inference_record.endpoint_output.data.rstrip("\\n")
    return {str(i).zfill(20): cell for i, cell in enumerate((answered + "," + asked).split(","))}
"""


def records(rows: int = 300) -> list[str]:
    return [captured(f"{row % 9},{row % 7}.5", f"{0.5 + row / 1000}\n") for row in range(rows)]


def with_script(container: Container, script: str, lines: list[str] | None = None, *options: object) -> str:
    """The message of a run over captures, with nothing to be judged by."""
    place = container.put(PREPROCESSOR, script)
    container.captures(lines if lines is not None else records())
    return container.monitor(
        *options, baseline_statistics="", baseline_constraints="", record_preprocessor_script=place
    )


def types(container: Container) -> dict[str, str]:
    found = json.loads(container.output("statistics.json"))["features"]
    return {each["name"]: each["inferred_type"] for each in found}


def test_keys_that_are_positions_get_the_baselines_names(container: Container) -> None:
    data = "target,a,b\n" + "".join(f"{0.5 + row / 1000},{row % 9},{row % 7}.5\n" for row in range(300))
    container.put(f"{DATASET}/baseline.csv", data)
    container.baseline()
    container.captures(records())
    message = container.monitor(record_preprocessor_script=container.put(PREPROCESSOR, BY_POSITION))
    assert message == CLEAN, container.said
    assert container.features() == ["target", "a", "b"]
    assert "The preprocessor made 300 rows of 300 records." in container.said.out


def test_keys_that_the_baseline_knows_are_matched_by_name(container: Container) -> None:
    data = "target,b,a\n" + "".join(f"{0.5 + row / 1000},{row % 7}.5,{row % 9}\n" for row in range(300))
    container.put(f"{DATASET}/baseline.csv", data)
    container.baseline()
    container.captures(records())
    script = """
def preprocess_handler(record, logger):
    a, b = record.endpoint_input.data.split(",")
    logger.info("asked of %s", record.event_metadata.event_id)
    return {"b": float(b), "a": int(a), "target": float(record.endpoint_output.data)}
"""
    message = container.monitor(record_preprocessor_script=container.put(PREPROCESSOR, script))
    assert message == CLEAN, container.said
    assert "preprocess - INFO - asked of f04a8538" in container.said.out


def test_columns_are_ordered_by_key_and_none_is_missing(container: Container) -> None:
    script = "def preprocess_handler(r):\n    return {'b': 1, 'a': None, 'c': float('nan'), 'B': True}\n"
    assert with_script(container, script) == CLEAN
    found = json.loads(container.output("statistics.json"))["features"]
    assert [each["name"] for each in found] == ["B", "a", "b", "c"]
    missing = [next(iter(each.values()))["common"]["num_missing"] for each in map(values, found)]
    assert missing == [0, 300, 0, 300]


def values(feature: dict[str, object]) -> dict[str, dict[str, dict[str, int]]]:
    return {key: value for key, value in feature.items() if isinstance(value, dict) and "common" in value}


@pytest.mark.parametrize("nothing", ["[]", "None", "{}"])
def test_records_are_dropped(container: Container, nothing: str) -> None:
    script = f"""
def preprocess_handler(record):
    return {{"a": 1}} if float(record.endpoint_output.data) < 0.51 else {nothing}
"""
    assert with_script(container, script) == CLEAN
    assert container.item_count() == 10


def test_a_script_that_drops_everything_leaves_no_data(container: Container) -> None:
    assert with_script(container, "def preprocess_handler(r):\n    return []\n").startswith(
        "Job inputs had no data"
    )


def test_a_record_may_become_several_rows(container: Container) -> None:
    script = """
def preprocess_handler(record):
    return [{"x": cell} for cell in record.endpoint_input.data.split(",")]
"""
    assert with_script(container, script) == CLEAN
    assert (container.item_count(), container.features()) == (600, ["x"])


def test_a_record_that_comes_back_as_it_is_is_read_as_without_a_script(container: Container) -> None:
    assert with_script(container, "def preprocess_handler(record):\n    return record\n") == CLEAN
    assert (container.item_count(), container.features()) == (300, ["_c0", "_c1", "_c2"])


def test_both_forms_of_the_record_and_its_words_are_there(container: Container) -> None:
    script = """
import math

def preprocess_handler(record):
    assert record.event_data.endpointInput.encoding == record.endpoint_input.encoding == "CSV"
    assert record.endpoint_input.observedContentType == "text/csv" and record.endpoint_input.mode == "INPUT"
    assert record.batch_transform_output is None and record.ground_truth is None
    assert record.event_metadata.event_time == "2020-02-01T10:00:00Z" and record.event_version == "0"
    assert record.as_dict() == record.event_dict and "captureData" in record.event_dict
    assert record.event_metadata.custom_attribute is None
    return {"x": math.pi}
"""
    assert with_script(container, script) == CLEAN


def test_the_sdks_own_preprocessors_form_works(container: Container) -> None:
    """As in its tests of 2019: `event_data` and several returns."""
    script = """
def preprocess_handler(inference_record):
    event_data = inference_record.event_data
    input_data = event_data.endpointInput.data.split(",") if event_data.endpointInput else []
    return {f"feature{i}": cell for i, cell in enumerate(input_data)}
"""
    text = shared("fixtures/model-monitor/sdk-monitor/capture.jsonl").read_text()
    lines = [line.replace("{%s}", "2020-02-01T10:20:00Z") for line in text.splitlines() if line.strip()]
    assert with_script(container, script, lines) == CLEAN
    assert container.features() == [f"feature{n}" for n in range(7)]


def test_an_exception_names_file_line_and_record(container: Container) -> None:
    script = """
def preprocess_handler(record):
    cells = record.endpoint_input.data.split(",")
    if cells[0] == "4":
        raise KeyError("no such town")
    return {"x": cells[0]}
"""
    message = with_script(container, script)
    place = container.path(f"{CAPTURES}/endpoint_0/AllTraffic/2020/02/01/10/00-00-000-a.jsonl")
    assert message == f"{FAULT}preprocess.py, line 5: KeyError: 'no such town' (record {place}:5)"
    assert container.said.code == 2
    assert container.outputs() == []
    assert "line 5, in preprocess_handler" in container.said.err


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("import nothing_of_this_name\n", "preprocess.py, line 1: ModuleNotFoundError: "),
        ("x = 1\ndef preprocess_handler(r:\n", "preprocess.py, line 2: SyntaxError: "),
        ("x = 1\n", "want a function preprocess_handler in preprocess.py, got none"),
        (
            "import sys\ndef preprocess_handler(r):\n    sys.exit(7)\n",
            "ended by itself with exit code 7 (record ",
        ),
        (
            "import os\ndef preprocess_handler(r):\n    os.abort()\n",
            "ended by itself with exit code -6 (record ",
        ),
    ],
)
def test_a_script_that_cannot_go_on_is_an_error(container: Container, script: str, words: str) -> None:
    assert words in with_script(container, script)
    assert container.said.code == 2


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ("'a,b'", "want a flat dict of columns, [] or a list of dicts, got str"),
        ("7", "want a flat dict of columns, [] or a list of dicts, got int"),
        ("{'x': [1]}", 'column "x": want a text, a number, True, False or None, got list'),
        ("{'x': {}}", 'column "x": want a text, a number, True, False or None, got dict'),
        ("{1: 2}", "want column names that are text, got 1"),
        ("[{'x': 1}, 2]", "want a flat dict of columns, [] or a list of dicts, got int"),
    ],
)
def test_rubbish_is_an_error_that_names_the_record(container: Container, result: str, words: str) -> None:
    script = f"def preprocess_handler(record):\n    return {result}\n"
    message = with_script(container, script)
    assert message.startswith(f"{FAULT}preprocess.py: {words} (record ")
    assert message.endswith("00-00-000-a.jsonl:1)")


def test_an_endless_loop_meets_the_time_limit(container: Container) -> None:
    script = """
def preprocess_handler(record):
    while float(record.endpoint_output.data) >= 0.503:
        pass
    return {"x": 1}
"""
    message = with_script(container, script, None, "--time-limit", 0.5)
    assert message.startswith(f"{FAULT}preprocess.py took longer than 0.5 seconds (record ")
    assert message.endswith(":4)")


def test_a_script_that_will_not_stop_is_gone_with_all_it_has_started(
    container: Container, tmp_path: Path
) -> None:
    """It ignores SIGTERM; what it has started holds a lock for as long as it lives."""
    lock = tmp_path / "lock"
    script = f"""
import fcntl, signal, subprocess
signal.signal(signal.SIGTERM, signal.SIG_IGN)
held = open({str(lock)!r}, "w")
fcntl.flock(held, fcntl.LOCK_EX)
subprocess.Popen(["sleep", "60"], pass_fds=[held.fileno()])
def preprocess_handler(record):
    while True:
        pass
"""
    assert "took longer than 0.5 seconds" in with_script(container, script, None, "--time-limit", 0.5)
    with lock.open() as file:
        waiting = threading.Thread(target=fcntl.flock, args=(file, fcntl.LOCK_EX), daemon=True)
        waiting.start()
        waiting.join(20)
        assert not waiting.is_alive()


def test_what_a_script_prints_and_reads_does_not_touch_the_answers(container: Container) -> None:
    script = """
import os, sys
print("module level")
def preprocess_handler(record):
    print('{"rows": [{"y": 1}]}')
    os.write(1, b"by descriptor\\n")
    assert sys.stdin.read() == ""
    return {"x": 1}
"""
    assert with_script(container, script, records(3)) == CLEAN
    assert container.features() == ["x"]
    assert container.said.out.count("by descriptor") == 3


def test_modules_beside_the_script_can_be_imported(container: Container) -> None:
    container.put(PREPROCESSOR.replace("preprocess.py", "beside.py"), "def column(): return 'x'\n")
    script = "from beside import column\ndef preprocess_handler(r):\n    return {column(): 1}\n"
    assert with_script(container, script) == CLEAN
    assert container.features() == ["x"]


def test_records_of_the_window_alone_are_asked_about(container: Container) -> None:
    early = captured("1", "2", "2020-02-01T09:59:59Z")
    assert (
        with_script(container, "def preprocess_handler(r):\n    return {'x': 1}\n", [early, *records(5)])
        == CLEAN
    )
    assert container.item_count() == 5


def test_many_records_pass_through_in_order(container: Container) -> None:
    """More than pipes hold, with answers longer than the records."""
    script = """
count = 0
def preprocess_handler(record):
    global count
    count += 1
    assert record.endpoint_input.data == str(count - 1)
    return {"n": count, "long": "x" * 2000}
"""
    lines = [captured(str(row), "0" * 3000) for row in range(3000)]
    assert with_script(container, script, lines) == CLEAN
    assert container.item_count() == 3000


def test_lines_of_csv_are_given_as_text(container: Container) -> None:
    container.put(f"{DATASET}/data.csv", 'a,b\n1,"x,\ny"\n2,z\n')
    script = """
def preprocess_handler(line):
    assert line in ('1,"x,\\ny"', "2,z"), line
    return line if line.startswith("2") else {"a": 9, "b": "w"}
"""
    given = {"dataset_format": '{"csv": {"header": true}}', "dataset_source": DATASET}
    place = container.put(PREPROCESSOR, script)
    assert container.run(**given, record_preprocessor_script=place) == CLEAN, container.said
    assert types(container) == {"a": "Integral", "b": "String"}
    assert container.item_count() == 2


@pytest.mark.parametrize(
    ("format_", "content"),
    [
        ('{"json": {"lines": true}}', '{"a": 1}\n{"a": 2}\n'),
        ('{"json": {"line": "false"}}', '[{"a": 1}, {"a": 2}]'),
    ],
)
def test_json_objects_are_given_as_dicts(container: Container, format_: str, content: str) -> None:
    container.put(f"{DATASET}/data.json", content)
    script = "def preprocess_handler(row):\n    return {'b': row['a'] + 0.5}\n"
    place = container.put(PREPROCESSOR, script)
    message = container.run(dataset_format=format_, dataset_source=DATASET, record_preprocessor_script=place)
    assert message == CLEAN, container.said
    assert types(container) == {"b": "Fractional"}


def post(container: Container, script: str, *options: object) -> str:
    place = container.put(POSTPROCESSOR, script)
    container.captures(records())
    return container.monitor(
        *options, baseline_statistics="", baseline_constraints="", post_analytics_processor_script=place
    )


def test_a_post_processor_runs_when_the_files_are_there(container: Container, tmp_path: Path) -> None:
    script = f"""
from pathlib import Path
print("at module level")
def postprocess_handler():
    found = sorted(p.name for p in Path({str(container.path("/opt/ml/processing/output"))!r}).iterdir())
    Path({str(tmp_path / "found")!r}).write_text(" ".join(found))
"""
    assert post(container, script) == CLEAN
    assert (tmp_path / "found").read_text() == "constraints.json statistics.json"
    assert "at module level" in container.said.out


def test_a_post_processors_exception_fails_the_job_and_leaves_the_files(container: Container) -> None:
    message = post(container, "def postprocess_handler():\n    return 1 / 0\n")
    assert message == (
        "Exception while invoking post-processor script. "
        "postprocess.py, line 2: ZeroDivisionError: division by zero"
    )
    assert container.said.code == 2
    assert container.outputs() == ["constraints.json", "statistics.json"]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("while True: pass\n", "postprocess.py took longer than 0.5 seconds"),
        ("import os\nos._exit(3)\n", "postprocess.py ended by itself with exit code 3"),
    ],
)
def test_a_post_processor_that_does_not_come_back_fails_the_job(
    container: Container, script: str, words: str
) -> None:
    limit = () if "_exit" in script else ("--time-limit", 0.5)
    assert words in post(container, script, *limit)


def children() -> set[str]:
    """The processes that this one started and that are there, also ended ones that nobody waited for."""
    found = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,comm="], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    rows = [line.split(None, 2) for line in found]
    return {f"{pid} {name}" for pid, parent, name in rows if int(parent) == os.getpid() and name != "ps"}


def test_no_process_and_no_pipe_is_left(container: Container) -> None:
    family = children()
    before = len(os.listdir("/dev/fd"))  # noqa: PTH208 - a folder that changes as it is read
    for script in ("def preprocess_handler(r):\n    return {'x': 1}\n", "raise ValueError('no')\n"):
        with_script(container, script)
    assert len(os.listdir("/dev/fd")) == before  # noqa: PTH208 - likewise
    assert children() == family


def test_a_baseline_takes_a_preprocessor_too(container: Container) -> None:
    container.put(f"{DATASET}/capture.jsonl", "\n".join(records()))
    place = container.put(PREPROCESSOR, BY_POSITION)
    message = container.run(dataset_format=CAPTURE, dataset_source=DATASET, record_preprocessor_script=place)
    assert message == CLEAN
    assert container.features() == [str(n).zfill(20) for n in range(3)]
