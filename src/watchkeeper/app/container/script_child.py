"""What runs a user's script, in a process of its own: `python -m watchkeeper.app.container.script_child`.

Only the standard library is imported, so that the script finds the process as good as empty. Records come
in and answers go out as lines of pipes that the script does not see; what it prints is the log's.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import logging
import math
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace, TracebackType
from typing import Any, BinaryIO

CAPTURE, TEXT, OBJECT = b"c", b"t", b"o"
_AS_THEY_ARE = frozenset({str, int, bool, type(None)})
_SIDES = {
    "endpoint_input": "endpointInput",
    "endpoint_output": "endpointOutput",
    "batch_transform_output": "batchTransformOutput",
}


class InferenceRecord:
    """A captured record as scripts know it: today's attributes and the `event_data` of 2019."""

    def __init__(self, event: dict[str, Any]) -> None:
        data, metadata = event.get("captureData") or {}, event.get("eventMetadata") or {}
        self.event_dict = event
        self.event_version = event.get("eventVersion")
        for name, key in _SIDES.items():
            setattr(self, name, _side(data.get(key)))
        self.ground_truth = _side(event.get("groundTruthData"))
        attributes = metadata.get("customAttributes")
        self.event_metadata = SimpleNamespace(
            event_id=metadata.get("eventId"),
            inference_id=metadata.get("inferenceId"),
            event_time=metadata.get("inferenceTime"),
            custom_attribute=attributes,
            custom_attributes=attributes,
        )
        sides = {key: getattr(self, name) for name, key in _SIDES.items()}
        self.event_data = SimpleNamespace(**sides, groundTruthData=self.ground_truth)

    def as_dict(self) -> dict[str, Any]:
        """The record as it was captured."""
        return self.event_dict


def _side(payload: dict[str, Any] | None) -> SimpleNamespace | None:
    if payload is None:
        return None
    known = {"encoding": None, "data": None, "observedContentType": None, "mode": None}
    return SimpleNamespace(**{**known, **payload})


@dataclass(frozen=True, slots=True)
class _Answers:
    """Answers to the process that started this one, one JSON line each."""

    file: BinaryIO

    def say(self, **answer: Any) -> None:
        self.file.write(json.dumps(answer, ensure_ascii=False).encode(errors="replace") + b"\n")
        self.file.flush()


def main(kind: str, script: str, inlet: str, outlet: str) -> None:
    """Run the script: `record` by record, or `post` once. An error of its own is the last answer."""
    answers = _Answers(os.fdopen(int(outlet), "wb"))
    path = Path(script)

    def report(error: type[BaseException], value: BaseException, trace: TracebackType | None) -> None:
        traceback.print_exception(error, value, trace)
        answers.say(fault=f"{_place(path, value, trace)}{error.__name__}: {value}")

    sys.excepthook = report
    logging.basicConfig(
        level=logging.INFO, stream=sys.stdout, format="%(name)s - %(levelname)s - %(message)s"
    )
    module = _load(path)
    if kind == "post":
        handler = getattr(module, "postprocess_handler", None)
        if handler is not None:
            handler()
        answers.say(rows=[])
        return
    handler = _handler(module, path)
    answers.say(ready=True)
    with os.fdopen(int(inlet), "rb") as lines:
        for line in lines:
            record = _record(line)
            answers.say(**_answer(handler(record), record))


def _load(path: Path) -> ModuleType:
    """The script as a module; modules beside it can be imported."""
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path.name} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)
    spec.loader.exec_module(module)
    return module


def _handler(module: ModuleType, path: Path) -> Callable[[Any], Any]:
    handler = getattr(module, "preprocess_handler", None)
    if not callable(handler):
        raise TypeError(f"want a function preprocess_handler in {path.name}, got none")
    try:
        inspect.signature(handler).bind(None, None)
    except TypeError:
        found: Callable[[Any], Any] = handler
        return found
    logger = logging.getLogger(path.stem)
    return lambda record: handler(record, logger)


def _record(line: bytes) -> Any:
    value = json.loads(line[1:])
    return InferenceRecord(value) if line[:1] == CAPTURE else value


def _answer(result: Any, record: Any) -> dict[str, Any]:
    """Rows, the word that the record stays as it is, or what is wrong with the result."""
    if result is None:
        return {"rows": []}
    if result is record and not isinstance(result, dict):
        return {"same": True}
    listed = result if isinstance(result, list | tuple) else [result]
    if all(type(row) is dict and _plain(row) for row in listed):
        return {"rows": [row for row in listed if row]}
    faults = [fault for row in listed for fault in _faults(row)]
    if faults:
        return {"rubbish": faults[0]}
    return {"rows": [{key: _cell(value) for key, value in row.items()} for row in listed if row]}


def _plain(row: dict[Any, Any]) -> bool:
    """Whether there is nothing to look for in a row, as in most."""
    return all(type(key) is str for key in row) and all(type(value) in _AS_THEY_ARE for value in row.values())


def _faults(row: Any) -> Iterator[str]:
    if not isinstance(row, dict):
        yield f"want a flat dict of columns, [] or a list of dicts, got {type(row).__name__}"
        return
    for key, value in row.items():
        if not isinstance(key, str):
            yield f"want column names that are text, got {key!r}"
        elif not isinstance(_single(value), str | int | float | bool | None):
            yield f'column "{key}": want a text, a number, True, False or None, got {type(value).__name__}'


def _single(value: Any) -> Any:
    """A NumPy scalar as Python's own value."""
    item = getattr(value, "item", None)
    return item() if callable(item) and getattr(value, "shape", None) == () else value


def _cell(value: Any) -> Any:
    """Not-a-number is a missing value, an infinity the text that a CSV would hold."""
    found = _single(value)
    if isinstance(found, float) and not math.isfinite(found):
        return None if math.isnan(found) else str(found)
    return found


def _place(path: Path, error: BaseException, trace: TracebackType | None) -> str:
    """File and line: the last of the script's own, else of where it was raised."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}, line {error.lineno}: "
    frames = traceback.extract_tb(trace)
    own = [frame for frame in frames if Path(frame.filename) == path]
    return f"{path.name}, line {own[-1].lineno}: " if own else ""


if __name__ == "__main__":
    main(*sys.argv[1:])
