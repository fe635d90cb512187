"""Every command's answer, as text and as JSON, and the code it ends with."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Said
from tests.cli.workspaces import after_a_bad_month, tree
from watchkeeper.app.alerts.alerting import open_alerts
from watchkeeper.app.alerts.deciding import decisions
from watchkeeper.app.registry.executions import executions
from watchkeeper.app.registry.models import status, statuses
from watchkeeper.app.setup.audit import log, verify_log
from watchkeeper.app.setup.project import load_project
from watchkeeper.app.setup.workspace import open_workspace
from watchkeeper.cli import COMMANDS, exit_code
from watchkeeper.cli.alerts import AlertList
from watchkeeper.core.encoding import encode
from watchkeeper.core.errors import (
    ExistsError,
    InputError,
    IntegrityError,
    PlatformError,
    Refused,
    WatchkeeperError,
)

Cli = Callable[..., Said]
AT = ("--at", "2020-07-01T00:00:00Z")


@pytest.fixture(scope="module")
def bad_month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace that is only read."""
    folder = tmp_path_factory.mktemp("commands") / "workspace"
    after_a_bad_month(folder)
    return folder


@pytest.fixture
def own(bad_month: Path, tmp_path: Path) -> Path:
    """A copy to be changed by one test."""
    return Path(shutil.copytree(bad_month, tmp_path / "workspace"))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("x"), 2),
        (Refused("x"), 1),
        (IntegrityError("x"), 1),
        (PlatformError("x", retryable=True), 3),
        (PlatformError("x", retryable=False), 3),
        (ExistsError("x"), 3),
    ],
)
def test_each_kind_of_error_has_its_code(error: WatchkeeperError, code: int) -> None:
    assert exit_code(error) == code


def test_help_lists_every_command_with_its_summary(cli: Cli) -> None:
    said = cli("--help")
    assert said.code == 0
    assert all(f"  {name} " in said.out and named.summary in said.out for name, named in COMMANDS.items())


@pytest.mark.parametrize(
    "argv",
    [("nonsense",), ("models", "nonsense"), ("audit", "verify", "--nonsense"), ("models", "show", "one")],
)
def test_wrong_usage_is_2(cli: Cli, argv: tuple[str, ...]) -> None:
    said = cli(*argv)
    assert (said.code, said.out) == (2, "")
    assert "Error:" in said.err


@pytest.mark.parametrize(
    "argv",
    [
        ("config", "check"),
        ("models", "list"),
        ("monitor", "list"),
        ("alerts", "list"),
        ("audit", "verify"),
        ("audit", "list"),
        ("data", "show"),
        ("up",),
    ],
)
def test_a_folder_without_a_project_is_input_to_mend(cli: Cli, tmp_path: Path, argv: tuple[str, ...]) -> None:
    said = cli(*argv, "--workspace", tmp_path)
    assert (said.code, said.out, list(tmp_path.iterdir())) == (2, "", [])
    assert "watchkeeper.yaml" in said.err
    assert "Traceback" not in said.err


def test_init_makes_a_project_that_can_be_checked(cli: Cli, tmp_path: Path) -> None:
    made = cli("init", tmp_path / "new", "--json")
    assert made.code == 0
    assert json.loads(made.out)["files"][-1] == "watchkeeper.yaml"
    checked = cli("config", "check", "--workspace", tmp_path / "new")
    assert (checked.code, "watchkeeper.yaml: fine" in checked.out) == (0, True)
    again = cli("init", tmp_path / "new")
    assert (again.code, "want none of its files there" in again.err) == (2, True)
    other = cli("init", tmp_path / "other", "--template", "house")
    assert (other.code, "want one of resale-price" in other.err) == (2, True)


def test_config_check_names_the_line_of_a_fault(cli: Cli, own: Path) -> None:
    file = own / "watchkeeper.yaml"
    file.write_text(file.read_text().replace("min_rows: 20", "min_row: 20", 1))
    said = cli("config", "check", "--workspace", own)
    assert said.code == 2
    assert 'monitors.data-quality.min_row: unknown key "min_row"; did you mean "min_rows"?' in said.err


