"""Explainability and bias beside the other two monitors: what each sees, and says when it cannot."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from tests.adapters.local.csv_server import says, serving
from tests.app.judging.four import MONITORS, RUNS, WITH_ALL
from tests.app.judging.four import loop as loop  # fixtures
from tests.app.judging.four import trained as trained
from tests.app.loop import ANA, KIM, Loop, copied, model_of, new_loop, train_in
from tests.training.history import sales
from watchkeeper.app.baselines.differences import baseline_diff
from watchkeeper.app.baselines.making import BaselineFor
from watchkeeper.app.baselines.making import files_of as baseline_files
from watchkeeper.app.baselines.suggesting import suggest_baseline
from watchkeeper.app.baselines.windows import WindowChoice
from watchkeeper.app.captures.labels import record_labels
from watchkeeper.app.judging.judgement import Against, Watched
from watchkeeper.app.judging.judges import JUDGES
from watchkeeper.app.monitoring.run import run_monitor
from watchkeeper.app.monitoring.schedule import section_of
from watchkeeper.app.pages.reporting import write_execution_page
from watchkeeper.app.registry.approval import Word, approve_baseline
from watchkeeper.app.registry.baselines import baseline_records
from watchkeeper.app.registry.executions import folder_of
from watchkeeper.app.registry.models import approve
from watchkeeper.core.errors import InputError, IntegrityError
from watchkeeper.core.values import Actor, Execution, Status
from watchkeeper.core.windows import Window, month_start

SCHEDULER = Actor("scheduler", "service")


def run_all(loop: Loop) -> dict[str, Execution]:
    """Each monitor on the same month, its page written beside it."""
    found = {name: run_monitor(loop.target, run, SCHEDULER) for name, run in RUNS.items()}
    for execution in found.values():
        write_execution_page(loop.target, execution)
    return found


def lived(loop: Loop, trained: Loop, rows: pl.DataFrame) -> dict[str, Execution]:
    requests = loop.plan(rows=rows)
    loop.send(requests, model_of(trained))
    record_labels(loop.target, "prod", [each.truth for each in requests], month_start("2020-06"))
    return run_all(loop)


def page_of(loop: Loop, execution: Execution) -> str:
    return loop.store.read(f"{folder_of(loop.store, execution)}report.html").decode()


def files_of(loop: Loop, execution: Execution) -> list[str]:
    folder = folder_of(loop.store, execution)
    return [key.removeprefix(folder) for key in loop.store.list(folder)]


def values_of(execution: Execution, name: str, /, **labels: str) -> list[float]:
    return [
        sample.value
        for sample in execution.samples
        if sample.metric == f"watchkeeper_{name}" and labels.items() <= dict(sample.labels).items()
    ]


def test_a_month_like_those_before_is_four_times_completed(loop: Loop, trained: Loop) -> None:
    found = lived(loop, trained, sales(a_month=300))
    assert {name: execution.status for name, execution in found.items()} == dict.fromkeys(
        RUNS, Status.COMPLETED
    )
    for name in ("explainability", "bias"):
        assert files_of(loop, found[name]) == ["analysis.json", "execution.json", "report.html"]
    explained = found["explainability"]
    (score,) = values_of(explained, "explainability_ndcg")
    (chance,) = values_of(explained, "explainability_drift_p_value")
    assert 0.9 < score <= 1.0
    assert chance > 0.05
    area = values_of(explained, "explainability_importance", feature="area")
    assert area[0] > 0
    page = page_of(loop, explained)
    assert "What the model looked at" in page
    assert re.search(r">town<.*[\d.]+%, was [\d.]+%", page)
    page = page_of(loop, found["bias"])
    assert "town EAST" in page
    assert "Mean Absolute Percentage Error Difference" in page
    assert values_of(found["bias"], "bias_metric", facet="town", facet_value="EAST", metric="DPPL")


def test_a_fault_in_one_segment_each_monitor_says_what_it_saw(loop: Loop, trained: Loop) -> None:
    """Prices of one town are up by 30 %; what is asked is as ever, so only labels tell."""
    price = pl.col("price").cast(pl.Float64)
    dearer = pl.when(pl.col("town") == "EAST").then(price * 1.3).otherwise(price).round(0).cast(pl.String)
    found = lived(loop, trained, sales(a_month=300).with_columns(price=dearer))
    assert not found["data-quality"].violations
    assert not found["explainability"].violations
    worst = found["model-quality"].judgements[0].segments[0]
    assert (worst.column, worst.value) == ("town", "EAST")
    subjects = {violation.subject for violation in found["bias"].violations}
    assert "MPED of town EAST" in subjects
    listed = json.loads(loop.store.read(f"{folder_of(loop.store, found['bias'])}constraint_violations.json"))
    (listed,) = [each for each in listed["violations"] if each["metric_name"] == "MPED"]
    assert (listed["facet"], listed["facet_value"]) == ("town", "EAST")
    assert listed["constraint_check_type"] == "bias_drift_check"
    assert "Every check held" in page_of(loop, found["data-quality"])
    assert "Every check held" in page_of(loop, found["explainability"])
    assert "town EAST" in page_of(loop, found["model-quality"])
    assert "<strong>worse</strong>" in page_of(loop, found["bias"])


def test_rows_that_are_all_alike_are_looked_at_otherwise(loop: Loop, trained: Loop) -> None:
    """Flats of one size alone: what the size adds is the same to each, and the towns decide."""
    found = lived(loop, trained, sales(a_month=300).with_columns(area=pl.lit("90")))["explainability"]
    assert found.status is Status.VIOLATIONS
    (violation, *_) = found.violations
    assert (violation.subject, violation.check) == ("label0", "feature_attribution_drift_check")
    assert values_of(found, "explainability_drift_p_value")[0] < 0.001
    (evidence, *_) = found.judgements[0].evidence
    assert evidence.reason == "it is about the attributions of all rows together"
    listed = json.loads(loop.store.read(f"{folder_of(loop.store, found)}constraint_violations.json"))
    assert listed["violations"][0]["metric_name"] == "shap"


def test_a_few_rows_are_judged_by_order_alone_and_it_says_so(loop: Loop, trained: Loop) -> None:
    found = lived(loop, trained, sales(a_month=25))["explainability"]
    assert values_of(found, "explainability_ndcg")
    assert not values_of(found, "explainability_drift_p_value")
    assert "judged by NDCG alone: what chance does needs 30 rows in baseline and window" in found.notes


def test_of_many_rows_a_sample_is_explained_and_its_error_said(trained: Loop, tmp_path: Path) -> None:
    few = MONITORS.replace(
        'explainability: {schedule: "cron(0 0 1 * ? *)", min_rows: 20}',
        'explainability: {schedule: "cron(0 0 1 * ? *)", min_rows: 20, explained_rows: 100}',
    )
    loop = copied(trained, tmp_path, (WITH_ALL[0], few))
    found = lived(loop, trained, sales(a_month=300))["explainability"]
    (note,) = found.notes
    assert re.fullmatch(
        r"100 of 300 rows explained, drawn evenly; the importance of \w+ is known to ±\d+\.\d% \(95 %\)", note
    )


def test_without_its_model_one_monitor_fails_and_no_other(loop: Loop, trained: Loop) -> None:
    for key in loop.store.list("models/v1/artefact/"):
        del loop.store.objects[key]
    found = lived(loop, trained, sales(a_month=300))
    failed = found.pop("explainability")
    assert failed.status is Status.FAILED
    assert "model" in failed.reason
    assert not values_of(failed, "explainability_violations")
    assert {execution.status for execution in found.values()} == {Status.COMPLETED}


def test_bias_waits_for_labels_and_estimates_nothing(loop: Loop, trained: Loop) -> None:
    loop.send(loop.plan(), model_of(trained))
    found = run_all(loop)["bias"]
    assert (found.status, found.estimates) == (Status.AWAITING_LABELS, ())
    assert not values_of(found, "bias_violations")
    assert "How groups fared" not in page_of(loop, found)


def test_another_outcome_than_the_baselines_is_not_compared(trained: Loop, tmp_path: Path) -> None:
    other = (WITH_ALL[0], MONITORS.replace("[400000]", "[300000]"))
    found = lived(copied(trained, tmp_path, other), trained, sales(a_month=300))["bias"]
    assert found.status is Status.FAILED
    assert re.search(r"want a baseline of the outcome \(300000, \d+\], got one of \(400000,", found.reason)


def test_a_facet_the_baseline_has_not_is_said_to_be_unjudged(trained: Loop, tmp_path: Path) -> None:
    other = (
        WITH_ALL[0],
        MONITORS.replace("town, value_or_threshold: [EAST]", "area, value_or_threshold: [90]"),
    )
    found = lived(copied(trained, tmp_path, other), trained, sales(a_month=300))["bias"]
    assert found.status is Status.COMPLETED
    assert any(
        "bias of area (90, 139] not judged: the baseline has no such facet" in note for note in found.notes
    )


def test_groups_of_a_sensitive_column_have_no_names_in_what_is_written(trained: Loop, tmp_path: Path) -> None:
    every = (
        WITH_ALL[0],
        MONITORS.replace("{name_or_index: town, value_or_threshold: [EAST]}", "{name_or_index: town}"),
    )
    hidden = ("label: price\n", "label: price\n  sensitive: [town]\n")
    loop = copied(trained, tmp_path, every, hidden)
    rows = WindowChoice("prod", Window(month_start("2020-05"), month_start("2020-06")))
    requests = loop.plan(rows=sales(a_month=300))
    loop.send(requests, model_of(trained))
    record_labels(loop.target, "prod", [each.truth for each in requests], month_start("2020-06"))
    loop.clock.move_to(month_start("2020-07"))
    newer = suggest_baseline(loop.target, BaselineFor("bias", 1), rows, ANA)
    approve_baseline(loop.target, newer, Word("prod", KIM, ""))
    found = run_monitor(loop.target, RUNS["bias"], SCHEDULER)
    write_execution_page(loop.target, found)
    assert found.status is Status.COMPLETED
    groups = {dict(sample.labels).get("facet_value") for sample in found.samples} - {None}
    assert groups == {"group 1", "group 2", "group 3"}
    for name in files_of(loop, found):
        text = loop.store.read(f"{folder_of(loop.store, found)}{name}").decode()
        assert not re.search("EAST|WEST|NORTH", text), name
    assert "not in the baseline" not in page_of(loop, found)


@pytest.mark.parametrize("file", ["analysis.json", "explanations_shap/out.csv"])
def test_a_tampered_baseline_explains_nothing(loop: Loop, trained: Loop, file: str) -> None:
    key = f"baselines/explainability/v1/{file}"
    loop.store.write(key, loop.store.read(key) + b" ")
    loop.send(loop.plan(), model_of(trained))
    with pytest.raises(IntegrityError, match="want files with digest"):
        run_monitor(loop.target, RUNS["explainability"], SCHEDULER)


@pytest.mark.parametrize(
    ("monitor", "wanted"), [("explainability", r"is number \d in importance"), ("bias", r"of town EAST is ")]
)
def test_two_baselines_are_told_apart_in_words(loop: Loop, trained: Loop, monitor: str, wanted: str) -> None:
    lived(loop, trained, sales(a_month=300).with_columns(area=pl.lit("90")))
    rows = WindowChoice(
        "prod", Window(month_start("2020-05"), month_start("2020-06")), leave_out_violations=False
    )
    loop.clock.move_to(month_start("2020-07"))
    newer = suggest_baseline(loop.target, BaselineFor(monitor, 1), rows, ANA)
    found = baseline_diff(loop.store, baseline_records(loop.store, monitor)[0], newer)
    assert any(re.search(wanted, change.what) for change in found.changes), found.changes
    assert baseline_diff(loop.store, newer, newer).changes == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            [("name_or_index: town", "name_or_index: twon")],
            'unknown input column "twon"; did you mean "town"',
        ),
        (
            [("    facet:", "    group_variable: aera\n    facet:")],
            'unknown input column "aera"; did you mean "area"',
        ),
        ([("    label_values_or_threshold: [400000]\n", "")], "bias: want label_values_or_threshold"),
        ([("min_rows: 20}\n  expl", "min_rows: 20, facet: []}\n  expl")], "facet is a key of bias alone"),
        ([("[EAST]", "[EAST], value: 1")], 'unknown key "value"'),
        ([("explainability: {", "explainability: {agg_method: sum, ")], "mean_abs"),
        (
            [("explainability: {", "explainability: {bootstrap: 100, ")],
            "bootstrap is a key of model-quality alone",
        ),
    ],
)
def test_what_the_project_file_cannot_mean_is_an_error(
    tmp_path: Path, changes: Sequence[tuple[str, str]], said: str
) -> None:
    text = MONITORS
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    with pytest.raises(InputError, match=re.escape(said)):
        new_loop(tmp_path, (WITH_ALL[0], text))


def asking(url: str, **settings: object) -> tuple[str, str]:
    said = ", ".join(f"{key}: {value}" for key, value in {"endpoint": url, **settings}.items())
    old = 'explainability: {schedule: "cron(0 0 1 * ? *)", min_rows: 20}'
    new = f'explainability: {{schedule: "cron(0 0 1 * ? *)", min_rows: 20, kernel_shap: {{{said}}}}}'
    assert old in MONITORS
    return WITH_ALL[0], MONITORS.replace(old, new)


def test_an_endpoint_is_asked_where_the_project_says_so(tmp_path: Path) -> None:
    """The price is twice the area and nothing else, whatever our own model makes of it."""

    def by_area(body: bytes) -> tuple[int, dict[str, str], bytes]:
        rows = [line.split(",") for line in body.decode().splitlines()]
        return 200, {}, "\n".join(str(2 * float(row[2])) for row in rows).encode()

    with serving([by_area]) as served:
        loop = new_loop(tmp_path, asking(served.url, baseline_rows=2, max_rows=700))
        train_in(loop)
        approve(loop.target, 1, "prod", KIM, "good figures")
        found = lived(loop, loop, sales(a_month=300))["explainability"]
    assert found.status is Status.COMPLETED, found.reason
    found_rows = (700 - 2) // (6 * 2 + 1)
    assert found.notes[0] == (
        f"explained by Kernel SHAP over every coalition, {2 + found_rows * 13} rows asked of {served.url}"
    )
    assert f"{found_rows} of 300 rows explained" in found.notes[1]
    by_column = {
        name: values_of(found, "explainability_importance", feature=name)[0]
        for name in ("month", "town", "area")
    }
    assert by_column["month"] == pytest.approx(0, abs=1e-9)
    assert by_column["town"] == pytest.approx(0, abs=1e-9)
    assert by_column["area"] > 10


def test_an_endpoint_that_breaks_is_a_failed_execution(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watchkeeper.adapters.local.predictor.FIRST_WAIT", 0.0)

    def fine(body: bytes) -> tuple[int, dict[str, str], bytes]:
        return 200, {}, "\n".join("1" for _ in body.splitlines()).encode()

    with serving([fine]) as served:
        loop = new_loop(tmp_path, asking(served.url, baseline_rows=1))
        train_in(loop)
        approve(loop.target, 1, "prod", KIM, "good figures")
        served.answers[:] = [says(500, b"out of memory")]
        found = lived(loop, loop, sales())
    failed = found.pop("explainability")
    assert failed.status is Status.FAILED
    assert "5 tries, the last one 500: out of memory" in failed.reason
    assert {execution.status for execution in found.values()} <= {Status.COMPLETED, Status.VIOLATIONS}


def test_a_baseline_made_in_process_has_nothing_for_an_endpoint_to_start_from(
    trained: Loop, tmp_path: Path
) -> None:
    loop = copied(trained, tmp_path, asking("http://127.0.0.1:1/invocations"))
    found = lived(loop, trained, sales(a_month=300))["explainability"]
    assert found.status is Status.FAILED
    assert "the baseline has no rows to measure from, as it was made without kernel_shap" in found.reason


def test_figures_have_intervals_where_they_are_asked_for(trained: Loop, tmp_path: Path) -> None:
    asked = ("    tolerance: 2.0\n", "    tolerance: 2.0\n    bootstrap: 200\n")
    loop = copied(trained, tmp_path, WITH_ALL, asked)
    found = lived(loop, trained, sales(a_month=300))["model-quality"]
    for name in ("rmse", "mae", "mape", "r2"):
        (low,) = values_of(found, "model_quality_bound", figure=name, bound="low")
        (high,) = values_of(found, "model_quality_bound", figure=name, bound="high")
        (value,) = values_of(found, f"model_quality_{name}")
        assert low < value < high
    (ratio,) = values_of(found, "model_quality_rmse_baseline_ratio")
    (rmse,), (low,) = (
        values_of(found, "model_quality_rmse"),
        values_of(found, "model_quality_bound", figure="rmse", bound="low"),
    )
    (over,) = values_of(found, "model_quality_rmse_baseline_ratio_low")
    assert over == pytest.approx(low / (rmse / ratio))
    assert "95 % between" in page_of(loop, found)
    with pytest.raises(InputError, match="want 0 or at least 100 resamples, got 99"):
        new_loop(tmp_path / "few", WITH_ALL, (asked[0], asked[1].replace("200", "99")))


def test_segments_may_be_expressions(trained: Loop, tmp_path: Path) -> None:
    """Large flats in the east cost half as much again: neither the east nor large flats alone say so best."""
    expressions = """\
    tolerance: 2.0
    segment_rows: 10
    segments:
      east_large: "town = 'EAST' and area > 100"
      pair: "town || ', ' || CASE WHEN area > 100 THEN 'large' ELSE 'small' END"
      broken: "town >"
      unknown: "floor > 3"
      town: "town"
