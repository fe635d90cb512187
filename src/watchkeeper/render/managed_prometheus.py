"""The alert manager of Amazon Managed Prometheus: every alert to SNS, where people and decisions take it up.

It knows no other receiver but SNS, whose messages are texts: ours is the payload of Alertmanager's webhook,
so that what reads the one reads the other. What filters subscribe by is in attributes. Sources:
docs.aws.amazon.com/prometheus/latest/userguide/AMP-alertmanager-config.html,
docs.aws.amazon.com/prometheus/latest/userguide/AMP-alertmanager-SNS-receiver.html.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from watchkeeper.core.incidents import GROUP_LABELS
from watchkeeper.render.stack import EnvironmentAlerts, inhibit_rule, matchers

NOBODY = "nobody"
ATTRIBUTES = ("project", "environment", "endpoint", "severity", "action", "incident")
KINDS = {"paging": {"severity": "critical"}, "tickets": {"severity": "warning"}, "digest": {}}
DECIDED = "alerts"
_PAIRS = (
    "{{ range $place, $pair := %s }}{{ if $place }},{{ end }}"
    '{{ printf "%%q:%%q" $pair.Name $pair.Value }}{{ end }}'
)
# A brace before an action is an action of its own, as three of them cannot be read.
MESSAGE = (
    '{"version":"4","status":{{ printf "%q" .Status }},"alerts":['
    "{{ range $number, $alert := .Alerts }}{{ if $number }},{{ end }}"
    '{"status":{{ printf "%q" $alert.Status }},"labels":{{ "{" }}'
    + _PAIRS % "$alert.Labels.SortedPairs"
    + '},"annotations":{{ "{" }}'
    + _PAIRS % "$alert.Annotations.SortedPairs"
    + '},"startsAt":"{{ $alert.StartsAt.Format "2006-01-02T15:04:05Z07:00" }}",'
    '"endsAt":"{{ $alert.EndsAt.Format "2006-01-02T15:04:05Z07:00" }}"}'
    "{{ end }}]}"
)
SUBJECT = "[{{ .Status }}] {{ .CommonLabels.incident }} in {{ .CommonLabels.environment }}"


@dataclass(frozen=True, slots=True)
class Topics:
    """An environment's topics by kind, and the region they are in.

    `sigv4` is how requests are signed, beside the region: on AWS by the workspace's own role. `api` is where
    SNS is on a machine without AWS.
    """

    region: str
    arns: Mapping[str, str]
    sigv4: Mapping[str, str] = field(default_factory=dict)
    api: str = ""


def alertmanager_config(environments: Sequence[tuple[EnvironmentAlerts, Topics]]) -> str:
    """Alertmanager's own configuration: each environment's alerts to its topics.

    To the one that is decided by at once and all of them, to those of people as they are told: critical ones
    page, warnings become tickets, and the digest has all.
    """
    receivers: list[dict[str, Any]] = [{"name": NOBODY}]
    routes = []
    for alerts, topics in environments:
        own = {"project": alerts.project, "environment": alerts.environment}
        receivers += [
            _receiver(f"{alerts.environment}-{kind}", topics, arn) for kind, arn in topics.arns.items()
        ]
        timing = alerts.timing
        routes.append(
            {
                "matchers": matchers(own),
                "receiver": f"{alerts.environment}-{DECIDED}",
                "group_wait": "0s",
                "group_interval": "1m",
                "repeat_interval": "4h",
                "continue": True,
            }
        )
        routes += [
            {
                "matchers": matchers({**own, **labels}),
                "receiver": f"{alerts.environment}-{kind}",
                "group_wait": _seconds(timing.wait),
                "group_interval": _seconds(timing.interval),
                "repeat_interval": _seconds(timing.repeat),
                "continue": True,
            }
            for kind, labels in KINDS.items()
        ]
    hidden = [inhibit_rule(each, rule) for each, _ in environments for rule in each.inhibitions]
    route = {"receiver": NOBODY, "group_by": list(GROUP_LABELS), "routes": routes}
    found = {"route": route, "receivers": receivers, **({"inhibit_rules": hidden} if hidden else {})}
    return yaml.safe_dump(found, sort_keys=False, allow_unicode=True, width=10_000)


def definition(config: str) -> str:
    """What the workspace takes: Alertmanager's configuration as a text inside another."""
    lines = "".join(f"  {line}\n" for line in config.rstrip("\n").split("\n"))
    return f"alertmanager_config: |\n{lines}"


def _receiver(name: str, topics: Topics, arn: str) -> dict[str, Any]:
    api = {"api_url": topics.api} if topics.api else {}
    config = {
        **api,
        "topic_arn": arn,
        "sigv4": {"region": topics.region, **topics.sigv4},
        "send_resolved": True,
        "subject": SUBJECT,
        "message": MESSAGE,
        "attributes": {label: f"{{{{ .CommonLabels.{label} }}}}" for label in ATTRIBUTES},
    }
    return {"name": name, "sns_configs": [config]}


def _seconds(duration: Any) -> str:
    return f"{max(1, duration.months * 30 * 86_400 + duration.seconds)}s"
