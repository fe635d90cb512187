"""The project file: what it says, and how it says that something is wrong with it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.shared import CHECKOUT
from watchkeeper.app.setup.project import Project, load_project
from watchkeeper.app.setup.sections import EnvironmentSection, ProjectFile
from watchkeeper.core.decisions import ApprovalNeed
from watchkeeper.core.errors import InputError
from watchkeeper.core.rules import Action, Comparison
from watchkeeper.core.windows import Duration
from watchkeeper.serving.settings import CaptureMode

EXAMPLE = CHECKOUT / "projects" / "resale_price" / "watchkeeper.yaml"


@pytest.fixture
def example() -> Project:
    return load_project(EXAMPLE)


def changed(tmp_path: Path, old: str, new: str) -> Path:
    """The example with one text replaced; fails when it is not there, so that no test tests nothing."""
    text = EXAMPLE.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "watchkeeper.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def line_of(path: Path, text: str) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


def test_the_example_says_what_the_loop_needs(example: Project) -> None:
    assert example.name == "resale-price"
    assert example.environments == ("dev", "uat", "prod")
    assert (example.before("prod"), example.before("dev")) == ("uat", None)
    assert example.endpoint("prod") == "resale-price-prod"
    training = example.settings.training.training_settings()
    assert training.window == Duration(months=36)
    assert [str(threshold) for threshold in training.accept] == ["r2 >= 0.9", "mape <= 0.08"]
    policy = example.retrain_policy("prod")
    assert (policy.approval, policy.at_most, policy.within) == (
        ApprovalNeed.REQUIRED,
        2,
        Duration.parse("30 days"),
    )
    assert example.retrain_policy("dev").approval is ApprovalNeed.NONE


def test_another_seed_changes_the_search_and_nothing_else(example: Project) -> None:
    seeded = example.seeded(7)
    assert seeded.settings.training.training_settings().seed == 7
    assert (seeded.digest, seeded.by_environment) == (example.digest, example.by_environment)
    assert example.settings.training.search.seed == 0


def test_rules_are_held_to_their_environment(example: Project) -> None:
    rule = next(rule for rule in example.rules("prod") if rule.name == "ModelQualityDegraded")
    assert (rule.comparison, rule.threshold, rule.action) == (Comparison.ABOVE, 1.2, Action.RETRAIN)
    assert rule.metric == "watchkeeper_model_quality_rmse_baseline_ratio"
    assert dict(rule.matchers) == {"environment": "prod", "project": "resale-price"}


def test_a_folder_stands_for_the_file_in_it(example: Project) -> None:
    assert load_project(EXAMPLE.parent) == example


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("monitors: {data-quality: {min_rows: 7}}", 7),
        ("monitors: {data-quality: {schedule: 'cron(0 * * * ? *)'}}", 300),
    ],
)
def test_any_section_may_be_overridden_under_an_environment(
    tmp_path: Path, override: str, value: int
) -> None:
    path = changed(tmp_path, "  dev: {}", f"  dev: {{{override}}}")
    project = load_project(path)
    assert project.environment("dev").monitors["data-quality"].min_rows == value
    assert project.environment("prod").monitors["data-quality"].min_rows == 300
    assert (
        project.environment("dev").monitors["model-quality"]
        == project.environment("prod").monitors["model-quality"]
    )


@pytest.mark.parametrize(
    ("old", "new", "key", "says"),
    [
        (
            "min_rows: 300",
            "min_row: 300",
            "monitors.data-quality.min_row",
            'unknown key "min_row"; did you mean "min_rows"?',
        ),
        (
            "problem: regression",
            "problems: regression",
            "problems",
            'unknown key "problems"; did you mean "problem"?',
        ),
        ("  dev: {}", "  dev: {monitor: {}}", "monitor", 'unknown key "monitor"; did you mean "monitors"?'),
        (
            "  dev: {}",
            "  dev: {monitors: {data-quality: {min_row: 1}}}",
            "min_row",
            'did you mean "min_rows"?',
        ),
        (
            "sampling: 100",
            "sampling: 101",
            "environments.prod.capture.sampling",
            "less than or equal to 100, got 101",
        ),
        ("min_rows: 300", "min_rows: many", "monitors.data-quality.min_rows", 'valid integer, got "many"'),
        ("trials: 25", "trials: 2.5", "training.search.trials", "valid integer, got 2.5"),
        ("window: 36 months", "window: 36 moons", "training.split.window", 'got "36 moons"'),
        ("window: 36 months", "window: 5 months", "training", "want more than validation and test together"),
        ("cron(0 0 1 * ? *)", "cron(0 25 1 * ? *)", "monitors.data-quality.schedule", "field hour"),
        ("block: text", "block: txt", "data.columns.block", "'text'"),
        (
            "label: resale_price",
            "label: resale_prize",
            "data.label",
            'unknown column "resale_prize"; did you mean "resale_price"?',
        ),
        (
            "metric: data_quality_violations",
            "metric: data_quality_violation",
            "alerts.10.metric",
            "data_quality_violations",
        ),
        ("above: 0,", "above: 0, below: 1,", "alerts.10.name", "want one of above, below and absent, got 2"),
        ("action: review", "action: ignore", "alerts.0.action", "'retrain'"),
        ("version: 1", "version: 2", "version", "got 2"),
        ('r2: ">= 0.90"', 'r3: ">= 0.90"', "training", 'got "r3"'),
        ("kind: years", "kind: decades", "training.features.7.kind", "'years'"),
        ("fallback: town_price", "fallback: city_price", "training", 'got "city_price"'),
        ("project: resale-price", "project: Resale Price", "project", "pattern"),
        ("project: resale-price\n", "", "", 'want a key "project" here, got none'),
        (
            "action: review, notify: [mlops]",
            "action: review, notify: [mlop]",
            "alerts.10.notify",
            'unknown receiver "mlop"; did you mean "mlops"?',
        ),
        (
            "prod: {approval: required, capture: {sampling: 100}}",
            "prod: {approval: required, capture: {mask: [twon]}}",
            "environments.prod.capture.mask.0",
            'unknown column "twon"; did you mean "town"?',
        ),
        (
            "prod: {approval: required, capture: {sampling: 100}}",
            "prod: {approval: required, capture: {capture_options: [Input]}}",
            "environments.prod.capture.capture_options",
            "want Input and Output: this project has monitors",
        ),
        (
            "prod: {approval: required, capture: {sampling: 100}}",
            "prod: {approval: required, capture: {capture_options: []}}",
            "environments.prod.capture.capture_options",
            "at least 1 item",
        ),
        (
            "columns: [town], per: floor_area_sqm",
            "columns: [twon], per: floor_area_sqm",
            "training.features.0",
            'unknown input column "twon"; did you mean "town"?',
        ),
        (
            "columns: [floor_area_sqm]",
            "columns: [resale_price]",
            "training.features.6",
            'unknown input column "resale_price"',
        ),
        (
            "segments: [town, flat_type]",
            "segments: [town, flat]",
            "training.segments",
            'did you mean "flat_type"?',
        ),
        (
            "  time: month\n",
            '  files: ["data/*.csv"]\n  time: month\n',
            "data.files",
            "files: want the source files with it",
        ),
        ("approval: {dev: none", "approval: {dve: none", "retrain.approval.dve", 'did you mean "dev"?'),
        ("metric: model_quality_mape", "metric: model_quality_mapee", "slas.0.metric", "unknown metric"),
        ('"2 per 30 days"', '"2 per 30 moons"', "retrain.at_most", 'got "30 moons"'),
        (
            "cooldown: 7 days",
            "freeze: [{why: x}]",
            "retrain.freeze.0.why",
            "want from and until, or schedule",
        ),
        (
            "cooldown: 7 days",
            "freeze: [{why: x, from: 2020-01-02, until: 2020-01-02}]",
            "retrain.freeze.0.until",
            "want a time after 2020-01-02T00:00:00Z",
        ),
        (
            "cooldown: 7 days",
            "freeze: [{why: x, from: 2020-01-02T10:00, until: 2020-01-03}]",
            "retrain.freeze.0.from",
            "want a time with its zone",
        ),
        ("cooldown: 7 days", "when: {severity: critical}", "retrain.when", "severity: want a list of values"),
        (
            "resale_price: label",
            "resale_price: feature",
            "data.columns.resale_price",
            'want the role label on column "resale_price" alone, got it on no column',
        ),
        ("block: text", "block: time", "data.columns.block", "got it on month and block"),
        ("block: text", "block: prediction", "data.columns.block", "want no prediction"),
    ],
)
def test_an_error_names_file_line_key_and_what_was_wanted(
    tmp_path: Path, old: str, new: str, key: str, says: str
) -> None:
    path = changed(tmp_path, old, new)
    with pytest.raises(InputError) as caught:
        load_project(path)
    message = str(caught.value)
    assert says in message
    assert key in message
    line = line_of(path, new.split("\n")[0]) if new else 1
    assert f"{path}:" in message
    if new and key != "training":
        assert f"{path}:{line}:" in message


def test_a_project_without_monitors_may_capture_one_side(tmp_path: Path) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    text = re.sub(r"^(monitors|slas):.*\n(?: .*\n|\n)+", "", text, flags=re.MULTILINE)
    new = "{approval: required, capture: {capture_options: [Input], csv_content_types: [Text/CSV]}}"
    (tmp_path / "watchkeeper.yaml").write_text(
        text.replace("{approval: required, capture: {sampling: 100}}", new)
    )
    policy = load_project(tmp_path).settings.environments["prod"].capture.policy()
    assert policy.options == {CaptureMode.INPUT}
    assert policy.csv_content_types == ("text/csv",)


def test_every_fault_is_reported_at_once_in_line_order(tmp_path: Path) -> None:
    path = changed(tmp_path, "trials: 25", "trials: none")
    path.write_text(path.read_text(encoding="utf-8").replace("block: text", "block: words"), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_project(path)
    lines = str(caught.value).splitlines()
    assert len(lines) == 2
    assert "data.columns.block" in lines[0]
    assert "training.search.trials" in lines[1]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "got nothing"),
        ("- 1\n", "got a list or text"),
        ("version: 1\nversion: 2\n", ':2: key "version" stands twice'),
        ("version: [1\n", "not YAML"),
        ("a: 1\n\tb: 2\n", "not YAML"),
    ],
)
def test_what_is_no_project_file_is_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "watchkeeper.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=str(path)) as caught:
        load_project(path)
    assert says in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        load_project(tmp_path)


def test_an_unknown_environment_is_told_with_the_nearest(example: Project) -> None:
    with pytest.raises(InputError, match='unknown environment "prd"; did you mean "prod"'):
        example.environment("prd")


def test_every_section_but_those_that_make_a_project_can_be_overridden() -> None:
    assert set(EnvironmentSection.also) == set(ProjectFile.model_fields) - {
        "version",
        "project",
        "environments",
        "problem",
        "classification",
    }
