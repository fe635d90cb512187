"""Files judged against a baseline: verdicts, rows at fault, what is written, whatever the workers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from tests.app.files.analyses import NOW, SCHEMA, capture, judged, options, rows, table
from watchkeeper.app.files.engines import open_engine
from watchkeeper.app.files.inputs import Reading
from watchkeeper.app.files.judging import FileJudgement, judge_files
from watchkeeper.core.encoding import encode
from watchkeeper.core.errors import InputError
from watchkeeper.core.statistics.distances import Mode
from watchkeeper.core.values import Progress, Status
from watchkeeper.core.windows import Window

FILES = ("statistics.json", "constraints.json", "constraint_violations.json", "analysis.json", "report.html")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return table(tmp_path / "base.csv", rows(400))


def test_rows_as_in_the_baseline_hold(tmp_path: Path, base: Path) -> None:
    found = judged(tmp_path / "out", table(tmp_path / "now.csv", rows(300)), base)
    assert (found.status, found.rows, found.violations) == (Status.COMPLETED, 300, ())
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        {*FILES} - {"constraint_violations.json"}
    )


def test_example_rows_are_the_lines_at_fault(tmp_path: Path, base: Path) -> None:
    lines = rows(300)
    lines[17], lines[210] = "TENGAH,3,1.5", "TENGAH,4,"
    now = table(tmp_path / "now.csv", lines)
    found = judged(tmp_path / "out", now, base)
    text = now.read_text(encoding="utf-8").splitlines()
    shown = {
        (evidence.subject, evidence.check): [(row.line, row.value) for row in evidence.rows]
        for evidence in found.evidence
    }
    assert shown["town", "categorical_values_check"] == [(19, "TENGAH"), (212, "TENGAH")]
    assert shown["area", "completeness_check"] == [(212, None)]
    assert [text[line - 1] for line, _ in shown["town", "categorical_values_check"]] == [
        "TENGAH,3,1.5",
        "TENGAH,4,",
    ]


def test_as_many_example_rows_are_shown_as_asked_for(tmp_path: Path, base: Path) -> None:
    now = table(tmp_path / "now.csv", rows(300, town="TENGAH"))
    for shown in (0, 3):
        found = judged(tmp_path / "out", now, base, options(shown=shown))
        (evidence,) = [each for each in found.evidence if each.check == "categorical_values_check"]
        assert len(evidence.rows) == shown
    assert judged(tmp_path / "out", now, base).violations == found.violations


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "parquet", "jsonl", "json"])
def test_every_format_gets_the_same_violations(tmp_path: Path, base: Path, suffix: str) -> None:
    frame = pl.read_csv(table(tmp_path / "plain.csv", rows(300, town="TENGAH")))
    now = tmp_path / f"now.{suffix}"
    match suffix:
        case "csv":
            frame.write_csv(now)
        case "csv.gz":
            frame.write_csv(now, compression="gzip", check_extension=False)
        case "parquet":
            frame.write_parquet(now)
        case "jsonl":
            frame.write_ndjson(now)
        case "json":
            frame.write_json(now)
    found = judged(tmp_path / "out", now, base)
    assert [each.check for each in found.violations] == [
        "categorical_values_check",
        "baseline_drift_check",
        "vanished_values_check",
    ]
    assert found.rows == 300
    assert {each.subject for each in found.violations} == {"town"}
    assert [row.value for row in found.evidence[0].rows] == ["TENGAH"] * 5


def test_captures_are_judged_by_name_and_shown_by_inference_id(tmp_path: Path) -> None:
    lines = [capture(number, "BEDOK" if number % 2 else "YISHUN") for number in range(400)]
    base = tmp_path / "base.jsonl"
    base.write_text("\n".join(lines) + "\n")
    lines[41], lines[57] = capture(41, "TENGAH"), "{broken"
    lines[60] = capture(60, "BEDOK", "BASE64").replace('"data": "Q', '"data": "*')
    lines[61] = capture(61, "BEDOK", "BASE64")
    now = tmp_path / "now.jsonl"
    now.write_text("\n".join(lines) + "\n")
    found = judged(tmp_path / "out", now, base, options(reading=Reading(schema=SCHEMA)))
    (evidence,) = [each for each in found.evidence if each.check == "categorical_values_check"]
    assert [(row.line, row.inference_id, row.value) for row in evidence.rows] == [(42, "i-41", "TENGAH")]
    assert (found.rows, found.requests, found.bad_lines) == (398, 398, 2)
    assert [line.line_number for line in found.bad] == [58, 61]
    kept = (tmp_path / "out" / "quarantine" / "bad-lines.txt").read_text().splitlines()
    assert kept == [lines[57], lines[60]]


def test_of_captures_only_those_in_the_window_count(tmp_path: Path) -> None:
    now = tmp_path / "now.jsonl"
    now.write_text("\n".join(capture(number, "BEDOK") for number in range(400)) + "\n")
    hour = Window(datetime(2026, 1, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 3, tzinfo=UTC))
    found = judged(tmp_path / "out", now, None, options(reading=Reading(window=hour)))
    assert found.rows == 200
    assert any(note.startswith("200 records of another time") for note in found.notes)


def dirty(path: Path, count: int, town: str) -> Path:
    """More than two chunks of CSV, with each kind of fault here and there."""
    with path.open("wb") as file:
        file.write(b"town,age,area,remark\n")
        for number in range(count):
            area = ("NaN", "inf", "", "n/a")[number % 4] if number % 9973 == 0 else f"{number % 101}.25"
            remark = f'"a {"y" * 60}, {number % 5}"'
            file.write(f"{town if number % 3 else 'BEDOK'},{number % 77},{area},{remark}\n".encode())
            if number % 20011 == 0:
                file.write(b'too,few\n\xff\xfe,1,2,3\nx,1,2,"quoted\nnewline"\r\n')
        file.write(b"cut,off")
    return path


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("many")
    base, now = dirty(folder / "base.csv", 220_000, "YISHUN"), dirty(folder / "now.csv", 200_000, "TENGAH")
    assert now.stat().st_size > 15 * 1024 * 1024  # two chunks
    return base, now


def test_the_number_of_workers_changes_no_byte(tmp_path: Path, many: tuple[Path, Path]) -> None:
    base, now = many
    written = []
    for workers in (1, 2, 7):
        out = tmp_path / str(workers)
        found = judged(out, now, base, workers=workers)
        assert (found.status, found.bad_lines) == (Status.VIOLATIONS, 21)
        written.append({path.name: path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()})
    assert written[0].keys() == {*FILES, "bad-lines.txt"}
    assert written[0] == written[1] == written[2]


def test_the_progress_tells_every_row_of_both(tmp_path: Path, many: tuple[Path, Path]) -> None:
    seen: list[Progress] = []
    base, now = many
    order = FileJudgement((str(now),), str(base), tmp_path / "out")
    judge_files(order, open_engine("local", 2), seen.append, NOW)
    last = {step.step: (step.done, step.total) for step in seen}
    assert last == {"baseline": (220_011, 220_011), "input": (200_010, 200_010)}
    assert next(step.done for step in seen if step.step == "input") == 0


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_rows_that_are_there_again_are_found_across_files(tmp_path: Path, workers: int) -> None:
    """No file repeats a row of its own, and the first has none that any other has."""
    unique = [f"BEDOK,{i},{i}.5" for i in range(1_000)]
    base = table(tmp_path / "base.csv", unique)
    data = [table(tmp_path / f"{number}.csv", lines) for number, lines in enumerate(_thirds(unique))]
    found = judged(tmp_path / "out", data, base, workers=workers)
    (evidence,) = [each for each in found.evidence if each.check == "duplicate_rows_check"]
    assert [(Path(row.file).name, row.line, row.value) for row in evidence.rows] == [
        ("1.csv", line, "the whole row") for line in range(2, 7)
    ]


def _thirds(lines: list[str]) -> list[list[str]]:
    return [lines[:400], lines[400:700], lines[400:]]


def test_files_of_a_baseline_judge_as_its_data_do(tmp_path: Path, base: Path) -> None:
    now = table(tmp_path / "now.csv", rows(300, town="TENGAH", shift=9))
    by_data = judged(tmp_path / "a", now, base)
    judged(tmp_path / "baseline", base)
    by_files = judged(tmp_path / "b", now, tmp_path / "baseline")
    assert by_data.violations
    assert encode(replace(by_files, baseline="")) == encode(replace(by_data, baseline=""))


def test_a_verdict_needs_enough_rows(tmp_path: Path, base: Path) -> None:
    now = table(tmp_path / "now.csv", rows(30, town="TENGAH"))
    found = judged(tmp_path / "out", now, base, options(min_rows=31))
    assert (found.status, found.violations) == (Status.INSUFFICIENT_DATA, ())
    assert not (tmp_path / "out" / "constraint_violations.json").exists()
    assert judged(tmp_path / "out", now, base, options(min_rows=30)).status is Status.VIOLATIONS


SECRET, SALARY = "Tan Ah Kow", "73912.25"


def secrets(path: Path, names: Sequence[str], salary: str, odd: str) -> Path:
    lines = [
        f"{names[i % len(names)]},{salary if i % 40 == 7 else f'5{i % 83}01.75'},{i % 7}" for i in range(400)
    ]
    path.write_text("\n".join(["name,salary,age", *lines, odd]) + "\n", encoding="utf-8")
    return path


def test_values_of_sensitive_columns_are_in_no_file(tmp_path: Path) -> None:
    """Neither those of a violation nor those of a distribution, a domain, a bound, or a line that is bad."""
    base = secrets(tmp_path / "base.csv", ["Lim Bee Hoon", "Goh Siew Eng"], "999999.5", f"{SECRET},{SALARY}")
    now = secrets(tmp_path / "now.csv", [SECRET, "Goh Siew Eng"], f"-{SALARY}", f"{SECRET},{SALARY}")
    hidden = [SECRET, SALARY, "Lim Bee Hoon", "Goh Siew Eng", "5101.75"]
    for sensitive, told in ((frozenset[str](), hidden), (frozenset({"name", "salary"}), [])):
        out = tmp_path / f"out-{len(sensitive)}"
        found = judged(out, now, base, options(sensitive=sensitive))
        texts = "".join(path.read_text() for path in out.rglob("*") if path.is_file())
        assert [value for value in hidden if value in texts] == told
        assert {("name", "categorical_values_check"), ("salary", "non_negative_check")} <= {
            (each.subject, each.check) for each in found.violations
        }
        assert found.bad_lines == 1
    assert {row.value for each in found.evidence for row in each.rows} == {"•••"}
    assert "no bad line was kept, as columns are sensitive" in found.notes
    assert not (out / "quarantine").exists()


def test_a_misspelt_sensitive_column_is_refused(tmp_path: Path, base: Path) -> None:
    with pytest.raises(InputError, match='"twon"; is it "town"'):
        judged(tmp_path / "out", base, None, options(sensitive=frozenset({"twon"})))
    assert not (tmp_path / "out").exists()


def test_an_earlier_answer_is_replaced_and_strangers_are_left(tmp_path: Path, base: Path) -> None:
    out = tmp_path / "out"
    judged(out, table(tmp_path / "now.csv", [*rows(300, town="TENGAH"), "bad"]), base)
    assert (out / "constraint_violations.json").exists()
    assert (out / "quarantine" / "bad-lines.txt").read_text() == "bad\n"
    (out / "notes.txt").write_text("mine")
    judged(out, base, base)
    left = sorted(path.relative_to(out).as_posix() for path in out.rglob("*"))
    assert left == ["analysis.json", "constraints.json", "notes.txt", "report.html", "statistics.json"]


def test_an_answer_that_fails_leaves_the_one_before(tmp_path: Path, base: Path) -> None:
    out = tmp_path / "out"
    judged(out, table(tmp_path / "now.csv", [*rows(300), "bad"]), base)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    broken = tmp_path / "two.csv"
    broken.write_text("a,a\n1,2\n")
    with pytest.raises(InputError):
        judged(out, broken, base, options(reading=Reading(header=True)))
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_the_data_folder_is_not_written_into(tmp_path: Path, base: Path) -> None:
    with pytest.raises(InputError, match="the next run would read it"):
        judged(tmp_path / "out", [tmp_path])
    assert [path.name for path in tmp_path.iterdir()] == [base.name]


def test_files_of_two_layouts_are_refused(tmp_path: Path, base: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text('{"town": "BEDOK"}\n')
    with pytest.raises(InputError, match=r"CSV with a header in .*base.csv and JSON Lines in .*other.jsonl"):
        judged(tmp_path / "out", [base, other])


def test_a_manifest_stands_for_its_files(tmp_path: Path, base: Path) -> None:
    folder = tmp_path / "transform"
    folder.mkdir()
    table(folder / "one.csv", rows(100))
    table(folder / "two.csv", rows(50))
    manifest = folder / "input.manifest"
    manifest.write_text(json.dumps([{"prefix": "s3://bucket/transform/"}, "one.csv", "two.csv"]))
    assert judged(tmp_path / "out", manifest, base).rows == 150


def test_an_hour_ahead_of_the_clock_is_noted(tmp_path: Path) -> None:
    folder = tmp_path / "captures" / "2026" / "01" / "01" / "14"
    folder.mkdir(parents=True)
    table(folder / "now.csv", rows(100))
    found = judged(tmp_path / "out", tmp_path / "captures")
    assert any("ahead of the clock" in note for note in found.notes)


def test_the_baselines_own_notes_are_told(tmp_path: Path) -> None:
    base = table(tmp_path / "base.csv", [*rows(100), "bad"])
    found = judged(tmp_path / "out", table(tmp_path / "now.csv", rows(100)), base)
    assert [note for note in found.notes if note.startswith("baseline: 1 lines that cannot be used")]


def test_compatible_mode_writes_no_key_of_ours(tmp_path: Path, base: Path) -> None:
    now = table(tmp_path / "now.csv", [*rows(300), "TENGAH,1,2.5"])
    found = judged(tmp_path / "out", now, base, options(mode=Mode.COMPATIBLE))
    (violation,) = json.loads((tmp_path / "out" / "constraint_violations.json").read_text())["violations"]
    assert violation.keys() == {"feature_name", "constraint_check_type", "description"}
    assert (found.mode, found.violations[0].check) == (Mode.COMPATIBLE, "categorical_values_check")
