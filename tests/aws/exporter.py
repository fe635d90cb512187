"""A stand-in for Prometheus' CloudWatch exporter: its configuration, its calls, its names; no more of it.

The real one is a Java program that is not to be had here. Names are as its source makes them
(`watchkeeper.render.cloudwatch_exporter` says how), which a test holds against those that people have seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml

from tests.webhooks import Quiet, served
from watchkeeper.render.cloudwatch_exporter import exported_label, exported_name


def exposition(config: Mapping[str, Any], client: Any) -> str:
    """One scrape: the newest value of every series that has exactly the dimensions that are asked for."""
    return "".join(f"{line}\n" for metric in config["metrics"] for line in _series(config, metric, client))


def _series(config: Mapping[str, Any], metric: Mapping[str, Any], client: Any) -> Iterator[str]:
    told = {**config, **metric}
    named = {"Namespace": told["aws_namespace"], "MetricName": told["aws_metric_name"]}
    end = datetime.now(UTC) - timedelta(seconds=told["delay_seconds"]) + timedelta(minutes=1)
    for found in client.list_metrics(**named)["Metrics"]:
        dimensions = {each["Name"]: each["Value"] for each in found["Dimensions"]}
        if sorted(dimensions) != sorted(told["aws_dimensions"]):
            continue
        points = client.get_metric_statistics(
            **named,
            Dimensions=found["Dimensions"],
            StartTime=end - timedelta(seconds=told["range_seconds"]),
            EndTime=end,
            Period=told["period_seconds"],
            Statistics=told["aws_statistics"],
        )["Datapoints"]
        if not points:
            continue
        newest = max(points, key=lambda each: each["Timestamp"])
        labels = {exported_label(name): text for name, text in dimensions.items()}
        labels |= {"job": exported_name(told["aws_namespace"], "", "").strip("_"), "instance": ""}
        inside = ",".join(f'{name}="{text}"' for name, text in labels.items())
        for statistic in told["aws_statistics"]:
            name = exported_name(told["aws_namespace"], told["aws_metric_name"], statistic)
            yield f"{name}{{{inside}}} {newest[statistic]}"


@contextmanager
def exporter(config: str, client: Any) -> Iterator[str]:
    """Served while the block runs, by its `host:port`."""
    read = yaml.safe_load(config)

    class Handler(Quiet):
        def do_GET(self) -> None:
            body = exposition(read, client).encode()
            self.send_response(200)
            self.send_header("content-type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(body)

    with served(Handler) as url:
        yield url.removeprefix("http://")