"""
    loop = copied(trained, tmp_path, WITH_ALL, ("    tolerance: 2.0\n", expressions))
    price, struck = (
        pl.col("price").cast(pl.Float64),
        (pl.col("town") == "EAST") & (pl.col("area").cast(int) > 100),
    )
    dearer = pl.when(struck).then(price * 2.5).otherwise(price).round(0).cast(pl.String)
    found = lived(loop, trained, sales(a_month=300).with_columns(price=dearer))["model-quality"]
    first, second = found.judgements[0].segments[:2]
    assert {(each.column, each.value) for each in (first, second)} == {
        ("east_large", "true"), ("pair", "EAST, large"),
    }  # fmt: skip
    assert first.metrics == second.metrics
    assert "; worst east_large true: mean error" in found.reason or "; worst pair EAST, large" in found.reason
    said = "\n".join(found.notes)
    assert "segments by broken not looked at: unable to parse 'town >'" in said
    assert 'segments by unknown not looked at: unable to find column "floor"' in said
    assert "segments by town not looked at: there is a column of that name" in said
    assert "pair EAST, large" in page_of(loop, found)


def test_no_segment_tells_a_sensitive_column(trained: Loop, tmp_path: Path) -> None:
    asked = ("    tolerance: 2.0\n", "    tolerance: 2.0\n    segments: {hidden: \"town || '!'\"}\n")
    loop = copied(
        trained, tmp_path, WITH_ALL, asked, ("label: price\n", "label: price\n  sensitive: [town]\n")
    )
    found = lived(loop, trained, sales(a_month=300))["model-quality"]
    assert found.judgements[0].segments == ()
    assert "segments by hidden not looked at: town is sensitive" in found.notes
    assert "EAST" not in page_of(loop, found)


def together(*methods: str) -> tuple[str, str]:
    old = '  data-quality: {schedule: "cron(0 0 1 * ? *)", min_rows: 20}'
    return WITH_ALL[0], MONITORS.replace(old, f"{old[:-1]}, multivariate: [{', '.join(methods)}]}}")


def test_columns_that_no_longer_hang_together_are_found_where_it_is_asked_for(tmp_path: Path) -> None:
    """Every large flat is in the west now, and small ones elsewhere: neither areas nor towns are others."""
    loop = new_loop(tmp_path, together("pca", "classifier"))
    train_in(loop)
    approve(loop.target, 1, "prod", KIM, "good figures")
    usual = lived(copied(loop, tmp_path / "usual", together("pca", "classifier")), loop, sales(a_month=300))
    (ratio,) = values_of(usual["data-quality"], "data_quality_reconstruction_ratio")
    (auc,) = values_of(usual["data-quality"], "data_quality_classifier_auc")
    assert 0.8 < ratio < 1.2
    assert 0.4 < auc < 0.6
    sorted_ = sales(a_month=300).with_columns(town=pl.col("town").sort_by("town").over("month"))
    moved = sorted_.with_columns(area=pl.col("area").sort_by(pl.col("area").cast(int)).over("month"))
    found = lived(loop, loop, moved)["data-quality"]
    said = [each for each in found.violations if each.check == "multivariate_drift_check"]
    assert said
    assert all(each.subject == "all columns" for each in said)
    reasons = [
        each.reason for each in found.judgements[0].evidence if each.check == "multivariate_drift_check"
    ]
    assert set(reasons) == {"it is about all columns of all rows together"}
    assert values_of(found, "data_quality_violations") == [len(found.violations)]
    assert "multivariate_drift_check" in page_of(loop, found)


def test_a_baseline_without_rows_is_compared_by_column_alone(trained: Loop, tmp_path: Path) -> None:
    loop = copied(trained, tmp_path, together("pca"))
    found = lived(loop, trained, sales(a_month=300))["data-quality"]
    assert found.status is Status.COMPLETED
    assert "columns together not compared: the baseline keeps no rows; suggest a new one" in found.notes


def test_rows_that_a_baseline_keeps_are_under_its_digest(tmp_path: Path) -> None:
    loop = new_loop(tmp_path, together("pca"))
    train_in(loop)
    approve(loop.target, 1, "prod", KIM, "good figures")
    loop.send(loop.plan(), model_of(loop))
    del loop.store.objects["baselines/data-quality/v1/multivariate/rows.csv"]
    with pytest.raises(IntegrityError, match="want files with digest"):
        run_monitor(loop.target, RUNS["data-quality"], SCHEDULER)


def test_a_group_that_nobody_is_in_has_no_baseline(tmp_path: Path) -> None:
    nobody = (WITH_ALL[0], MONITORS.replace("[EAST]", "[ESAT]"))
    with pytest.raises(InputError, match=r'a bias baseline from rows of .* want the value "ESAT"'):
        train_in(new_loop(tmp_path, nobody))


@pytest.mark.parametrize("towns", [["EAST"], ["NORTH", "WEST"]])
def test_a_month_of_one_group_alone_is_said_to_be_unjudged_or_failed_never_passed(
    loop: Loop, trained: Loop, towns: list[str]
) -> None:
    one = sales(a_month=300).filter(pl.col("town").is_in(towns))
    found = lived(loop, trained, one)["bias"]
    if towns == ["EAST"]:
        assert found.status is Status.COMPLETED
        assert any("bias of town EAST not judged" in note for note in found.notes)
        assert not values_of(found, "bias_metric", metric="DPPL")
    else:
        assert found.status is Status.FAILED
        assert 'want the value "EAST" in column town' in found.reason


def test_a_column_that_is_missing_when_rows_are_explained_is_named(loop: Loop, trained: Loop) -> None:
    model = model_of(trained)
    rows = sales(a_month=40).drop("area").with_columns(prediction=pl.lit("1"), label=pl.lit("1"))
    watched = Watched(model.schema, section_of(loop.target.project, RUNS["explainability"]), lambda: model)
    baseline = baseline_files(loop.store, baseline_records(loop.store, "explainability")[0])
    with pytest.raises(InputError, match="explain rows: the model reads area, which the rows have not"):
        JUDGES["explainability"].judge(rows, Against(watched, baseline))


def test_a_model_that_looks_at_nothing_has_no_order_to_compare(tmp_path: Path) -> None:
    """All predictions are equal: no feature counts, in the baseline or later."""

    def always(body: bytes) -> tuple[int, dict[str, str], bytes]:
        return 200, {}, "\n".join("5" for _ in body.splitlines()).encode()

    with serving([always]) as served:
        loop = new_loop(tmp_path, asking(served.url, baseline_rows=1))
        train_in(loop)
        approve(loop.target, 1, "prod", KIM, "good figures")
        found = lived(loop, loop, sales())["explainability"]
    assert found.status is Status.FAILED
    assert "want a baseline in which some feature counts, got none" in found.reason


def test_rows_in_which_nothing_counts_any_more_have_no_picture(tmp_path: Path) -> None:
    """The endpoint answered by area when the baseline was made, and answers always the same now."""

    def by_area(body: bytes) -> tuple[int, dict[str, str], bytes]:
        rows = [line.split(",") for line in body.decode().splitlines()]
        return 200, {}, "\n".join(str(2 * float(row[2])) for row in rows).encode()

    def always(body: bytes) -> tuple[int, dict[str, str], bytes]:
        return 200, {}, "\n".join("5" for _ in body.splitlines()).encode()

    with serving([by_area]) as served:
        loop = new_loop(tmp_path, asking(served.url, baseline_rows=1))
        train_in(loop)
        approve(loop.target, 1, "prod", KIM, "good figures")
        served.answers[:] = [always]
        found = lived(loop, loop, sales())["explainability"]
    assert found.status is Status.VIOLATIONS
    assert set(values_of(found, "explainability_importance")) == {0.0}
    assert "What the model looked at" not in page_of(loop, found)
