"""Exposition: what a Prometheus server would read back is what the samples say."""

from __future__ import annotations

import math
import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core.metrics import METRIC_OF_SERIES, METRICS, MetricType
from watchkeeper.core.values import Sample, labels_of
from watchkeeper.render.exposition import exposition

NOON = datetime(2020, 2, 1, 12, tzinfo=UTC)
DRIFT = "watchkeeper_data_quality_drift_distance"


def sample(metric: str, value: float, minutes: int = 0, **labels: str) -> Sample:
    return Sample(metric, labels_of(**labels), value, NOON + timedelta(minutes=minutes))


def read_label(text: str) -> str:
    """A label value as the format's page says it is to be read."""
    found, escaped = [], False
    for letter in text:
        if escaped:
            found.append({"n": "\n", '"': '"', "\\": "\\"}[letter])
        elif letter != "\\":
            found.append(letter)
        escaped = letter == "\\" and not escaped
    return "".join(found)


def test_samples_are_grouped_under_help_and_type() -> None:
    written = exposition(
        [
            sample(DRIFT, 0.03, feature="town"),
            sample("watchkeeper_data_quality_violations", 1.0),
            sample(DRIFT, 0.1, feature="block"),
        ]
    )
    assert written == (
        "# HELP watchkeeper_data_quality_violations "
        "Data quality checks that did not hold in the newest window.\n"
        "# TYPE watchkeeper_data_quality_violations gauge\n"
        "watchkeeper_data_quality_violations 1\n"
        f"# HELP {DRIFT} "
        "Distance between a feature's distribution in the newest window and in the baseline, 0 to 1.\n"
        f"# TYPE {DRIFT} gauge\n"
        f'{DRIFT}{{feature="block"}} 0.1\n'
        f'{DRIFT}{{feature="town"}} 0.03\n'
    )


def test_only_the_newest_sample_of_a_series_is_shown() -> None:
    written = exposition([sample(DRIFT, 0.2, minutes=5, feature="town"), sample(DRIFT, 0.9, feature="town")])
    assert written.splitlines()[2:] == [f'{DRIFT}{{feature="town"}} 0.2']


def test_no_samples_are_an_empty_text() -> None:
    assert exposition([]) == ""


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        exposition([sample(DRIFT, value, feature="town")])


def test_a_metric_that_is_not_declared_is_refused() -> None:
    with pytest.raises(ValueError, match='got "watchkeeper_surprise"'):
        exposition([sample("watchkeeper_surprise", 1.0)])


def test_a_histogram_keeps_its_buckets_together_and_in_the_order_of_their_bounds() -> None:
    base = "watchkeeper_endpoint_request_seconds"
    buckets = [
        sample(f"{base}_bucket", float(n), le=le)
        for n, le in ((3, "+Inf"), (2, "10"), (1, "2.5"), (0, "0.1"))
    ]
    written = exposition([*buckets, sample(f"{base}_sum", 4.5), sample(f"{base}_count", 3.0)]).splitlines()
    assert written[1] == f"# TYPE {base} histogram"
    assert [line.split('"')[1] for line in written[2:6]] == ["0.1", "2.5", "10", "+Inf"]
    assert written[6:] == [f"{base}_count 3", f"{base}_sum 4.5"]


@given(st.text(st.characters(exclude_categories=["Cs"])), st.floats(allow_nan=False, allow_infinity=False))
def test_any_label_and_any_finite_value_read_back_as_they_were(town: str, value: float) -> None:
    line = exposition([sample(DRIFT, value, feature=town)]).split("\n")[2]
    label, _, number = line.removeprefix(f'{DRIFT}{{feature="').rpartition('"} ')
    assert read_label(label) == town
    assert float(number) == value


def test_metric_names_are_in_base_units_and_unlike() -> None:
    names = [metric.name for metric in METRICS]
    assert len(set(names)) == len(names) == len({METRIC_OF_SERIES[m.series_names[0]] for m in METRICS})
    assert all(name.startswith("watchkeeper_") for name in names)
    assert all(m.name.endswith("_total") == (m.type is MetricType.COUNTER) for m in METRICS)
    assert all(m.unit == "ratio" or not m.name.endswith("_ratio") for m in METRICS)


@pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not on PATH (Debian: apt-get install prometheus)"
)
def test_prometheus_own_linter_finds_nothing() -> None:
    written = exposition(
        [
            sample(name, 1.0, le="+Inf") if name.endswith("_bucket") else sample(name, 1.0)
            for name in METRIC_OF_SERIES
        ]
    )
    done = subprocess.run(
        ["promtool", "check", "metrics"],
        input=written,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