def test_config_show_says_the_settings_as_they_are_written(cli: Cli, bad_month: Path) -> None:
    shown = json.loads(cli("config", "show", "--workspace", bad_month, "--json").out)
    assert shown["settings"]["training"]["split"]["window"] == "24 months"
    assert shown["settings"]["monitors"]["data-quality"]["schedule"] == "cron(0 0 1 * ? *)"
    assert shown["origins"]["training.search.seed"] == "default"
    assert "window: 24 months" in cli("config", "show", "--workspace", bad_month, "--for", "prod").out
    assert cli("config", "show", "--workspace", bad_month, "--for", "prd").code == 2


def test_json_is_the_encoding_of_the_value(cli: Cli, bad_month: Path) -> None:
    project, opened = load_project(bad_month), open_workspace(bad_month)
    values: dict[tuple[str, ...], object] = {
        ("models", "list"): statuses(project, opened.store),
        ("models", "show", "1"): status(project, opened.store, 1),
        ("monitor", "list"): executions(opened.store),
        ("alerts", "list"): tuple(
            AlertList(name, open_alerts(opened.store, name), decisions(opened.store, name))
            for name in project.environments
        ),
        ("audit", "list"): log(opened.trail),
        ("audit", "verify"): verify_log(opened.trail),
    }
    for argv, value in values.items():
        assert cli(*argv, "--workspace", bad_month, "--json").out.encode() == encode(value), argv


def test_tables_say_what_stands(cli: Cli, bad_month: Path) -> None:
    listed = cli("models", "list", "--workspace", bad_month)
    assert (listed.code, "dev, uat, prod" in listed.out) == (0, True)
    shown = cli("models", "show", "1", "--workspace", bad_month)
    assert (shown.code, "serves in dev, uat, prod" in shown.out) == (0, True)
    alerts = cli("alerts", "list", "--workspace", bad_month)
    assert (alerts.code, alerts.out.count("ModelQualityDegraded"), "Retrain" in alerts.out) == (0, 1, True)
    assert cli("alerts", "list", "--all", "--workspace", bad_month).out == alerts.out
    entries = cli("audit", "list", "--workspace", bad_month)
    assert (entries.code, "decision.retrain" in entries.out) == (0, True)


def test_monitor_list_is_no_when_the_newest_has_violations(cli: Cli, own: Path) -> None:
    listed = cli("monitor", "list", "--workspace", own)
    assert (listed.code, "CompletedWithViolations" in listed.out) == (1, True)
    shutil.rmtree(own / "executions" / "demo-prod-model-quality")
    assert cli("monitor", "list", "--workspace", own).code == 0


@pytest.mark.parametrize(
    ("argv", "schedules"),
    [
        ((), ["demo-prod-data-quality", "demo-prod-model-quality"]),
        (("--monitor", "model-quality"), ["demo-prod-model-quality"]),
        (("--for", "prod", "--status", "completed"), ["demo-prod-data-quality"]),
        (("--status", "NoTraffic"), []),
    ],
)
def test_monitor_list_is_filtered_the_newest_last(
    cli: Cli, bad_month: Path, argv: tuple[str, ...], schedules: list[str]
) -> None:
    listed = cli("monitor", "list", *argv, "--workspace", bad_month)
    assert [line.split()[1] for line in listed.out.splitlines()[2:]] == schedules
    assert schedules or listed.out == "no execution is like that\n"
    given = json.loads(cli("monitor", "list", *argv, "--workspace", bad_month, "--json").out)
    assert [each["schedule"] for each in given] == schedules


def test_monitor_list_names_the_nearest_monitor(cli: Cli, bad_month: Path) -> None:
    said = cli("monitor", "list", "--monitor", "data-qualty", "--workspace", bad_month)
    assert (said.code, 'did you mean "data-quality"?' in said.err) == (2, True)


def test_what_monitor_list_prints_can_be_shown(cli: Cli, own: Path) -> None:
    for line in cli("monitor", "list", "--workspace", own).out.splitlines()[2:]:
        key, schedule, window, revision, status, *_ = line.split()
        by_key = cli("monitor", "show", key, "--workspace", own, "--json")
        by_window = ("--window", window, "--revision", revision)
        assert cli("monitor", "show", schedule, *by_window, "--workspace", own, "--json").out == by_key.out
        found = json.loads(by_key.out)
        assert (found["schedule"], found["status"]) == (schedule, status)


