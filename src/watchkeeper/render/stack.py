"""Configuration of Prometheus and Alertmanager for a project's rules and receivers.

Sources: prometheus.io/docs/prometheus/latest/configuration/configuration and
prometheus.io/docs/alerting/latest/configuration.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from watchkeeper.core.incidents import GROUP_LABELS, Outlet, Timing
from watchkeeper.core.inhibition import Inhibition
from watchkeeper.core.metrics import SCRAPE_LABELS
from watchkeeper.core.rules import Rule
from watchkeeper.core.windows import Duration
from watchkeeper.render.recorded import RECORDED

DOOR, NOBODY = "watchkeeper", "nobody"  # receivers: the way back to us, and none at all
RULES, PROMETHEUS, ALERTMANAGER = "rules.yml", "prometheus.yml", "alertmanager.yml"
_SHORTEST = 100  # milliseconds; Alertmanager takes no pause of nothing


@dataclass(frozen=True, slots=True)
class StackSettings:
    """Where the parts of a stack answer, as `host:port`, and how often metrics are read, in milliseconds.

    Durations are divided by `factor`, for a rehearsal whose months pass in seconds. `token_file` opens the
    door of the server at `watchkeeper`.
    """

    token_file: str
    watchkeeper: str = "127.0.0.1:8321"
    prometheus: str = "127.0.0.1:9090"
    alertmanager: str = "127.0.0.1:9093"
    interval: int = 15_000
    factor: float = 1.0

    def scaled(self, duration: Duration) -> str:
        """A duration as both servers write it; calendar months count as thirty days."""
        seconds = duration.months * 30 * 86400 + duration.seconds
        return f"{max(round(seconds * 1000 / self.factor), _SHORTEST if seconds else 0)}ms"


@dataclass(frozen=True, slots=True)
class EnvironmentAlerts:
    """An environment's rules, who is told of them, and how often."""

    environment: str
    project: str
    rules: Sequence[Rule]
    outlets: Sequence[Outlet]
    timing: Timing
    inhibitions: Sequence[Inhibition] = ()


def prometheus_yaml(settings: StackSettings) -> str:
    """Scrape our metrics, evaluate the rules beside this file, send alerts to Alertmanager.

    What a scrape adds to every series is taken off the alerts, so that two servers that scrape the same
    endpoint send one alert. Timestamps of samples are not honoured: a value stands for the time it is read.
    """
    return _yaml(
        {
            "global": {
                "scrape_interval": f"{settings.interval}ms",
                "evaluation_interval": f"{settings.interval}ms",
                "scrape_timeout": f"{min(settings.interval, 10_000)}ms",
            },
            "rule_files": [RULES, RECORDED],
            "alerting": {
                "alert_relabel_configs": [{"action": "labeldrop", "regex": "|".join(SCRAPE_LABELS)}],
                "alertmanagers": [{"static_configs": [{"targets": [settings.alertmanager]}]}],
            },
            "scrape_configs": [
                {
                    "job_name": "watchkeeper",
                    "honor_timestamps": False,
                    "static_configs": [{"targets": [settings.watchkeeper]}],
                }
            ],
        }
    )


def alertmanager_yaml(environments: Sequence[EnvironmentAlerts], settings: StackSettings) -> str:
    """Group alerts into incidents, tell each environment's receivers, and send every change back to us.

    The way back does not wait: what is decided on an alert is not put off by how people are told.
    """
    receivers = [{"name": NOBODY}, _door(settings)]
    routes: list[dict[str, Any]] = [{"receiver": DOOR, "continue": True, **_waits("0ms", f"{_SHORTEST}ms")}]
    for each in environments:
        told = [name for name in _names(each.outlets) if _rules_of(each.rules, name)]
        receivers += [_receiver(each, name) for name in told]
        routes.append(
            {
                "matchers": matchers({"project": each.project, "environment": each.environment}),
                **_waits(settings.scaled(each.timing.wait), settings.scaled(each.timing.interval)),
                "repeat_interval": settings.scaled(each.timing.repeat),
                "routes": [
                    {
                        "receiver": receiver_name(each.environment, name),
                        "matchers": [f"alertname=~{json.dumps('|'.join(_rules_of(each.rules, name)))}"],
                        "continue": True,
                    }
                    for name in told
                ],
            }
        )
    route = {"receiver": NOBODY, "group_by": list(GROUP_LABELS), "routes": routes}
    hidden = [inhibit_rule(each, rule) for each in environments for rule in each.inhibitions]
    return _yaml({"route": route, "receivers": receivers, **({"inhibit_rules": hidden} if hidden else {})})


def inhibit_rule(each: EnvironmentAlerts, rule: Inhibition) -> dict[str, Any]:
    """An environment hides its own alerts alone."""
    own = {"project": each.project, "environment": each.environment}
    return {
        "source_matchers": matchers({**own, **dict(rule.source)}),
        "target_matchers": matchers({**own, **dict(rule.target)}),
        "equal": list(rule.equal),
    }


def receiver_name(environment: str, name: str) -> str:
    """What Alertmanager calls a receiver of an environment."""
    return f"{environment}-{name}"


def _door(settings: StackSettings) -> dict[str, Any]:
    url = f"http://{settings.watchkeeper}/api/v1/alerts"
    return {"name": DOOR, "webhook_configs": [_webhook(url, settings.token_file)]}


def _receiver(each: EnvironmentAlerts, name: str) -> dict[str, Any]:
    """The ways that Alertmanager has of reaching a receiver; the others are ours to use."""
    ways = [
        _webhook(outlet.options["url"], _file_of(outlet))
        for outlet in each.outlets
        if outlet.receiver == name and outlet.kind == "webhook"
    ]
    found: dict[str, Any] = {"name": receiver_name(each.environment, name)}
    return {**found, "webhook_configs": ways} if ways else found


def _webhook(url: str, token_file: str | None) -> dict[str, Any]:
    found: dict[str, Any] = {"url": url, "send_resolved": True}
    if token_file is not None:
        found["http_config"] = {"authorization": {"type": "Bearer", "credentials_file": token_file}}
    return found


def _file_of(outlet: Outlet) -> str | None:
    """Where Alertmanager finds the outlet's token. It follows no other reference than one to a file."""
    token = outlet.options.get("token")
    if token is None:
        return None
    if not token.startswith("${file:"):
        raise ValueError(
            f"write receiver {outlet} for Alertmanager: want its token as ${{file:PATH}}, got {token}: "
            "Alertmanager reads tokens from files"
        )
    return token.removeprefix("${file:").removesuffix("}")


def _waits(wait: str, interval: str) -> dict[str, str]:
    return {"group_wait": wait, "group_interval": interval}


def _names(outlets: Sequence[Outlet]) -> list[str]:
    return list(dict.fromkeys(outlet.receiver for outlet in outlets))


def _rules_of(rules: Sequence[Rule], receiver: str) -> list[str]:
    return [rule.name for rule in rules if receiver in rule.notify]


def matchers(labels: Mapping[str, str]) -> list[str]:
    """Labels as Alertmanager matches them."""
    return [f"{name}={json.dumps(value)}" for name, value in labels.items()]


def _yaml(value: object) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=1000)
