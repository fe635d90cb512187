"""SLAs laid over a baseline: the stricter wins, its source is kept, and a broken one is its own violation."""

import pytest

from watchkeeper.core.metrics import METRIC_PREFIX, METRICS
from watchkeeper.core.values import Column, ColumnType, Role, Schema, Violation
from watchkeeper.monitors.data_quality_checks import check
from watchkeeper.monitors.data_quality_slas import broken, evaluated_by, overlay
from watchkeeper.monitors.data_quality_values import (
    DataQualityConstraints,
    DataQualityStatistics,
    FeatureConstraints,
    FeatureStatistics,
    Sla,
    implied_types,
)

COMPLETE = "data_quality_completeness_ratio"
SCHEMA = Schema(1, tuple(Column(name, ColumnType.STRING, Role.FEATURE) for name in ("a", "b")))
BASELINE = DataQualityConstraints(
    (
        FeatureConstraints("a", ColumnType.STRING, completeness=0.9),
        FeatureConstraints("b", ColumnType.STRING, completeness=1.0),
    )
)
STRICT = Sla("complete", COMPLETE, "mlops", "SLA 4.1", at_least=0.95)
ERRORS = Sla("errors", "model_quality_mape", "mlops", "SLA 4.2", at_most=0.08)


def statistics(a: int, b: int) -> DataQualityStatistics:
    """Of 100 rows, so many present."""
    return DataQualityStatistics(
        100,
        tuple(
            FeatureStatistics(
                name, ColumnType.STRING, present, 100 - present, implied_types(ColumnType.STRING, present)
            )
            for name, present in (("a", a), ("b", b))
        ),
    )


def test_the_stricter_wins_and_says_where_it_comes_from() -> None:
    a, b = overlay(BASELINE, [STRICT]).features
    assert (a.completeness, a.sources) == (0.95, (("completeness", 'SLA "complete" (SLA 4.1)'),))
    assert (b.completeness, b.sources) == (1.0, ())


def test_of_two_slas_the_stricter_is_named_whatever_their_order() -> None:
    stricter = Sla("gold", COMPLETE, "mlops", at_least=0.99, column="a")
    for slas in ([STRICT, stricter], [stricter, STRICT]):
        a, b = overlay(BASELINE, slas).features
        assert (a.completeness, dict(a.sources)) == (0.99, {"completeness": 'SLA "gold"'})
        assert b.sources == ()


def test_a_broken_sla_is_a_violation_of_its_own_beside_the_contracts() -> None:
    asked = overlay(BASELINE, [STRICT])
    assert check(statistics(95, 100), statistics(90, 100), asked, SCHEMA) == ()
    found = check(statistics(94, 99), statistics(90, 100), asked, SCHEMA)
    assert [(each.subject, each.check) for each in found] == [
        ("a", "completeness_check"),
        ("b", "completeness_check"),
        ("a", "sla_check"),
    ]
    assert found[-1] == Violation(
        "a",
        "sla_check",
        'SLA "complete" is broken (owner mlops, SLA 4.1). Expected: data_quality_completeness_ratio at least '
        "0.95. Observed: 0.94.",
        0.94,
        0.95,
    )


def test_slas_of_other_monitors_are_kept_and_judged_by_their_figures() -> None:
    asked = overlay(BASELINE, [ERRORS])
    assert asked.slas == (ERRORS,)
    assert asked.features == BASELINE.features
    assert check(statistics(90, 100), statistics(90, 100), asked, SCHEMA) == ()
    assert broken(asked.slas, {"model_quality_mape": 0.08}, "price") == ()
    assert broken(asked.slas, {"model_quality_rmse": 9.0}, "price") == ()
    (found,) = broken(asked.slas, {"model_quality_mape": 0.09}, "price")
    assert (found.subject, found.check, found.value, found.threshold) == ("price", "sla_check", 0.09, 0.08)


def test_an_sla_has_one_bound() -> None:
    for most, least in ((None, None), (1.0, 0.5)):
        with pytest.raises(ValueError, match='SLA "x": want one of at_most and at_least'):
            Sla("x", COMPLETE, "mlops", at_most=most, at_least=least)


@pytest.mark.parametrize(
    ("metric", "by"),
    [
        (COMPLETE, "data-quality"),
        ("model_quality_mape", "model-quality"),
        ("labels_coverage_ratio", "model-quality"),
        ("endpoint_request_p95_seconds", "alert rules"),
        ("endpoint_errors_5xx_ratio", "alert rules"),
    ],
)
def test_it_is_said_who_checks_an_sla(metric: str, by: str) -> None:
    assert (evaluated_by(Sla("x", metric, "mlops", at_most=1.0)) or "").startswith(by)
    assert f"{METRIC_PREFIX}{metric}" in {known.name for known in METRICS}


def test_a_metric_nobody_judges_is_said_to_be_one() -> None:
    assert evaluated_by(Sla("x", "audit_entries", "mlops", at_most=1.0)) is None
