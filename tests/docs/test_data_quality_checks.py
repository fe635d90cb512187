"""The page on data-quality checks says what the code does, and each test it names is there."""

import ast
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from tests.docs.markdown import ROOT
from watchkeeper.core.statistics.distances import Distance, Mode
from watchkeeper.core.statistics.drift import LEAST_ROWS, METHODS
from watchkeeper.core.values import Violation
from watchkeeper.monitors import data_quality, data_quality_own_checks, data_quality_table_checks
from watchkeeper.monitors.data_quality_checks import CHECKS
from watchkeeper.monitors.data_quality_slas import EVALUATED_BY
from watchkeeper.monitors.data_quality_table_checks import TABLE_CHECKS
from watchkeeper.monitors.data_quality_values import (
    TEXT_UNSEEN_THRESHOLD,
    DataQualityConstraints,
    DataQualityStatistics,
    DatasetConstraints,
    DistributionConstraints,
    DriftRule,
    FeatureConstraints,
    MonitoringConfig,
    Range,
    Sla,
    StringStatistics,
    TimeStatistics,
)
from watchkeeper.monitors.evidence import WHOLE
from watchkeeper.render.contract import constraints_json, statistics_json, violations_json

PAGE = (ROOT / "docs/reference/data-quality-checks.md").read_text(encoding="utf-8")
COLUMNS = ("missing_column_check", "extra_column_check")


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def rows(title: str) -> list[list[str]]:
    """A section's table without its head, cells without blanks."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def checks(mode: Mode) -> set[str]:
    return {name for found in CHECKS[mode].values() for name, _ in found}


def test_each_check_is_listed_with_the_modes_that_have_it() -> None:
    listed = {row[0].strip("`"): (row[1], row[2]) for row in rows("Checks of a column")}
    assert {name for name, (compatible, _) in listed.items() if compatible == "yes"} == {
        *checks(Mode.COMPATIBLE),
        *COLUMNS,
    }
    assert set(listed) == {*checks(Mode.CORRECT), *COLUMNS}
    table = {row[0].strip("`"): (row[1], row[2]) for row in rows("Checks of the rows as a whole")}
    assert set(table) == {*TABLE_CHECKS, "sla_check"}
    assert {*table.values()} == {("no", "yes")}
    assert {correct for _, correct in listed.values()} == {"yes"}


def names_in(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_each_test_that_is_named_is_there() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", PAGE)
    assert len(named) > 20
    assert [(file, name) for file, name in named if name not in names_in(ROOT / file)] == []
    for row in (*rows("Checks of a column"), *rows("Checks of the rows as a whole"), *rows("Files")):
        assert "::test_" in row[-1], row


def test_each_blind_spot_is_listed_with_its_test() -> None:
    there = names_in(ROOT / "tests/monitors/test_data_quality_compatible.py")
    shown = {row[-1].strip("`") for row in rows("What compatible mode cannot see")}
    assert shown <= there
    assert {name for name in there if name.startswith("test_blind_spot_")} <= shown


def test_the_methods_are_those_there_are() -> None:
    assert rows("Drift methods") == [
        [
            f"`{method.name}`",
            "distance" if method.score is Distance else "p-value",
            str(method.threshold),
            "yes" if method.numerical else "no",
            "yes" if method.categorical else "no",
            method.effect,
        ]
        for method in METHODS.values()
    ]
    assert f"Below {LEAST_ROWS} rows" in section("Drift methods")


def keys(text: str) -> set[str]:
    """Every key of a file at any depth."""
    found: set[str] = set()

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            found.update(value)
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            walk(inner)

    walk(ast.literal_eval(text.replace("true", "True").replace("false", "False")))
    return found


def test_each_key_of_ours_is_listed() -> None:
    """All there can be: written in correct mode and not in compatible mode."""
    found = data_quality.profile(
        pl.DataFrame({"a": ["1", "x"], "b": ["1", "2"]}),
        data_quality.inferred_schema(pl.DataFrame({"a": [], "b": []})),
    )
    mixed, numbers = found.features
    moment = datetime(2020, 1, 1, tzinfo=UTC)
    mixed = replace(mixed, time=TimeStatistics(moment, moment), string=StringStatistics(1.0, (("x", 1),), 1))
    statistics = DataQualityStatistics(2, (mixed, numbers))
    feature = FeatureConstraints(
        "a",
        mixed.inferred_type,
        range=Range(0, 1),
        drift=DriftRule("PSI", 1),
        sources=(("completeness", "x"),),
    )
    rules = DistributionConstraints(mode=Mode.COMPATIBLE)
    asked = DataQualityConstraints(
        (feature,),
        MonitoringConfig(distribution=rules, text_unseen_threshold=0.1),
        DatasetConstraints(0.1, 0.1, Range(0, 1), 1.0, 0.1),
        (Sla("a", "b", "c", "d", at_most=1, column="a"), Sla("a", "b", "c", at_least=1)),
    )
    broken = [Violation("a", "b", "c", 1.0, 2.0)]
    ours = {
        *keys(statistics_json(statistics)) - keys(statistics_json(statistics, Mode.COMPATIBLE)),
        *keys(constraints_json(asked)) - keys(constraints_json(asked, Mode.COMPATIBLE)),
        *keys(violations_json(broken)) - keys(violations_json(broken, Mode.COMPATIBLE)),
    } - {"completeness", "Integral", "Fractional", "Boolean", "String"}
    assert len(ours) > 20
    assert [key for key in sorted(ours) if f"`{key}`" not in section("Keys of ours")] == []


def test_the_defaults_are_the_codes() -> None:
    said = {row[0]: row[1] for row in rows("What a suggestion asks for")}
    for key, value in (
        ("`range_constraints`", data_quality_own_checks.TOLERANCE),
        ("`range_constraints`", data_quality_own_checks.FAR),
        ("`vanished_share`", data_quality.VANISHED_SHARE),
        ("`duplicate_share`", data_quality.DUPLICATE_SHARE),
        ("`missing_hours_share`", data_quality.HOURS_ROOM),
        ("`text_unseen_threshold`", TEXT_UNSEEN_THRESHOLD),
    ):
        assert str(value) in said[key], key
    text = section("Checks of the rows as a whole")
    assert f"at least {data_quality_table_checks.WINDOWS_TO_COMPARE} earlier windows" in text
    assert f"{data_quality_table_checks.AGE_FACTOR:g} window lengths" in text
    assert data_quality_table_checks.VOLUME_FACTOR == 10
    assert data_quality.DOMAIN_VALUES == 120


def test_who_checks_an_sla_and_which_violations_have_no_rows() -> None:
    assert rows("Service levels") == [[f"`{start}`", who] for start, who in EVALUATED_BY.items()]
    without = next(row[0] for row in rows("Example rows") if row[1].startswith("none"))
    assert set(re.findall(r"`(\w+)`", without)) == set(WHOLE)
