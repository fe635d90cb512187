"""Labels on the command line and over HTTP, on real workspaces."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import polars as pl
import pytest

from tests.app.loop import bring_to_prod, model_of, new_loop, train_in
from tests.cli.conftest import Said
from tests.cli.workspaces import put_down, tree
from watchkeeper.adapters.local.endpoint import started_server
from watchkeeper.app.captures.labels import record_labels
from watchkeeper.core.windows import month_start

Cli = Callable[..., Said]


@pytest.fixture(scope="module")
def captured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a month of captures and no label, and the labels beside it as CSV."""
    folder = tmp_path_factory.mktemp("labels") / "workspace"
    loop = new_loop(folder)
    train_in(loop)
    bring_to_prod(loop)
    requests = loop.plan()
    loop.send(requests, model_of(loop))
    put_down(loop, folder)
    rows = [(each.inference_id, label) for each in requests for label in each.truth.labels]
    pl.DataFrame(rows, schema=["sale", "price"], orient="row").write_csv(folder.parent / "labels.csv")
    return folder


@pytest.fixture
def own(captured: Path, tmp_path: Path) -> Path:
    """A copy to be changed by one test."""
    shutil.copy(captured.parent / "labels.csv", tmp_path / "labels.csv")
    return Path(shutil.copytree(captured, tmp_path / "workspace"))


def bring(cli: Cli, workspace: Path, *argv: object, file: str = "labels.csv") -> Said:
    path = workspace.parent / file
    columns = ("--id", "sale", "--label", "price")
    return cli("labels", "import", path, *columns, "--for", "prod", "--workspace", workspace, *argv)


def test_a_file_is_imported_once(cli: Cli, own: Path) -> None:
    would = bring(cli, own, "--dry-run")
    assert (would.code, "would store those of" in would.out, (own / "ground-truth").exists()) == (
        0,
        True,
        False,
    )
    first = bring(cli, own, "--json")
    told = json.loads(first.out)
    assert (first.code, told["labels"], told["unknown"], told["mismatched"]) == (0, 60, 0, 0)
    assert told["stored"] == told["received"] > 10
    assert str(own.parent) not in first.out, "an answer names no path of this machine"
    files = tree(own / "ground-truth")
    again = bring(cli, own)
    assert (again.code, "nothing to add, all of them are on record" in again.out) == (0, True)
    assert tree(own / "ground-truth") == files
    events = [each["event"] for each in json.loads(cli("audit", "list", "--workspace", own, "--json").out)]
    imports = [each for each in events if each["action"] == "labels.import"]
    assert [each["why"].partition(":")[0] for each in imports] == ["labels.csv", "labels.csv"]
    assert cli("audit", "verify", "--workspace", own).code == 0


def test_changed_unknown_and_mismatched_labels_are_told(cli: Cli, own: Path) -> None:
    bring(cli, own)
    labels = pl.read_csv(own.parent / "labels.csv")
    one = labels.filter(pl.len().over("sale") == 1).head(1)
    two = labels.filter(pl.len().over("sale") > 1).head(1)
    strangers = pl.DataFrame({"sale": [f"x{n}" for n in range(7)], "price": [1.0] * 7})
    changed = pl.concat([one.with_columns(pl.col("price") + 1), two, strangers])
    changed.write_csv(own.parent / "changed.csv")
    said = bring(cli, own, file="changed.csv")
    assert said.code == 0
    before = one["price"][0]
    assert f"{one['sale'][0]} {before:.15g} → {before + 1:.15g}" in said.out
    assert "7 of ids that no captured request carries (yet): x0; x1; x2; x3; x4; and 2 more" in said.out
    assert f"{two['sale'][0]} (1 labels, " in said.out


def test_strict_refuses_with_code_1(cli: Cli, own: Path) -> None:
    (own.parent / "strangers.csv").write_text("sale,price\nnobody,1\n")
    before = tree(own)
    said = bring(cli, own, "--strict", file="strangers.csv")
    assert (said.code, "such as nobody; nothing was stored" in said.err) == (1, True)
    assert tree(own) == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "got an empty file"),
        ("sale,price\n", "got no line with one"),
        ("sale,prize\na,1\n", 'want a column "price"'),
        ("sale,price\na,1\n,2\n", "line 3: want an id"),
        ("sale,price\na,1\nb,nan\n", "line 3: want a finite number"),
        ("sale,price\na,\n", "line 2: want a finite number"),
        (None, "there is no such file"),
    ],
)
def test_a_bad_file_leaves_everything_as_it_was(cli: Cli, own: Path, text: str | None, message: str) -> None:
    if text is not None:
        (own.parent / "bad.csv").write_text(text)
    before = tree(own)
    said = bring(cli, own, file="bad.csv")
    assert (said.code, message in said.err, said.out) == (2, True, "")
    assert tree(own) == before


