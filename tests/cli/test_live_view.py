"""The live view: what is heard is shown, in columns that stay, and without a terminal in lines."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from rich.console import Console

from tests.cli.conftest import Said
from tests.cli.workspaces import small_data, small_project
from watchkeeper.cli.live_view import LiveView, picture
from watchkeeper.cli.months_view import Canvas
from watchkeeper.cli.rehearsal_state import RehearsalState
from watchkeeper.core.values import Progress
from watchkeeper.core.windows import months_between

YEARS = months_between("2020-01", "2022-12")
LIMIT = 1.2
ALERT = "ModelQualityDegraded"


def live(day: str) -> Progress:
    return Progress("live", 10, 100, day)


def month(name: str, ratio: float | None, version: int = 1) -> Progress:
    figures = {"rows": 1911.0, "model_version": float(version), "limit": LIMIT}
    if ratio is not None:
        figures |= {"rmse": 30_000 * ratio, "rmse_baseline_ratio": ratio}
    status = "Completed" if ratio is not None else "InsufficientData"
    return Progress("month", 1, 1, name, figures, {"month": name, "status": status})


def alert(state: str, about: str, name: str = ALERT) -> Progress:
    labels = {"name": name, "series": f"{name}-1", "state": state, "since": f"{about}-01", "month": about}
    return Progress("alert", 1, None, f"{name} {state}: rmse is high", labels=labels)


def decided(kind: str = "Retrain") -> Progress:
    return Progress("decide", 1, None, f"{kind} on {ALERT}", labels={"kind": kind, "alert": ALERT})


def retrained(outcome: str, version: int | None = None) -> Progress:
    figures = {} if version is None else {"model_version": float(version)}
    note = f"{outcome}: RMSE 30,821 against the champion's 34,040 on 6,592 rows of 2021-04 to 2021-06"
    return Progress("retrain", 1, None, note, figures, {"outcome": outcome})


SERVES = Progress("promote", 1, None, "prod serves model v1", {"model_version": 1.0}, {"environment": "prod"})
STORY = (
    Progress("prepare", 1, 1, "143,396 rows, source: file"),
    Progress("search", 3, 25, "trial 2 is best"),
    Progress("search", 1, 1, "done", {"seconds": 10.0}),
    SERVES,
    live("2020-03-01"),
    month("2020-01", 1.06),
    live("2020-04-01"),
    alert("firing", "2020-02"),
    month("2020-02", 1.31),
    decided(),
    Progress("search", 3, 25, "trial 2 is best"),
    retrained("promoted", 2),
    live("2020-05-01"),
    alert("resolved", "2020-03"),
    month("2020-03", None, 2),
    live("2020-06-01"),
    alert("firing", "2020-04"),
    month("2020-04", 1.21, 2),
    decided(),
    retrained("champion kept"),
    live("2020-06-12"),
)


def after(steps: Iterable[Progress]) -> RehearsalState:
    state = RehearsalState()
    for step in steps:
        state = state.take(step)
    return state


def drawn(
    state: RehearsalState, width: int = 80, height: int = 23, months: tuple[str, ...] = YEARS
) -> list[str]:
    """The picture's lines as a terminal without colour gets them."""
    written = io.StringIO()
    console = Console(file=written, width=width, height=height, force_terminal=True, color_system=None)
    console.print(picture(state, "resale-price", Canvas(months, 63.0, width - 4, height - 2)))
    return written.getvalue().splitlines()


def row(lines: list[str], name: str) -> str:
    """What stands beside a name, from the column on in which the months begin."""
    return next(line[14:-2] for line in lines if line[2:].startswith(name))


def test_a_story_is_told_in_one_picture() -> None:
    lines = drawn(after(STORY))
    assert "6 of 36 months" in lines[1]
    assert lines[1].startswith("│ 2020-06-12  █████░")
    assert row(lines, "now").startswith("serve, capture, label")
    assert row(lines, "serving").startswith("model v2 since 2020-04-01")
    assert row(lines, "RMSE").startswith("▄▆–▅·▸ ")
    assert row(lines, "above 1.2").startswith(" ! ! ")
    assert row(lines, "alerts").startswith("   ▲ ▲ ")
    assert row(lines, "retrains").startswith("   ● ○ ")
    assert "36,300 in 2020-04" in row(lines, "RMSE")
    assert "1.21 × baseline" in row(lines, "above")
    assert "1 open, 2 fired" in row(lines, "alerts")
    assert "1 won, 1 lost" in row(lines, "retrains")
    assert row(lines, "open alerts").startswith(f"{ALERT}, about 2020-04")
    assert any("v2 promoted: RMSE 30,821 against the champion's 34,040" in line for line in lines)
    assert any(line.startswith("│ 2020-06-01  retrain: champion kept: RMSE") for line in lines)


@pytest.mark.parametrize(("width", "height"), [(80, 23), (100, 31), (160, 43)])
@pytest.mark.parametrize("months", [YEARS, YEARS[:3], YEARS[:1], months_between("2012-01", "2022-12")])
def test_the_picture_never_jumps(width: int, height: int, months: tuple[str, ...]) -> None:
    for end in range(len(STORY) + 1):
        lines = drawn(after(STORY[:end]), width, height, months)
        assert [len(line) for line in lines] == [width] * height


