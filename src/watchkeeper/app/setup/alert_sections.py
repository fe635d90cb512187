"""The sections on what becomes of metrics: rules, promises, who is told and how, when to retrain."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, field_validator, model_validator

from watchkeeper.adapters.secrets import REFERENCE
from watchkeeper.app.setup.section import Length, Moment, Schedule, Section, said, unknown
from watchkeeper.core.decisions import ApprovalNeed, Freeze
from watchkeeper.core.inhibition import Inhibition
from watchkeeper.core.metrics import METRIC_PREFIX, METRICS, MetricType
from watchkeeper.core.patterns import check_pattern
from watchkeeper.core.rules import Action, Severity
from watchkeeper.core.windows import Duration, utc_text

KNOWN_METRICS = tuple(metric.name.removeprefix(METRIC_PREFIX) for metric in METRICS)
COMPLETENESS = "data_quality_completeness_ratio"
RULE_METRICS = ("endpoint_", "labels_")  # what is known without judging a window
SLA_METRICS = tuple(
    name
    for metric in METRICS
    if metric.type is MetricType.GAUGE
    and (name := metric.name.removeprefix(METRIC_PREFIX)).startswith(
        (COMPLETENESS, "model_quality_", *RULE_METRICS)
    )
)
BY_THRESHOLD = (
    "data_quality_",
    "explainability_",
    "bias_",
    "estimated_quality_",
)  # these wake nobody by default
OF_RECEIVERS = {
    "path": ("file",),
    "url": ("webhook", "apprise", "ticket", "digest"),
    "token": ("webhook", "ticket"),
    "tracker": ("ticket",),
    "user": ("ticket",),
    "board": ("ticket",),
    "issue_type": ("ticket",),
    "schedule": ("digest",),
}
NEEDED = {
    "webhook": ("url",),
    "apprise": ("url",),
    "ticket": ("url", "tracker"),
    "digest": ("url", "schedule"),
}
OF_SHELVES = {"path": ("folder",), "url": ("git", "http", "s3"), "branch": ("git",), "token": ("http",)}
A_REFERENCE = (
    "want a reference to a secret, ${env:NAME}, ${file:PATH} or ${aws-secret:ARN}, got a text that may be one"
)
BY_SECRET_URL = ("apprise", "digest")


class AlertSection(Section):
    model_config = ConfigDict(populate_by_name=False)

    name: str = Field(pattern=r"^[A-Z][A-Za-z0-9]*$")
    metric: str
    above: float | None = None
    below: float | None = None
    absent: bool = False
    lasting: Length = Field(default=Duration(), alias="for")
    severity: Severity
    action: Action
    notify: list[str] = []
    calibrated: bool = False
    incident: str | None = Field(default=None, pattern=r"^[A-Za-z][A-Za-z0-9-]*$")

    @model_validator(mode="after")
    def _one_condition(self) -> AlertSection:
        conditions = [self.above is not None, self.below is not None, self.absent]
        if sum(conditions) != 1:
            message = f"alert {self.name}: want one of above, below and absent, got {sum(conditions)}"
            raise said(message, "name")
        if self.metric not in KNOWN_METRICS:
            raise said(unknown(self.metric, KNOWN_METRICS, "metric"), "metric")
        if (
            self.severity is Severity.CRITICAL
            and self.metric.startswith(BY_THRESHOLD)
            and not self.calibrated
        ):
            raise said(
                f"alert {self.name}: want severity warning, as what {self.metric} means depends on its "
                "threshold; one that was calibrated on windows of yours may say calibrated: true",
                "severity",
            )
        return self


class FreezeSection(Section):
    """Times in which nothing is retrained: one span, or one again and again."""

    model_config = ConfigDict(populate_by_name=False)

    why: str = Field(min_length=1)
    begins: Moment | None = Field(default=None, alias="from")
    until: Moment | None = None
    schedule: Schedule | None = None
    lasting: Length | None = Field(default=None, alias="for")

    @model_validator(mode="after")
    def _one_way(self) -> FreezeSection:
        given = [each is not None for each in (self.begins, self.until, self.schedule, self.lasting)]
        if given not in ([True, True, False, False], [False, False, True, True]):
            raise said("want from and until, or schedule and for", "why")
        if self.begins is not None and self.until is not None and self.begins >= self.until:
            raise said(
                f"until: want a time after {utc_text(self.begins)}, got {utc_text(self.until)}", "until"
            )
        return self

    def freeze(self) -> Freeze:
        return Freeze(self.why, self.begins, self.until, self.schedule, self.lasting or Duration())


class RetrainSection(Section):
    approval: dict[str, ApprovalNeed] = {}
    approval_expires: Length | None = None
    cooldown: Length = Duration(seconds=7 * 86400)
    at_most: str = Field(default="2 per 30 days", pattern=r"^\d+ per .+$")
    freeze: list[FreezeSection] = []
    when: dict[str, Any] | None = None

    @field_validator("when")
    @classmethod
    def _is_a_pattern(cls, pattern: dict[str, Any] | None) -> dict[str, Any] | None:
        if pattern is not None:
            check_pattern(pattern)
        return pattern

    @field_validator("at_most")
    @classmethod
    def _per_duration(cls, text: str) -> str:
        Duration.parse(text.partition(" per ")[2])
        return text


class SlaSection(Section):
    """A promise about a metric. One about an endpoint or its labels is an alert rule too."""

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9-]*$")
    metric: str
    at_most: float | None = Field(default=None, allow_inf_nan=False)
    at_least: float | None = Field(default=None, allow_inf_nan=False)
    column: str | None = None
    owner: str
    reference: str = ""

    @model_validator(mode="after")
    def _one_bound(self) -> SlaSection:
        if (self.at_most is None) == (self.at_least is None):
            got = "none" if self.at_most is None else "both"
            raise said(f"sla {self.name}: want one of at_most and at_least, got {got}", "name")
        if self.metric not in SLA_METRICS:
            raise said(unknown(self.metric, SLA_METRICS, "metric of an sla"), "metric")
        if self.column is not None and self.metric != COMPLETENESS:
            raise said(f"sla {self.name}: want a column for {COMPLETENESS} alone", "column")
        return self

    @property
    def is_rule(self) -> bool:
        """Whether alert rules watch it; a monitor judges the others."""
        return self.metric.startswith(RULE_METRICS)

    @property
    def rule_name(self) -> str:
        """`p95-latency` as `SlaP95Latency`."""
        return "Sla" + "".join(part[:1].upper() + part[1:] for part in self.name.split("-"))


class ReceiverSection(Section):
    """One way to reach somebody. A key belongs to the kinds that `OF_RECEIVERS` names."""

    kind: Literal["file", "webhook", "apprise", "ticket", "digest"]
    path: str = "notifications"
    url: str = ""
    token: str | None = None
    tracker: Literal["github", "jira"] | None = None
    user: str | None = None
    board: str | None = None
    issue_type: str | None = None
    schedule: Schedule | None = None

    @model_validator(mode="after")
    def _keys_of_its_kind(self) -> ReceiverSection:
        for key in sorted(self.model_fields_set & OF_RECEIVERS.keys()):
            if self.kind not in OF_RECEIVERS[key]:
                kinds = " and ".join(OF_RECEIVERS[key])
                raise said(f"{key} is a key of the kind{'s' * (' ' in kinds)} {kinds} alone", key)
        for key in NEEDED.get(self.kind, ()):
            if not getattr(self, key):
                raise said(f"want a {key} for the kind {self.kind}, got none")
        if self.tracker == "jira" and not self.board:
            raise said("want a board for the tracker jira, the project's key, got none")
        return self

    @model_validator(mode="after")
    def _secrets_by_reference(self) -> ReceiverSection:
        if self.token is not None and not REFERENCE.fullmatch(self.token):
            raise said(f"token: {A_REFERENCE}", "token")
        if not self.url or REFERENCE.fullmatch(self.url):
            return self
        if self.kind in BY_SECRET_URL:  # who knows it may write to the channel
            raise said(f"url: {A_REFERENCE}", "url")
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise said(f'url: want http:// or https:// and a host, got "{self.url}"', "url")
        if parts.username or parts.password:
            raise said("url: want no password in it; it may be a reference as a whole, ${env:NAME}", "url")
        return self

    def options(self) -> dict[str, str]:
        """What its adapter is told."""
        return {
            key: str(value)
            for key, kinds in OF_RECEIVERS.items()
            if self.kind in kinds and (value := getattr(self, key)) is not None
        }


class InhibitSection(Section):
    """While an alert of `source` fires, nobody is told of those of `target`; Alertmanager's inhibition."""

    source: dict[str, str] = Field(min_length=1)
    target: dict[str, str] = Field(min_length=1)
    equal: list[str] = []

    def inhibition(self) -> Inhibition:
        return Inhibition(tuple(self.source.items()), tuple(self.target.items()), tuple(self.equal))


