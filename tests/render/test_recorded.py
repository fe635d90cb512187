"""One name for a figure, from our histograms and from CloudWatch alike: promtool evaluates both."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.promtool import needs_promtool, run
from watchkeeper.render.recorded import QUANTILES, RECORDED, recorded_name, recorded_rules, recorded_yaml

OURS = '{project="p",environment="dev",endpoint="p-dev",worker="0"%s}'
THEIRS = '{project="p",environment="prod",endpoint_name="p-prod",variant_name="AllTraffic",job="cw"}'
DEV = 'project="p", environment="dev", endpoint="p-dev"'
PROD = 'project="p", environment="prod", endpoint="p-prod"'


def series(name: str, labels: str, values: str) -> dict[str, str]:
    return {"series": f"{name}{labels}", "values": values}


def expected(name: str, **by_labels: float) -> dict[str, object]:
    places = {"dev": DEV, "prod": PROD}
    samples = [{"labels": f"{name}{{{places[where]}}}", "value": value} for where, value in by_labels.items()]
    return {"expr": name, "eval_time": "10m", "exp_samples": samples}


@needs_promtool
def test_both_sources_give_the_same_names_labels_and_units(tmp_path: Path) -> None:
    """Ours: a request a second, half within 0.1 s and all within 0.2 s. Theirs: as CloudWatch says, in µs."""
    buckets = [
        series(f"watchkeeper_{metric}_bucket", OURS % f',le="{le}"', f"0+{step}x10")
        for metric in (
            "endpoint_request_seconds",
            "endpoint_model_latency_seconds",
            "endpoint_overhead_latency_seconds",
        )
        for le, step in (("0.1", 30), ("0.2", 60), ("+Inf", 60))
    ]
    aws = [
        series(f"aws_sagemaker_{name}_p{round(share * 100)}", THEIRS, f"{value}x10")
        for name, value in (("model_latency", 150_000), ("overhead_latency", 50_000))
        for share in QUANTILES
    ]
    counts = [
        series("watchkeeper_endpoint_requests_total", OURS % ',code="200"', "0+60x10"),
        series("aws_sagemaker_invocations_sum", THEIRS, "120x10"),
        series("aws_sagemaker_invocation5_xxerrors_sum", THEIRS, "6x10"),
        series("aws_sagemaker_invocation4_xxerrors_sum", THEIRS, "12x10"),
        series("watchkeeper_endpoint_errors_5xx_ratio", OURS % "", "0.01x10"),
        series("watchkeeper_endpoint_errors_4xx_ratio", OURS % "", "0.02x10"),
    ]
    (tmp_path / RECORDED).write_text(recorded_yaml())
    suite = {
        "rule_files": [RECORDED],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [*buckets, *aws, *counts],
                "promql_expr_test": [
                    expected(recorded_name("endpoint_request_seconds", 0.5), dev=0.1, prod=0.2),
                    expected(recorded_name("endpoint_request_seconds", 0.95), dev=0.19, prod=0.2),
                    expected(recorded_name("endpoint_model_latency_seconds", 0.95), dev=0.19, prod=0.15),
                    expected(recorded_name("endpoint_overhead_latency_seconds", 0.5), dev=0.1, prod=0.05),
                    expected("watchkeeper:endpoint_requests:rate", dev=1, prod=2),
                    expected("watchkeeper:endpoint_errors_5xx:ratio", dev=0.01, prod=0.05),
                    expected("watchkeeper:endpoint_errors_4xx:ratio", dev=0.02, prod=0.1),
                ],
            }
        ],
    }
    (tmp_path / "test.yml").write_text(yaml.safe_dump(suite))
    done = run("promtool", "test", "rules", str(tmp_path / "test.yml"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_name_is_recorded_once() -> None:
    names = [name for name, _ in recorded_rules()]
    assert len(names) == len(set(names)) == 12