def test_columns_stay_where_they_are() -> None:
    pictures = [drawn(after(STORY[:end])) for end in range(6, len(STORY) + 1)]
    assert len({lines[5].index("2021") for lines in pictures}) == 1
    assert len({lines[8].index(" open, ") for lines in pictures}) == 1
    wide = drawn(after(STORY), 100, 31)
    notes = zip(wide[6:8], ("36,300", "1.21"), strict=True)
    assert {line.index(said) for line, said in notes} == {wide[1].index("6 of 36")}


def test_more_room_gives_wider_months_and_more_events() -> None:
    wide = drawn(after(STORY), 160, 43)
    assert row(wide, "retrains").startswith("         ●     ○ ")
    assert sum("RMSE" in line for line in wide) > sum("RMSE" in line for line in drawn(after(STORY), 80, 18))


def test_of_more_months_than_fit_those_under_way_are_shown() -> None:
    months = months_between("2012-01", "2022-12")
    lines = drawn(after(STORY), months=months)
    assert "▆–▅·▸" in row(lines, "RMSE")
    assert "2018     2019        2020     " in lines[5]


def test_colour_says_nothing_that_is_not_written() -> None:
    """A month above the threshold has its mark; one on it has not, as the rule says above."""
    lines = drawn(
        after([SERVES, live("2020-05-01"), month("2020-01", LIMIT), month("2020-02", LIMIT + 1e-9)])
    )
    assert row(lines, "above 1.2").startswith(" ! ")


def test_the_colour_of_a_bar_changes_at_the_threshold() -> None:
    written = io.StringIO()
    console = Console(file=written, width=80, force_terminal=True, color_system="standard")
    state = after([SERVES, live("2020-05-01"), month("2020-01", 1.19), month("2020-02", 1.21)])
    console.print(picture(state, "resale-price", Canvas(YEARS, 0.0, 76, 20)))
    green, red = "\x1b[32m", "\x1b[31m"
    assert f"{green}▅" in written.getvalue()
    assert f"{red}▅" in written.getvalue()


def test_alerts_beyond_the_lines_for_them_are_counted() -> None:
    names = ("First", "Second", "Third")
    lines = drawn(after([live("2020-03-01"), *(alert("firing", "2020-02", name) for name in names)]))
    at = next(index for index, line in enumerate(lines) if line[2:].startswith("open alerts"))
    assert (lines[at][14:36].strip(), lines[at + 1][14:36].strip()) == ("First, about 2020-02", "and 2 more")


def test_what_is_under_way_is_named() -> None:
    training = Progress("search", 7, 25, "trial 2 is best")
    said = [
        row(drawn(after(steps)), "now").strip()
        for steps in (
            [],
            [STORY[0]],
            [training],
            [STORY[2]],
            [live("2020-03-01"), training],
            [live("2020-03-01"), Progress("register", 1, 1, "done", {"seconds": 1.0})],
            [Progress("live", 9, 9, "2020-03-01")],
            [Progress("done", 1, 1)],
        )
    ]
    assert said == [
        "–",
        "prepare: 143,396 rows, source: file",
        "train: search, 7 of 25",
        "train: evaluate",
        "retrain: search, 7 of 25",
        "retrain: champion gate",
        "writing the report",
        "done",
    ]


def test_one_month_shows_the_loops_steps() -> None:
    lines = drawn(after([*STORY[:4], live("2020-01-12")]), months=YEARS[:1])
    assert any("▸  serve, capture, label  ██░" in line for line in lines)
    assert any("✓  search" in line and "10.0 s" in line for line in lines)


def test_without_a_terminal_each_month_is_a_line() -> None:
    written = io.StringIO()
    view = LiveView("resale-price", YEARS, Console(file=written, width=40))
    for step in STORY:
        view.report(step)
    lines = written.getvalue().splitlines()
    assert "2020-01: 1,911 rows, v1, RMSE 31,800 (1.06 × baseline), no alert" in lines
    assert f"2020-02: 1,911 rows, v1, RMSE 39,300 (1.31 × baseline), {ALERT}" in lines
    assert "2020-03: 1,911 rows, v2, no verdict (InsufficientData), no alert" in lines
    assert "search: 10.0 s" in lines
    assert not any("\x1b" in line for line in lines)
    assert lines[0] == "prepare: 143,396 rows, source: file"


def test_a_rehearsal_without_a_terminal_says_each_month_once(
    cli: Callable[..., Said], tmp_path: Path
) -> None:
    project, data = small_project(tmp_path / "project"), small_data(tmp_path / "sales.csv")
    asked = ("--project", project, "--data", data, "--out", tmp_path / "out", "--no-serve")
    said = cli("rehearse", *asked, "--until", "2020-02")
    assert said.code == 0
    months = [line for line in said.err.splitlines() if re.match(r"2020-0\d: ", line)]
    form = r"2020-0\d: \d+ rows, v1, RMSE [\d,]+ \(\d\.\d\d × baseline\), (no alert|\w+(, \w+)*)"
    assert [line[:7] for line in months] == ["2020-01", "2020-02"]
    assert all(re.fullmatch(form, line) for line in months), months
    assert "approve and deploy: prod serves model v1" in said.err