class ShelfSection(Section):
    """One place that incidents' records and weekly pages on drift are mirrored to."""

    kind: Literal["folder", "git", "http", "s3"]
    path: str | None = None
    url: str | None = None
    branch: str | None = None
    token: str | None = None

    @model_validator(mode="after")
    def _keys_of_its_kind(self) -> ShelfSection:
        for key in sorted(self.model_fields_set - {"kind"}):
            if self.kind not in OF_SHELVES[key]:
                raise said(f"{key} is a key of the kind {' and '.join(OF_SHELVES[key])} alone", key)
        needed = "path" if self.kind == "folder" else "url"
        if not getattr(self, needed):
            raise said(f"want a {needed} for the kind {self.kind}, got none")
        if self.token is not None and not REFERENCE.fullmatch(self.token):
            raise said(f"token: {A_REFERENCE}", "token")
        if self.kind == "s3" and not str(self.url).startswith("s3://"):
            raise said(f'url: want s3://BUCKET/PREFIX, got "{self.url}"', "url")
        if self.url is not None and urlsplit(self.url).password:
            raise said("url: want no password in it; git and a token let it in", "url")
        return self

    def options(self) -> dict[str, str]:
        """What its adapter is told."""
        return {key: value for key in OF_SHELVES if (value := getattr(self, key)) is not None}


