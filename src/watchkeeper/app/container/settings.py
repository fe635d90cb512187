"""What a container is told: the analyzer's environment variables as one value (contract 8.3, 8.4)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any

from watchkeeper.core.errors import InputError
from watchkeeper.core.problems import ProblemType
from watchkeeper.core.statistics.distances import Mode
from watchkeeper.core.windows import Window, parse_utc

ML_ROOT = Path("/opt/ml")
OUTPUT_PATH = "/opt/ml/processing/output"
MODE, TIME_LIMIT = "WATCHKEEPER_MODE", "WATCHKEEPER_SCRIPT_TIME_LIMIT"
DEFAULT_TIME_LIMIT = 600.0
NAMESPACE = "WATCHKEEPER_METRICS_NAMESPACE"
SIDES = ("endpointInput", "endpointOutput", "batchTransformOutput")
_DRIFT_METHODS = ("LInfinity", "ChiSquared")
_DATA_QUALITY, _MODEL_QUALITY = "DATA_QUALITY", "MODEL_QUALITY"


class Format(StrEnum):
    """What the files hold, as `dataset_format` names it."""

    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"
    CAPTURE = "sagemakerCaptureJson"
    MERGED = "sagemakerMergeJson"


@dataclass(frozen=True, slots=True)
class DatasetFormat:
    """`dataset_format`: `header` is of CSV, `lines` of JSON, `sides` of captures; outputs first or last."""

    kind: Format
    header: bool = False
    lines: bool = True
    sides: tuple[str, ...] = ()
    outputs_first: bool = True

    @property
    def captured(self) -> bool:
        """Whether the files hold capture records."""
        return self.kind in (Format.CAPTURE, Format.MERGED)


@dataclass(frozen=True, slots=True)
class Attributes:
    """Where a model-quality job finds prediction, probability and, in a baseline, the label (contract 6.1).

    Empty for what nobody named: of a binary classification the probability alone will do, which above
    `threshold` says the class 1.
    """

    problem: ProblemType
    inference: str
    ground_truth: str
    probability: str = ""
    threshold: float = 0.5


@dataclass(frozen=True, slots=True)
class MetricSettings:
    """Whether metrics are published, and what each line of them carries.

    With a namespace the container puts them into CloudWatch itself; without one it writes the file that Model
    Monitor reads.
    """

    publish: bool = False
    namespace: str | None = None
    endpoint: str | None = None
    schedule: str | None = None
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """One run of the container. Paths are where this machine has them."""

    root: Path
    format: DatasetFormat
    source: Path
    output: Path
    mode: Mode = Mode.CORRECT
    window: Window | None = None
    metrics: MetricSettings = MetricSettings()
    constraints: Path | None = None
    statistics: Path | None = None
    preprocessor: Path | None = None
    postprocessor: Path | None = None
    drift_method: str | None = None
    quality: Attributes | None = None
    time_limit: float = DEFAULT_TIME_LIMIT

    @property
    def baselining(self) -> bool:
        """Without any baseline file nothing is judged: statistics and constraints are suggested."""
        return self.constraints is None and self.statistics is None


@dataclass(frozen=True, slots=True)
class Environment:
    """Variables by name. An empty one is one that is not set; its error names it."""

    variables: Mapping[str, str]
    root: Path = ML_ROOT

    def text(self, name: str) -> str | None:
        return self.variables.get(name, "").strip() or None

    def needed(self, name: str, wanted: str) -> str:
        found = self.text(name)
        if found is None:
            raise InputError(f"read the variable {name}: want {wanted}, got nothing")
        return found

    def one_of(self, name: str, choices: tuple[str, ...], default: str) -> str:
        """One of the choices, whatever its case."""
        found = self.text(name) or default
        for choice in choices:
            if choice.lower() == found.lower():
                return choice
        raise self.fault(name, f"one of {', '.join(choices)}", found)

    def time(self, name: str) -> datetime | None:
        """A time. Blanks in it are taken out: the service's own guide prints some."""
        found = self.text(name)
        if found is None:
            return None
        try:
            return parse_utc("".join(found.split()))
        except ValueError:
            raise self.fault(name, "a time such as 2019-12-01T15:20:00Z", found) from None

    def path(self, name: str) -> Path | None:
        found = self.text(name)
        return self.placed(found) if found else None

    def placed(self, text: str) -> Path:
        """A path of the container as this machine has it: what is below /opt/ml is below the root."""
        path = PurePosixPath(text)
        below = path.is_relative_to(ML_ROOT.as_posix())
        return self.root / path.relative_to(ML_ROOT.as_posix()) if below else Path(text)

    def fault(self, name: str, wanted: str, got: object) -> InputError:
        return InputError(f"read the variable {name}: want {wanted}, got {got!r}")


