"""The pages: balanced, self-contained, escaped, without holes, from an empty run to three years."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from jinja2 import UndefinedError

from tests.render import made_up
from watchkeeper.core.rules import AlertState
from watchkeeper.core.values import Status
from watchkeeper.core.windows import Window
from watchkeeper.render import text
from watchkeeper.render.evidence import most_changed, thinned
from watchkeeper.render.execution_page import execution_page
from watchkeeper.render.pages import page
from watchkeeper.render.report import Report, Residuals, Retrain, report_page
from watchkeeper.render.report_story import headline, standfirst, steps, way_back
from watchkeeper.render.scales import axis_number

VOID = {"meta", "link", "br", "img", "input", "hr"}
HOSTILE = '<script>alert("town")</script>'
PAGES = {
    "one month": report_page(made_up.one_month()),
    "three years": report_page(made_up.three_years()),
    "empty": report_page(made_up.empty()),
    "execution": execution_page(made_up.execution_view()),
}


class Reader(HTMLParser):
    """Reads a page: its open elements, its words, where it points, and what is wrong with it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [
            value or "" for key, value in attrs if key in ("src", "href", "action", "srcset", "data")
        ]
        self.ids += [value or "" for key, value in attrs if key == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> without a start"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_balanced_html_without_script(name: str) -> None:
    read = Reader(PAGES[name])
    assert read.open == []
    assert "script" not in read.tags
    assert len(set(read.ids)) == len(read.ids)
    assert PAGES[name].count("<h1") == 1


@pytest.mark.parametrize("name", PAGES)
def test_pages_load_nothing_and_link_to_the_licence_alone(name: str) -> None:
    html = PAGES[name]
    assert set(Reader(html).links) <= {made_up.SOURCE.url}
    assert not re.search(r"@import|url\(", html)
    assert len(html.encode()) < 2_000_000


@pytest.mark.parametrize("name", PAGES)
def test_no_hole_shows_in_a_page(name: str) -> None:
    words = " ".join(Reader(PAGES[name]).words)
    assert not re.search(r"\b(nan|NaN|None|null|undefined|inf)\b", words)
    assert "{{" not in words


def test_hostile_names_are_escaped_wherever_they_come_from() -> None:
    report = made_up.one_month()
    segment = replace(report.segments[0], value=HOSTILE)
    alert = replace(report.alerts[0], name=HOSTILE, summary=HOSTILE)
    decision = replace(report.decisions[0], alert=HOSTILE, reasons=(HOSTILE,))
    execution = made_up.execution("data-quality", "2020-01", 1, (replace(made_up.DRIFT, subject=HOSTILE),))
    html = report_page(
        replace(
            report,
            project=HOSTILE,
            title=HOSTILE,
            label_unit=HOSTILE,
            segments=(segment,),
            alerts=(alert,),
            decisions=(decision,),
            executions=(execution,),
            distributions=(
                replace(report.distributions[0], labels=(HOSTILE, *report.distributions[0].labels[1:])),
            ),
        )
    )
    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 8
    Reader(html)


def test_a_month_says_what_happened_and_what_must_be_decided() -> None:
    report = made_up.one_month()
    assert headline(report) == "Data quality violations: a person should look"
    assert standfirst(report) == (
        "In January 2020 prod answered 1,065 requests with 2,040 rows, with R² 0.947. "
        "One check did not hold, one alert fired. One finding to review."
    )
    shown = {step.name: step.figure for step in steps(report)}
    assert shown == {
        "train": "R² 0.954",
        "register": "version 1",
        "approve": "3 approvals",
        "deploy": "v1 in prod",
        "serve": "1,065",
        "capture": "1,065",
        "monitor": "2,040",
        "violation": "1",
        "sample": "4",
        "alert": "1",
        "decision": "Review",
        "audit": "6",
    }


def test_an_open_retrain_comes_first_with_the_command_that_answers_it() -> None:
    report = made_up.three_years()
    html = PAGES["three years"]
    assert headline(report) == "Model quality degraded: a retrain waits for your approval"
    assert "watchkeeper retrain approve 9b40c1e2d7734f5a" in html
    assert html.count("watchkeeper retrain approve") == 1
    assert way_back(report) == "5 times round; the next waits for approval"


def test_an_answered_retrain_no_longer_waits() -> None:
    report = made_up.three_years()
    for answer in (
        Retrain("9b40c1e2d7734f5a", "2022-12", "", "ravi"),
        Retrain("9b40c1e2d7734f5a", "2022-12", "not now", None, rejected=True),
        Retrain(
            "9b40c1e2d7734f5a", "2022-12", "rmse", None, unanswered="expired, nobody answered from Monday on"
        ),
    ):
        answered = replace(report, retrains=(*report.retrains, answer))
        assert answered.waiting == ()
        assert "watchkeeper retrain approve" not in report_page(answered)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"alerts": (), "decisions": (), "executions": ()}, "Nothing has been judged yet"),
        ({"alerts": (), "decisions": ()}, "One check did not hold in January 2020; no alert fired"),
    ],
)
def test_calmer_runs_have_calmer_headlines(change: dict[str, tuple[()]], said: str) -> None:
    assert headline(replace(made_up.one_month(), **change)) == said  # type: ignore[arg-type]


