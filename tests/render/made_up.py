"""Made-up but likely values of a run on HDB resale prices, for the pages' tests and for looking at them."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from watchkeeper.core.audit import AuditEntry, Event, Head, Verification, chain
from watchkeeper.core.decisions import Decision, DecisionKind
from watchkeeper.core.encoding import digest
from watchkeeper.core.rules import Action, Alert, AlertState, Severity
from watchkeeper.core.values import (
    Actor,
    Approval,
    ApprovalStatus,
    BaselineRef,
    Deployment,
    Execution,
    InputDigest,
    Judgement,
    Metrics,
    ModelVersion,
    Sample,
    Segment,
    Status,
    Violation,
    labels_of,
)
from watchkeeper.core.windows import Window, month_start, months_between, shift_month
from watchkeeper.render.execution_page import ExecutionView
from watchkeeper.render.report import (
    AuditSlice,
    Counts,
    DataSource,
    Distribution,
    Gate,
    Month,
    Report,
    Residuals,
    Retrain,
)

MINA, RAVI, ROBOT = Actor("mina", "rehearsal"), Actor("ravi", "rehearsal"), Actor("scheduler", "rehearsal")
SOURCE = DataSource(
    "HDB resale prices, Singapore",
    'Contains information from "Resale flat prices based on registration date from Jan-2017 onwards" '
    "accessed on 30 June 2025 from the Housing & Development Board via data.gov.sg, made available under "
    "the terms of the Singapore Open Data Licence version 1.0.",
    "https://data.gov.sg/open-data-licence",
)
DRIFT = Violation(
    "flat_model",
    "categorical_values_check",
    "Value: 0.9994663820704376 meets the constraint requirement! Unseen: 2-room",
)
TOWNS = ("BUKIT TIMAH", "CENTRAL AREA", "QUEENSTOWN", "BUKIT MERAH", "KALLANG/WHAMPOA", "MARINE PARADE")


def metrics(rows: int, r2: float, rmse: float, bias: float = -0.004) -> Metrics:
    return Metrics(rows, rmse, rmse * 0.72, rmse * 0.72 / 445_000, r2, bias)


def at(month: str, days: float = 0) -> datetime:
    return month_start(month) + timedelta(days=days)


def window(month: str) -> Window:
    return Window(month_start(month), month_start(shift_month(month, 1)))


def version(number: int, month: str) -> ModelVersion:
    """A version that goes into service in `month`."""
    return ModelVersion(
        version=number,
        digest=digest(f"model {number}"),
        run_id=f"run{number}",
        trained_from=shift_month(month, -37) if month > "2020-01" else "2017-01",
        trained_through=shift_month(month, -2),
        labels_known_in=shift_month(month, -1),
        metrics={"r2": 0.953 + number / 900, "rmse": 30_412.0 + 700 * number, "mape": 0.0512},
        schema_version=1,
        data_digest=digest(f"data {number}"),
        project_digest=digest("project file"),
        registered_at=at(month),
        registered_by=MINA,
    )


def execution(
    monitor: str, month: str, version_: int, found: tuple[Violation, ...] = (), rows: int = 2040
) -> Execution:
    status = Status.VIOLATIONS if found else Status.COMPLETED
    labels = labels_of(project="resale-price", environment="prod", endpoint="resale-price", schedule=monitor)
    samples = tuple(
        Sample(f"watchkeeper_{name}", labels, value, at(month, 31))
        for name, value in (("monitor_rows", float(rows)), ("data_quality_violations", float(len(found))))
    )
    reason = f"{len(found)} of 9 checks did not hold" if found else "every check held"
    return Execution(
        key=digest([monitor, month]),
        schedule=monitor,
        monitor=monitor,
        environment="prod",
        endpoint="resale-price",
        window=window(month),
        scheduled_at=at(shift_month(month, 1)),
        status=status,
        reason=reason,
        rows=rows,
        judgements=(
            Judgement(
                version_, rows, status, reason, BaselineRef(monitor, version_, digest(f"b{version_}")), found
            ),
        ),
        samples=samples,
        inputs=tuple(InputDigest(f"captures/prod/schema-v1/{n:02d}.jsonl", digest(n)) for n in range(5)),
        notes=("column month: a time, judged for freshness and volume only", "3 labels for unknown ids"),
    )


def alert(name: str, month: str, state: AlertState, until: str | None = None) -> Alert:
    fired = at(shift_month(month, 1)) if state is not AlertState.PENDING else None
    return Alert(
        name=name,
        fingerprint=digest([name, month])[:16],
        labels=labels_of(project="resale-price", environment="prod", endpoint="resale-price"),
        state=state,
        severity=Severity.CRITICAL,
        action=Action.REVIEW,
        notify=("mlops",),
        summary="watchkeeper_data_quality_violations is 1, above 0",
        value=1.0,
        active_at=at(shift_month(month, 1)) - timedelta(days=1),
        fired_at=fired,
        resolved_at=at(until) if until else None,
    )


def trail(months: tuple[str, ...]) -> AuditSlice:
    """A real chain: what happens in a month, and that once per month."""
    happens = (
        ("model.register", "model v1", MINA, "meets accept: r2 0.954 >= 0.90"),
        ("model.approve", "model v1 for prod", RAVI, "figures and segments checked"),
        ("endpoint.deploy", "prod/resale-price", RAVI, "v1, the artefact tested in uat"),
        ("monitor.run", "data-quality", ROBOT, "cron(0 0 1 * ? *)"),
        ("alert.fire", "DataQualityViolations", ROBOT, "watchkeeper_data_quality_violations is 1, above 0"),
        ("decision.record", "Review", ROBOT, "a person looks at the new value 2-room"),
    )
    head, entries = Head(), list[AuditEntry]()
    for n, month in enumerate(months):
        for k, (action, subject, actor, why) in enumerate(happens if n == 0 else happens[3:]):
            time = at(month, k * 0.01)
            entries.append(chain(head, Event(action, subject, actor, time, why), time))
            head = Head(entries[-1].number, entries[-1].hash)
    return AuditSlice(tuple(entries), Verification(len(entries), True, head.hash))


def distributions() -> tuple[Distribution, ...]:
    names = (
        "Model A",
        "Improved",
        "New Generation",
        "Premium Apartment",
        "Simplified",
        "2-room",
        "Apartment",
    )
    edges = tuple(float(edge) for edge in range(30, 180, 10))
    bumps = [
        math.exp(-(((edge - 92) / 26) ** 2)) + 0.7 * math.exp(-(((edge - 67) / 9) ** 2))
        for edge in edges[:-1]
    ]
    moved = [
        math.exp(-(((edge - 96) / 25) ** 2)) + 0.55 * math.exp(-(((edge - 66) / 9) ** 2))
        for edge in edges[:-1]
    ]
    return (
        Distribution(
            "flat_model",
            "categorical",
            (0.32, 0.26, 0.15, 0.1, 0.05, 0.0, 0.03),
            (0.33, 0.25, 0.14, 0.11, 0.05, 0.012, 0.03),
            labels=names,
            note="2-room was not in the baseline: 24 of 2,040 rows.",
        ),
        Distribution(
            "floor_area_sqm",
            "numeric",
            tuple(bump / sum(bumps) for bump in bumps),
            tuple(bump / sum(moved) for bump in moved),
            edges=edges,
            note="Drift distance 0.03, well under the threshold of 0.1.",
        ),
    )


def residuals(rows: int) -> Residuals:
    draw = random.Random(7)
    prices = [min(max(draw.lognormvariate(13.0, 0.3), 180_000), 1_200_000) for _ in range(rows)]
    return Residuals(tuple((price * draw.gauss(1, 0.065), price) for price in prices), rows, "SGD")


def segments() -> tuple[Segment, ...]:
    return tuple(
        Segment("town", town, metrics(96 - 13 * n, 0.93, 61_000.0 - 5_200 * n, 0.041 - 0.013 * n))
        for n, town in enumerate(TOWNS)
    )


def one_month() -> Report:
    """January 2020: one violation, one alert, one decision."""
    month = "2020-01"
    firing = alert("DataQualityViolations", month, AlertState.FIRING)
    return Report(
        project="resale-price",
        title="Rehearsal, January 2020",
        source=SOURCE,
        environment="prod",
        first=month,
        until=month,
        label_unit="SGD",
        counts=Counts(1065, 1065, 2040, 2040, 2040),
        audit=trail((month,)),
        generated_at=datetime(2026, 8, 3, 9, 12, tzinfo=UTC),
        versions=(version(1, month),),
        approvals=tuple(
            Approval(1, environment, ApprovalStatus.APPROVED, actor, at(month), "figures checked")
            for environment, actor in (("dev", MINA), ("uat", MINA), ("prod", RAVI))
        ),
        deployments=tuple(
            Deployment(1, environment, "resale-price", 1, digest("model 1"), None, at(month), RAVI)
            for environment in ("dev", "uat", "prod")
        ),
        months=(
            Month(month, 2040, 1, metrics(2040, 0.9467, 34_217.0), 30_412.0, 1.125, (DRIFT,), (firing.name,)),
        ),
        executions=(execution("data-quality", month, 1, (DRIFT,)), execution("model-quality", month, 1)),
        distributions=distributions(),
        residuals=residuals(2040),
        segments=segments(),
        alerts=(firing,),
        decisions=(
            Decision(
                "5d1f8c30aa21be04",
                DecisionKind.REVIEW,
                "prod",
                firing.name,
                firing.fingerprint,
                at("2020-02"),
                (firing.summary,),
                at("2020-02"),
                notify=("mlops",),
            ),
        ),
        seconds=(
            ("ingest", 1.2),
            ("search", 14.6),
            ("train", 2.3),
            ("serve and capture", 6.9),
            ("monitor", 1.4),
            ("report", 0.2),
        ),
        ratio_limit=1.25,
    )


RETRAINED = (
    "2020-12",
    "2021-06",
    "2021-11",
    "2022-05",
    "2022-10",
)  # month from which the next version serves


def three_years() -> Report:
    """2020 to 2022 with two models: the market moves, one is retrained five times."""
    base, months = one_month(), months_between("2020-01", "2022-12")
    draw, rows, serving, since = random.Random(3), list[Month](), 1, 0
    for n, month in enumerate(months):
        if month in RETRAINED:
            serving, since = serving + 1, 0
        drift = 0.0 if n < 6 else (n - 6) / 30
        baseline = 30_412.0 + 900 * serving
        mine = baseline * (1.02 + 0.045 * since + draw.uniform(-0.03, 0.03))
        alone = 31_000 + 84_000 * drift + draw.uniform(-2_000, 2_000)
        known = n < len(months) - 1
        fired = ("ModelQualityDegraded",) if shift_month(month, 3) in RETRAINED or month == "2022-10" else ()
        sold = {"2020-04": 424, "2020-05": 363}.get(month, draw.randint(1700, 2700))
        rows.append(
            Month(
                month,
                sold,
                serving,
                metrics(sold, 1 - (mine / 152_000) ** 2, mine) if known else None,
                baseline,
                mine / baseline if known else None,
                (DRIFT,) if month in ("2020-01", "2022-06") else (),
                fired,
                metrics(sold, 1 - (alone / 152_000) ** 2, alone, -0.12 * drift) if known else None,
                "" if known else "awaiting labels, complete at the end of January 2023",
            )
        )
        since += 1
    return replace(
        base,
        title="Rehearsal, 36 months",
        until="2022-12",
        counts=Counts(41_250, 41_250, 79_140, 77_021, 77_021),
        audit=trail(months),
        versions=tuple(version(n, m) for n, m in enumerate(("2020-01", *RETRAINED), start=1)),
        deployments=(
            *base.deployments,
            *(
                Deployment(n, "prod", "resale-price", n, digest(f"model {n}"), n - 1, at(m), RAVI)
                for n, m in enumerate(RETRAINED, start=2)
            ),
        ),
        months=tuple(rows),
        executions=tuple(_executions(rows)),
        alerts=tuple(_alerts()),
        decisions=tuple(_decisions()),
        retrains=tuple(
            Retrain(
                f"retrain-{n}",
                m,
                "ModelQualityDegraded",
                "ravi",
                Gate(46_120.0 + 900 * n, 38_050.0 + 700 * n, 6_412),
                n,
            )
            for n, m in enumerate(RETRAINED, start=2)
        ),
        seconds=(
            *base.seconds[:1],
            ("search", 96.2),
            ("train", 18.4),
            ("serve and capture", 61.0),
            ("monitor", 22.9),
        ),
    )


def _executions(months: list[Month]) -> list[Execution]:
    found = []
    for month in months:
        found.append(
            execution("data-quality", month.month, month.model_version, month.violations, month.rows)
        )
        worse = Violation(
            "rmse", "LessThanThreshold", f"Metric rmse with {month.rows * 17.123456789} was over 40000.0"
        )
        quality = execution(
            "model-quality", month.month, month.model_version, (worse,) if month.alerts else (), month.rows
        )
        if month.rows < 500:
            quality = replace(
                quality, status=Status.INSUFFICIENT_DATA, reason=f"{month.rows} rows, want 500", judgements=()
            )
        if month.metrics is None:
            quality = replace(quality, status=Status.AWAITING_LABELS, reason=month.note, judgements=())
        found.append(quality)
    return found


def _alerts() -> list[Alert]:
    resolved = [
        alert("ModelQualityDegraded", shift_month(month, -3), AlertState.RESOLVED, shift_month(month, 2))
        for month in RETRAINED
    ]
    return [*resolved, alert("ModelQualityDegraded", "2022-10", AlertState.FIRING)]


def _decisions() -> list[Decision]:
    why = ("watchkeeper_model_quality_rmse_baseline_ratio is 1.31427, above 1.25",)
    made = [
        Decision(
            f"retrain-{n}",
            DecisionKind.RETRAIN,
            "prod",
            "ModelQualityDegraded",
            f"{n}",
            at(m, -31),
            why,
            at(m, -31),
            True,
            ("mlops",),
        )
        for n, m in enumerate(RETRAINED, start=2)
    ]
    last = at("2022-12")
    return [
        *made,
        Decision(
            "9b40c1e2d7734f5a",
            DecisionKind.RETRAIN,
            "prod",
            "ModelQualityDegraded",
            "f",
            last,
            why,
            last,
            True,
            ("mlops",),
        ),
    ]


def empty() -> Report:
    """A run in which nothing has happened yet."""
    return Report(
        project="resale-price",
        title="Rehearsal",
        source=DataSource(
            "look-alike", "Generated rows that look like HDB resale prices; no real sale is in them."
        ),
        environment="prod",
        first="2020-01",
        until="2020-01",
        label_unit="",
        counts=Counts(0, 0, 0, 0, 0),
        audit=AuditSlice((), Verification(0, True, "0" * 64)),
        generated_at=datetime(2026, 8, 3, 9, 12, tzinfo=UTC),
    )


def execution_view() -> ExecutionView:
    return ExecutionView(
        "resale-price",
        SOURCE,
        execution("data-quality", "2020-01", 1, (DRIFT,)),
        "SGD",
        distributions(),
        segments(),
        residuals(2040),
    )