def read_job(variables: Mapping[str, str], root: Path = ML_ROOT, time_limit: float | None = None) -> Job:
    """The job that the variables tell of; `root` stands for /opt/ml.

    Raises InputError that names the variable which is missing or cannot be used.
    """
    found = Environment(variables, root)
    start = found.time("start_time")
    return Job(
        root=root,
        format=dataset_format(found),
        source=found.placed(found.needed("dataset_source", "the folder with the data")),
        output=found.placed(found.text("output_path") or OUTPUT_PATH),
        mode=Mode(found.one_of(MODE, tuple(Mode), Mode.CORRECT)),
        window=_window(found, start, found.time("end_time")),
        metrics=MetricSettings(
            publish=found.one_of("publish_cloudwatch_metrics", ("Enabled", "Disabled"), "Disabled")
            == "Enabled",
            namespace=found.text(NAMESPACE),
            endpoint=found.text("sagemaker_endpoint_name"),
            schedule=found.text("sagemaker_monitoring_schedule_name"),
            time=found.time("metric_time") or start,
        ),
        constraints=found.path("baseline_constraints"),
        statistics=found.path("baseline_statistics"),
        preprocessor=found.path("record_preprocessor_script"),
        postprocessor=found.path("post_analytics_processor_script"),
        drift_method=_drift_method(found),
        quality=_attributes(found),
        time_limit=_limit(found) if time_limit is None else time_limit,
    )


def dataset_format(found: Environment) -> DatasetFormat:
    """`dataset_format` in the spellings of the SDK, the schedules and the API (contract 8.4)."""
    name, wanted = "dataset_format", f"JSON with one of {', '.join(Format)}"
    text = found.needed(name, wanted)
    try:
        body: Any = json.loads(text)
    except json.JSONDecodeError:
        raise found.fault(name, wanted, text) from None
    kinds = {kind.lower(): kind for kind in Format}
    if not isinstance(body, dict) or len(body) != 1 or next(iter(body)).lower() not in kinds:
        raise found.fault(name, wanted, text)
    ((key, inner),) = body.items()
    if not isinstance(inner, dict | None):
        raise found.fault(name, f'an object under "{key}"', text)
    options = {option.lower(): value for option, value in (inner or {}).items()}
    return DatasetFormat(
        kinds[key.lower()],
        header=_switch(found, options.get("header", False)),
        lines=_switch(found, options.get("lines", options.get("line", False))),
        sides=_sides(found, options.get("captureindexnames") or []),
        outputs_first=_position(found, options.get("output_columns_position") or "START"),
    )


def _switch(found: Environment, value: object) -> bool:
    said = {"true": True, "false": False}.get(str(value).lower())
    if said is None:
        raise found.fault("dataset_format", "true or false", value)
    return said


def _sides(found: Environment, value: object) -> tuple[str, ...]:
    names = tuple(value) if isinstance(value, list) else (value,)
    if not all(name in SIDES for name in names):
        raise found.fault("dataset_format", f"captureIndexNames of {', '.join(SIDES)}", value)
    return tuple(str(name) for name in names)


def _position(found: Environment, value: object) -> bool:
    if str(value).upper() not in ("START", "END"):
        raise found.fault("dataset_format", "output_columns_position START or END", value)
    return str(value).upper() == "START"


def _window(found: Environment, start: datetime | None, end: datetime | None) -> Window | None:
    if start is None and end is None:
        return None
    if start is None or end is None:
        missing = "start_time" if start is None else "end_time"
        raise InputError(
            f"read the variable {missing}: want it beside the other end of the window, got nothing"
        )
    if end <= start:
        raise found.fault("end_time", "a time after start_time", found.text("end_time"))
    return Window(start, end)


def _drift_method(found: Environment) -> str | None:
    name = "categorical_drift_method"
    return found.one_of(name, _DRIFT_METHODS, "") if found.text(name) else None


def _attributes(found: Environment) -> Attributes | None:
    kinds = (_DATA_QUALITY, _MODEL_QUALITY)
    if found.one_of("analysis_type", kinds, _DATA_QUALITY) == _DATA_QUALITY:
        return None
    problems = tuple(each.value for each in ProblemType)
    found.needed("problem_type", f"one of {', '.join(problems)}")
    problem = ProblemType(found.one_of("problem_type", problems, ""))
    probability = found.text("probability_attribute") or ""
    wanted = "the column, index or path of the predicted value"
    if problem is ProblemType.BINARY and probability:
        inference = found.text("inference_attribute") or ""
    else:
        inference = found.needed("inference_attribute", wanted)
    if problem is not ProblemType.BINARY:
        probability = ""
    return Attributes(
        problem, inference, found.text("ground_truth_attribute") or "", probability, _threshold(found)
    )


def _threshold(found: Environment) -> float:
    name = "probability_threshold_attribute"
    text = found.text(name)
    if text is None:
        return 0.5
    try:
        threshold = float(text)
    except ValueError:
        threshold = -1.0
    if not 0 <= threshold <= 1:
        raise found.fault(name, "a number from 0 to 1", text)
    return threshold


def _limit(found: Environment) -> float:
    text = found.text(TIME_LIMIT)
    if text is None:
        return DEFAULT_TIME_LIMIT
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise found.fault(TIME_LIMIT, "seconds above 0", text)
    return seconds
