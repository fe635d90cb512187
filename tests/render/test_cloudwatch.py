"""CloudWatch lines as the contract's sample has them (9.5)."""

from datetime import UTC, datetime

import polars as pl

from watchkeeper.core.problems import ProblemType
from watchkeeper.core.values import Undefined
from watchkeeper.monitors import data_quality
from watchkeeper.monitors.model_quality_values import Figure, QualityStatistics
from watchkeeper.render.cloudwatch import MetricLabels, data_quality_metrics, model_quality_metrics

TIME = datetime(2019, 11, 26, 3, 0, 0, 5, tzinfo=UTC)
FRAME = pl.DataFrame(
    {"age": ["0", "1", None, "x"], "town": ["Ä", "b", "b", "b"], "n": ["1.5", "2", "3", None]}
)


def test_a_line_is_spelled_as_in_the_contract() -> None:
    statistics = data_quality.profile(FRAME.select("n"), data_quality.inferred_schema(FRAME.select("n")))
    lines = data_quality_metrics(statistics, {"n": 0.25}, MetricLabels(TIME, "endpoint_0", "schedule_0"))
    head = '"Timestamp":"2019-11-26T03:00:00Z","Dimensions":[{"Name":"Endpoint","Value":"endpoint_0"},'
    head += '{"Name":"MonitoringSchedule","Value":"schedule_0"}],'
    assert lines == (
        f'{{"MetricName":"feature_data_n",{head}"StatisticValues":{{"SampleCount":3.0,"Sum":6.5,'
        '"Minimum":1.5,"Maximum":3.0},"Unit":"None"}\n'
        f'{{"MetricName":"feature_non_null_n",{head}"Value":0.75,"Unit":"None"}}\n'
        f'{{"MetricName":"feature_baseline_drift_n",{head}"Value":0.25,"Unit":"None"}}\n'
    )


def test_texts_have_no_numbers_and_a_batch_names_no_endpoint() -> None:
    frame = FRAME.select("town")
    statistics = data_quality.profile(frame, data_quality.inferred_schema(frame))
    (line,) = data_quality_metrics(statistics, {}, MetricLabels(TIME, schedule="s")).splitlines()
    assert line.startswith('{"MetricName":"feature_non_null_town",')
    assert '"Dimensions":[{"Name":"MonitoringSchedule","Value":"s"}]' in line


def test_a_figure_without_a_value_has_no_line() -> None:
    one, none = Figure(1.0, Undefined("few")), Figure(Undefined("labels do not vary"), Undefined("few"))
    lines = model_quality_metrics(
        QualityStatistics(
            ProblemType.REGRESSION, 3, (("mae", one), ("mse", one), ("rmse", one), ("r2", none))
        ),
        MetricLabels(TIME),
    ).splitlines()
    assert [line.partition(",")[0] for line in lines] == [
        '{"MetricName":"mae"',
        '{"MetricName":"mse"',
        '{"MetricName":"rmse"',
    ]
    assert '"Dimensions":[]' in lines[0]