class RemoteWriteSection(Section):
    """What takes samples by Prometheus' remote write."""

    url: str = Field(pattern=r"^https?://.+$")
    token: str | None = None

    @model_validator(mode="after")
    def _secret_by_reference(self) -> RemoteWriteSection:
        if self.token is not None and not REFERENCE.fullmatch(self.token):
            raise said(f"token: {A_REFERENCE}", "token")
        return self


class TelemetrySection(Section):
    """Where metrics go besides `/metrics`, which is there to be scraped."""

    remote_write: list[RemoteWriteSection] = []


class NotificationsSection(Section):
    """How soon, how often and how long apart an incident is told of, in Alertmanager's words."""

    group_wait: Length = Duration(seconds=30)
    group_interval: Length = Duration(seconds=300)
    repeat_interval: Length = Duration(seconds=30 * 86400)
    escalate_after: Length | None = None
    escalate_to: list[str] = []
    external_url: str = Field(default="", pattern=r"^(https?://.*[^/])?$")
    grafana_url: str = Field(default="", pattern=r"^(https?://.*[^/])?$")
    runbooks: str = Field(default="docs/runbooks", pattern=r"[^/]$")
    alertmanager_url: str = Field(default="", pattern=r"^(https?://.*[^/])?$")
    mute_at_most: Length = Duration(seconds=7 * 86400)
