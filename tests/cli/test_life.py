"""A model's life on the command line: trained, approved, served, tampered with, rolled back."""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from tests.cli.conftest import Said
from tests.cli.workspaces import small_data, small_project, small_rows
from watchkeeper.adapters.local.endpoint import LocalEndpointHost, started_server
from watchkeeper.core.encoding import encode, plain

Cli = Callable[..., Said]
UNSEEN = "watchkeeper_endpoint_unseen_categories_total"
COLUMNS = [column for column in small_rows().columns if column != "resale_price"]


@contextlib.contextmanager
def serving(workspace: Path) -> Iterator[LocalEndpointHost]:
    """`watchkeeper up` as a process."""
    argv = [sys.executable, "-m", "watchkeeper", "up", "--workspace", str(workspace), "--port", "0"]
    with started_server(argv, workspace / "run" / "server.json") as host:
        yield host


def ask(host: LocalEndpointHost, endpoint: str, **changes: str) -> httpx.Response:
    """One sale's inputs as JSON, some of them changed."""
    row = small_rows().select(COLUMNS).row(-1, named=True)
    return httpx.post(
        f"{host.url()}/endpoints/resale-price-{endpoint}/invocations",
        json={"instances": [{**row, **changes}]},
        trust_env=False,
    )


def second_version(workspace: Path) -> Path:
    """The first version's record and artefact again, as version 2; returns its booster."""
    models = workspace / "models"
    shutil.copytree(models / "v1", models / "v2")
    record = json.loads((models / "v2" / "model.json").read_text())
    (models / "v2" / "model.json").write_bytes(encode(plain({**record, "version": 2})))
    return models / "v2" / "artefact" / "booster.ubj"


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def test_a_model_s_life(cli: Cli, tmp_path: Path) -> None:
    workspace = small_project(tmp_path / "workspace")

    def models(*argv: object) -> Said:
        return cli("models", *argv, "--workspace", workspace)

    data = small_data(tmp_path / "sales.csv.gz")
    trained = cli("train", "--workspace", workspace, "--data", data, "--through", "2019-11", "--json")
    assert (trained.code, json.loads(trained.out)["model"]["version"]) == (0, 1)
    assert str(tmp_path) not in trained.out, "an answer names no path of this machine"

    file = workspace / "watchkeeper.yaml"
    accepting = file.read_text()
    file.write_text(accepting.replace('r2: ">= 0.50"', 'r2: ">= 0.9999"'))
    missed = cli("train", "--workspace", workspace, "--data", data, "--through", "2019-11")
    assert (missed.code, missed.out.startswith("not registered: want r2 >= 0.9999, got 0.")) == (1, True)
    assert [path.name for path in (workspace / "models").iterdir()] == ["v1"]
    file.write_text(accepting)

    own_word = models("approve", 1, "--for", "prod")
    assert (own_word.code, "want another person than" in own_word.err) == (1, True)
    assert models("reject", 1, "--for", "dev", "--why", "wait").code == 0
    assert models("promote", 1, "--to", "dev").code == 1
    assert models("approve", 1, "--for", "dev").code == 0
    skipped = models("promote", 1, "--to", "uat")
    assert (skipped.code, "want it to have served in dev first" in skipped.err) == (1, True)
    alone = models("promote", 1, "--to", "dev")
    assert (alone.code, "start one with `watchkeeper up`" in alone.err) == (3, True)

    with serving(workspace) as host:
        unserved = ask(host, "dev")
        assert (unserved.status_code, "no model is deployed" in unserved.text) == (503, True)
        promoted = models("promote", 1, "--to", "dev")
        assert (promoted.code, promoted.out) == (0, "resale-price-dev serves model v1\n")
        assert (models("promote", 1, "--to", "dev").code, models("rollback", "--in", "dev").code) == (1, 1)
        known, strange = ask(host, "dev"), ask(host, "dev", town="ATLANTIS", street_name="SEA RD")
        assert (known.status_code, strange.status_code) == (200, 200)
        exposed = httpx.get(f"{host.url()}/metrics", trust_env=False).text
        unseen = [
            line for line in exposed.splitlines() if line.startswith(UNSEEN) and 'feature="town"' in line
        ]
        assert [(line.rpartition(" ")[2], 'environment="dev"' in line) for line in unseen] == [("1", True)]
        narrow = httpx.post(
            f"{host.url()}/endpoints/resale-price-dev/invocations",
            content=b"2020-01,BEDOK",
            headers={"content-type": "text/csv"},
            trust_env=False,
        )
        assert (narrow.status_code, "10" in narrow.json()["Message"]) == (400, True)
        unreadable = ask(host, "dev", floor_area_sqm="large")
        assert (unreadable.status_code, "floor_area_sqm" in unreadable.json()["Message"]) == (400, True)

        flip(second_version(workspace))
        refused = models("promote", 2, "--to", "dev")
        assert refused.code == 3
        assert "booster.ubj with sha256" in refused.err
        assert "what was served before still is" in refused.err
        assert ask(host, "dev").headers["x-watchkeeper-model-version"] == "1"
        assert len(list((workspace / "deployments" / "dev").iterdir())) == 1

    failed = json.loads(cli("audit", "list", "--workspace", workspace, "--json").out)[-1]["event"]
    assert (failed["action"], failed["after"]) == ("endpoint.promote-failed", "model v1")
    assert cli("audit", "verify", "--workspace", workspace).code == 0
    captured = [file.read_text().count("\n") for file in (workspace / "captures").rglob("*.jsonl")]
    assert sum(captured) == 3, "those that were answered, and no other"

    flip(workspace / "models" / "v1" / "artefact" / "manifest.json")
    with serving(workspace) as host:
        answer = ask(host, "dev")
        assert answer.status_code == 503
        assert "want the artefact with digest" in answer.json()["Message"]
        assert httpx.get(f"{host.url()}/ping", trust_env=False).status_code == 200