def test_an_unknown_version_is_told(cli: Cli, bad_month: Path) -> None:
    said = cli("models", "show", "9", "--workspace", bad_month)
    assert (said.code, said.err) == (
        2,
        "watchkeeper: find model version 9: want a registered one (1)\n",
    )


def test_an_empty_workspace_says_so(cli: Cli, tmp_path: Path) -> None:
    cli("init", tmp_path)
    before = tree(tmp_path)
    for argv, said in (
        (("models", "list"), "no model is registered yet"),
        (("monitor", "list"), "no monitor has run yet"),
        (("alerts", "list"), "no alert is open"),
        (("audit", "list"), "no entry yet"),
        (("audit", "verify"), "verified: 0 entries"),
    ):
        answered = cli(*argv, "--workspace", tmp_path)
        assert (answered.code, said in answered.out) == (0, True), argv
    assert tree(tmp_path) == before, "to look is not to write"


def test_a_changed_entry_is_found(cli: Cli, own: Path) -> None:
    entry = own / "audit" / "0000000005.json"
    entry.write_bytes(entry.read_bytes().replace(b"kim", b"tim"))
    said = cli("audit", "verify", "--workspace", own)
    assert said.code == 1
    assert "entry 5 does not have the hash of its content" in said.out
    assert json.loads(cli("audit", "verify", "--workspace", own, "--json").out)["verified"] is False


def test_a_log_or_a_record_that_is_damaged_is_no_traceback(cli: Cli, own: Path) -> None:
    (own / "audit" / "0000000003.json").write_bytes(b"\xff{")
    listed = cli("audit", "list", "--workspace", own)
    assert (listed.code, "read audit entry 3" in listed.err) == (1, True)
    (own / "audit-head.json").write_bytes(b"{")
    assert "read the head of the audit log" in cli("audit", "verify", "--workspace", own).err
    (own / "models" / "v1" / "model.json").write_bytes(b"{}")
    models = cli("models", "list", "--workspace", own)
    assert (models.code, "read record models/v1/model.json" in models.err) == (1, True)


def test_a_monitor_can_be_run_again_and_ends_with_its_verdict(cli: Cli, own: Path) -> None:
    before = tree(own / "executions" / "demo-prod-model-quality")
    said = cli("monitor", "run", "model-quality", "--for", "prod", *AT, "--workspace", own)
    assert (said.code, "rmse: GreaterThanThreshold" in said.out) == (1, True)
    after = [
        each for each in tree(own / "executions" / "demo-prod-model-quality") if "report.html" not in each[0]
    ]
    assert after == before
    quiet = cli("monitor", "run", "data-quality", "--for", "dev", *AT, "--workspace", own, "--json")
    assert (quiet.code, json.loads(quiet.out)["status"]) == (1, "NoTraffic")
    fine = cli(
        "monitor", "run", "data-quality", "--for", "prod", "--at", "2020-06-01T00:00Z", "--workspace", own
    )
    assert (fine.code, "no violations in 60 rows" in fine.out) == (0, True)


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (("data-quality", "--for", "prod", "--at", "soon"), "run monitor data-quality at soon"),
        (("data-quality", "--for", "prod", "--at", "2999-01-01T00:00:00Z"), "want a window that has ended"),
        (
            ("data-quality", "--for", "prod", "--at", "2020-06-15T00:00:00Z"),
            "the one before is 2020-06-01T00:00:00Z",
        ),
        (("bias", "--for", "prod", *AT), "want one of data-quality, model-quality"),
        (("data-quality", "--for", "prd", *AT), 'did you mean "prod"?'),
    ],
)
def test_a_monitor_that_cannot_be_run_writes_nothing(
    cli: Cli, bad_month: Path, argv: tuple[str, ...], says: str
) -> None:
    before = tree(bad_month)
    said = cli("monitor", "run", *argv, "--workspace", bad_month)
    assert (said.code, says in said.err) == (2, True)
    assert tree(bad_month) == before


