"""What would change if one baseline took another's place."""

from dataclasses import replace

import polars as pl

from watchkeeper.monitors import data_quality
from watchkeeper.monitors.data_quality_diff import Change, DataQualityBaseline, diff
from watchkeeper.monitors.data_quality_values import (
    DatasetConstraints,
    DriftRule,
    MonitoringConfig,
    Range,
    Sla,
)


def baseline(**columns: list[str | None]) -> DataQualityBaseline:
    frame = pl.DataFrame(columns, schema_overrides=dict.fromkeys(columns, pl.String))
    schema = data_quality.inferred_schema(frame)
    statistics = data_quality.profile(frame, schema)
    return DataQualityBaseline(statistics, data_quality.suggest(statistics, schema))


NUMBERS: list[str | None] = [str(row % 50) for row in range(500)]
TOWNS: list[str | None] = ["BEDOK", "YISHUN"] * 250
USUAL = baseline(town=TOWNS, area=NUMBERS)


def test_a_baseline_and_itself_have_no_difference() -> None:
    assert diff(USUAL, USUAL) == ()


def test_each_difference_is_a_sentence() -> None:
    later = baseline(
        town=["TENGAH", *TOWNS[1:]],
        area=[str(10 + row % 50) for row in range(499)] + [None],
        floor=NUMBERS,
    )
    assert diff(USUAL, later) == (
        Change("town", 'Allowed besides: "TENGAH".'),
        Change("town", "Its distribution moved: Robust distance 0, which would not be drift."),
        Change("area", "The completeness asked for is 0.998 instead of 1.0."),
        Change("area", "The range allowed is -14.5 to 83.5 instead of -24.5 to 73.5."),
        Change(
            "area",
            "Its distribution moved: Wasserstein distance 0.69, which would be drift; mean 24.5 to 34.45, "
            "standard deviation 14.43 to 14.4.",
        ),
        Change("floor", "The column is new."),
    )
    assert Change("floor", "The column is gone.") in diff(later, USUAL)
    assert Change("town", 'No longer allowed: "TENGAH".') in diff(later, USUAL)


def test_settings_and_slas_are_compared() -> None:
    sla = Sla("complete", "data_quality_completeness_ratio", "mlops", "4.1", at_least=1.0)
    asked = USUAL.constraints
    town, area = asked.features
    other = replace(
        asked,
        features=(
            replace(town, domains=None, sources=(("completeness", sla.source),)),
            replace(area, drift=DriftRule("PSI", 0.2), range=None, evaluate=False),
        ),
        monitoring_config=MonitoringConfig(datatype_check_threshold=0.9),
        dataset=DatasetConstraints(rows=Range(1, 9)),
        slas=(sla,),
    )
    said = [change.what for change in diff(USUAL, DataQualityBaseline(USUAL.statistics, other))]
    assert said == [
        "The setting datatype_check_threshold is 0.9 instead of 1.0.",
        "The setting vanished_share is not asked instead of 0.01.",
        "The setting rows is 1.0 to 9.0 instead of not asked.",
        'SLA "complete" (4.1) of mlops is laid over it.',
        "It has no domain any more.",
        'The completeness asked for comes from SLA "complete" (4.1).',
        "The range allowed is not asked instead of -24.5 to 73.5.",
        "The drift method is PSI at 0.2 instead of Wasserstein at 0.3.",
        "The switch for being checked is off instead of on.",
    ]
    back = diff(DataQualityBaseline(USUAL.statistics, other), USUAL)
    assert Change("", 'SLA "complete" (4.1) of mlops is no longer laid over it.') in back
    assert Change("town", "Its values have a domain now.") in back


def test_rows_are_compared() -> None:
    fewer = baseline(town=TOWNS[:400], area=NUMBERS[:400])
    assert diff(USUAL, fewer)[0] == Change("", "It is made of 400 rows instead of 500.")