def test_an_alert_that_went_asks_for_nothing() -> None:
    report = made_up.one_month()
    gone = replace(report.alerts[0], state=AlertState.RESOLVED, resolved_at=made_up.at("2020-03"))
    assert (
        headline(replace(report, alerts=(gone,)))
        == "An alert came and went in January 2020; nothing waits for you"
    )


def test_lost_rows_show_in_the_figures() -> None:
    report = made_up.one_month()
    lost = replace(report, counts=replace(report.counts, captured=1064, scored=2039))
    html = report_page(lost)
    assert "requests, some lost" in html
    assert "2,039 scored" in html


def test_one_month_shows_figures_and_many_show_lines() -> None:
    assert "RMSE by month" not in PAGES["one month"]
    assert 'aria-label="RMSE by month in SGD, watched model and baseline"' in PAGES["three years"]
    assert "awaiting labels, complete at the end of January 2023" in PAGES["three years"]


def test_what_was_estimated_is_a_line_of_its_own_where_there_is_any() -> None:
    report = made_up.three_years()
    assert "estimated before labels came" not in report_page(report)
    months = (replace(report.months[0], estimated_rmse=31_234.0), *report.months[1:])
    shown = report_page(replace(report, months=months))
    assert "estimated before labels came" in shown
    assert shown.count('class="tone-estimate') == 1
    assert "31,234 SGD" in shown


def test_a_broken_chain_is_said_with_its_fault() -> None:
    report = made_up.one_month()
    broken = replace(report.audit.verification, verified=False)
    html = report_page(replace(report, audit=replace(report.audit, verification=broken)))
    assert "chain broken" in html
    assert "chain verified" not in html


def test_an_execution_without_a_verdict_says_why() -> None:
    view = made_up.execution_view()
    awaiting = replace(
        view.execution, status=Status.AWAITING_LABELS, reason="labels of 3 of 2,040 rows", judgements=()
    )
    html = execution_page(replace(view, execution=awaiting, distributions=(), segments=(), residuals=None))
    words = " ".join(Reader(html).words)
    assert "No verdict for January 2020: awaiting labels" in words
    assert "Nothing was judged." in words
    assert "3 labels for unknown ids" in words
    assert "held" not in words


def test_an_execution_names_inputs_and_baseline_with_digests() -> None:
    execution = made_up.execution_view().execution
    baseline = execution.judgements[0].baseline
    assert baseline is not None
    for digest in (*(read.digest for read in execution.inputs), baseline.digest):
        assert digest in PAGES["execution"]


def test_a_missing_value_stops_a_page() -> None:
    with pytest.raises(UndefinedError):
        page("report.html", report=made_up.empty())
    unnamed: Report = replace(made_up.one_month(), title=None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="got None"):
        report_page(unnamed)


def test_large_columns_and_scatters_are_cut_to_what_one_can_read() -> None:
    shown = made_up.distributions()[0]
    assert most_changed(shown, 2).labels == ("2-room", "Improved")
    many = Residuals(tuple((float(n), float(n)) for n in range(10_000)), 10_000)
    assert len(thinned(many).points) == 2_500
    assert thinned(many).rows == 10_000


@pytest.mark.parametrize(
    ("said", "want"),
    [
        (text.whole(-1234.4), "−1,234"),
        (text.whole(-0.3), "0"),
        (text.decimal(-0.0001), "0.000"),
        (text.share(0.0513), "5.1%"),
        (text.signed_share(0.012), "+1.2%"),
        (text.signed_share(-0.004), "−0.4%"),
        (text.signed_share(0.0001), "0.0%"),
        (text.amount(26431.2, "SGD"), "26,431 SGD"),
        (text.count(0, "alert"), "no alerts"),
        (text.spelled(1, "entry", "entries"), "one entry"),
        (text.spelled(12, "alert"), "12 alerts"),
        (text.listing(["a", "b", "c"]), "a, b and c"),
        (text.listing([]), ""),
        (text.months_text("2020-01", "2022-12"), "January 2020 to December 2022"),
        (text.seconds_text(59.96), "1 min 00 s"),
        (text.words("AwaitingLabels"), "awaiting labels"),
        (text.rounded("distance: 0.30791265775509713 exceeds 0.1"), "distance: 0.308 exceeds 0.1"),
        (text.rounded("want 98.99394230769231%, got 98.99328846153847%"), "want 98.994%, got 98.993%"),
        (axis_number(1970, 10), "1970"),
        (axis_number(20_000, 5_000), "20k"),
        (axis_number(1_200_000, 200_000), "1.2m"),
        (axis_number(20_000, 100), "20,000"),
        (
            text.window_text(Window(datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 1, 2, tzinfo=UTC))),
            "1 Jan 2020, 00:00 – 2 Jan 2020, 00:00",
        ),
    ],
)
def test_numbers_and_dates_read_well(said: str, want: str) -> None:
    assert said == want