def test_an_execution_is_shown_with_each_versions_verdict(cli: Cli, own: Path) -> None:
    said = cli("monitor", "show", "demo-prod-model-quality", "--workspace", own)
    assert (said.code, "rmse: GreaterThanThreshold" in said.out) == (1, True)
    assert "  model v1: 60 rows, baseline v1: CompletedWithViolations" in said.out
    files = said.out.splitlines()[-1].removeprefix("  files: ")
    assert (Path(files) / "execution.json").is_file()
    for window in ("2020-05", "2020-05-31", "2020-05-31T23:00:00+00:00"):
        fine = cli(
            "monitor", "show", "demo-prod-data-quality", "--window", window, "--workspace", own, "--json"
        )
        assert (fine.code, json.loads(fine.out)["status"]) == (0, "Completed")


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (("demo-prod-data-qualty",), 'did you mean "demo-prod-data-quality"?'),
        (
            ("demo-prod-data-quality", "--window", "2020-06"),
            "want a window that was judged, the first is 2020-05, the last 2020-05, the nearest 2020-05",
        ),
        (("demo-prod-data-quality", "--window", "soon"), "want a time with a zone"),
        (("demo-prod-data-quality", "--revision", "2"), "want a revision of the window that is there (1)"),
        (("00000000",), "`watchkeeper monitor list` names them"),
    ],
)
def test_an_execution_that_is_not_there_is_named_nearly(
    cli: Cli, bad_month: Path, argv: tuple[str, ...], says: str
) -> None:
    said = cli("monitor", "show", *argv, "--workspace", bad_month)
    assert (said.code, says in said.err) == (2, True)


def test_a_backfill_judges_every_window_once(cli: Cli, own: Path) -> None:
    for_prod = ("--for", "prod", "--workspace", own)
    first = cli("monitor", "backfill", "data-quality", "--from", "2020-03", "--to", "2020-06", *for_prod)
    assert (first.code, "3 windows, 1 of them on record before" in first.out) == (1, True)
    lines = [line.split() for line in first.out.splitlines()[2:5]]
    assert [(line[1], line[2], line[5]) for line in lines] == [
        ("2020-03", "NoTraffic", "now"),
        ("2020-04", "NoTraffic", "now"),
        ("2020-05", "Completed", "before"),
    ]
    pages = sorted((own / "executions" / "demo-prod-data-quality").rglob("report.html"))
    months = [page.relative_to(own).parts[2:4] for page in pages]
    assert months == [("2020", "04"), ("2020", "05"), ("2020", "06")], "also of the one that had none"
    before = tree(own)
    again = cli(
        "monitor", "backfill", "data-quality", "--from", "2020-03", "--to", "2020-06", *for_prod, "--json"
    )
    assert (json.loads(again.out)["stored"], json.loads(again.out)["again"]) == (3, [True] * 3)
    assert tree(own) == before
    labelled = cli("monitor", "backfill", "model-quality", "--from", "2020-05", "--to", "2020-06", *for_prod)
    assert "1 window, 1 of them on record before" in labelled.out


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (("data-quality", "--from", "2020-06", "--to", "2020-05"), "want --from before --to"),
        (("data-quality", "--from", "2020-05-02", "--to", "2020-05-30"), "want a window of its schedule"),
        (("data-quality", "--from", "2999-01", "--to", "2999-03"), "has come due by"),
        (("data-quality", "--from", "May", "--to", "2020-05"), "backfill data-quality in prod from: want a"),
        (("bias", "--from", "2020-05", "--to", "2020-06"), "want one of data-quality, model-quality"),
    ],
)
def test_a_backfill_of_nothing_writes_nothing(
    cli: Cli, bad_month: Path, argv: tuple[str, ...], says: str
) -> None:
    before = tree(bad_month)
    said = cli("monitor", "backfill", *argv, "--for", "prod", "--workspace", bad_month)
    assert (said.code, says in said.err) == (2, True)
    assert tree(bad_month) == before


def test_a_tampered_baseline_stops_the_monitor(cli: Cli, own: Path) -> None:
    file = own / "baselines" / "data-quality" / "v1" / "constraints.json"
    file.write_bytes(file.read_bytes() + b" ")
    shutil.rmtree(own / "executions")
    said = cli(
        "monitor", "run", "data-quality", "--for", "prod", "--at", "2020-06-01T00:00Z", "--workspace", own
    )
    assert (said.code, "want files with digest" in said.err) == (1, True)
    assert not (own / "executions").exists()