def test_a_folder_is_no_file_and_an_environment_has_to_be_there(cli: Cli, own: Path) -> None:
    assert "want a file, got a folder" in bring(cli, own, file="workspace").err
    said = cli("labels", "import", own.parent / "labels.csv", "--for", "prodd", "--workspace", own)
    assert (said.code, 'did you mean "prod"' in said.err) == (2, True)


def test_the_status_is_a_line_for_each_window(cli: Cli, own: Path) -> None:
    def status(*argv: object) -> Said:
        return cli("labels", "status", "--for", "prod", "--workspace", own, *argv)

    empty = status()
    assert empty.code == 0
    assert "May 2020" in empty.out
    assert "awaiting labels" in empty.out
    assert "60 rows without a label" in empty.out
    bring(cli, own)
    (window,) = json.loads(status("--json").out)["windows"]
    assert (window["rows"], window["labelled"], window["late"], window["state"]) == (60, 0, 60, "late labels")
    assert "0 (60 came late)" in status().out
    wide = status("--from", "2020-04-01T00:00:00Z", "--until", "2020-06-01T00:00:00Z").out
    assert wide.index("April 2020") < wide.index("May 2020")
    assert "no traffic" in wide
    assert status("--from", "soon").code == 2
    assert status("--from", "2020-04-01T00:00:00Z", "--until", "2020-03-01T00:00:00Z").code == 2
    assert status("--monitor", "data-quality").code == 2


def test_a_full_window_has_a_full_bar(cli: Cli, tmp_path: Path) -> None:
    loop = new_loop(tmp_path)
    train_in(loop)
    requests = loop.plan()
    loop.send(requests, model_of(loop))
    record_labels(loop.target, "prod", [each.truth for each in requests], month_start("2020-06"))
    put_down(loop, tmp_path)
    said = cli("labels", "status", "--for", "prod", "--workspace", tmp_path)
    assert f"60        {'█' * 20}  100.0%    95%    complete  2020-06-01 00:00" in said.out
    assert "no rows without a label" in said.out


def test_labels_over_http_bring_a_month_to_its_verdict(cli: Cli, own: Path) -> None:
    """On a server that was really started, as for a rehearsal: the labels come in the month after."""
    labels = pl.read_csv(own.parent / "labels.csv").group_by("sale", maintain_order=True).agg("price")
    entries = [{"inferenceId": sale, "labels": prices} for sale, prices in labels.iter_rows()]
    argv = [sys.executable, "-m", "watchkeeper", "up", "--workspace", str(own), "--port", "0", "--rehearsal"]
    with started_server(argv, own / "run" / "server.json") as host:

        def post(body: object, time: str = "2020-06-10T20:00:00Z") -> httpx.Response:
            url = f"{host.url()}/endpoints/demo-prod/ground-truth"
            return httpx.post(
                url, json=body, headers={"x-watchkeeper-time": time}, trust_env=False, timeout=30
            )

        refused = post([*entries, {"inferenceId": "x", "label": "dear"}])
        assert (refused.status_code, f"entry {len(entries) + 1}:" in refused.text) == (400, True)
        assert not (own / "ground-truth").exists()
        first, again = post(entries).json(), post(entries).json()
        assert (first["stored"], first["unknown"], first["mismatched"]) == (len(entries), 0, 0)
        assert (again["stored"], again["already"]) == (0, len(entries))
        corrected = post([{**entries[0], "labels": [price * 2 for price in entries[0]["labels"]]}]).json()
        assert (corrected["stored"], corrected["conflicting"]) == (1, 1)
        assert post([entries[0]], "2020-06-10T20:00:00Z").json()["conflicting"] == 1
    ran = cli("monitor", "run", "model-quality", "--for", "prod", "--at", "2020-07-01T00:00:00Z",
              "--workspace", own, "--json")  # fmt: skip
    execution = json.loads(ran.out)
    assert (ran.code, execution["status"], execution["rows"]) == (0, "Completed", 60)
    assert cli("audit", "verify", "--workspace", own).code == 0
