"""The small project with hourly monitors, deployed with its schedules, and asked something in an hour."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.app.loop import Loop, model_of
from tests.aws.doubles import Doubles
from tests.aws.projects import quiet
from tests.aws.running import HERE, Deployed, deployed_project
from tests.aws.runtime import Endpoint
from tests.training.history import sales
from watchkeeper.adapters.aws.store import S3Store
from watchkeeper.app.aws.deploying import Choice, deploy
from watchkeeper.app.aws.functions.job import StartPlan
from watchkeeper.app.aws.layers import known_outputs
from watchkeeper.app.aws.monitors import start_plan
from watchkeeper.app.aws.site import Site
from watchkeeper.app.registry.catalogue import catalogue
from watchkeeper.app.registry.schemas import schema
from watchkeeper.core.values import GroundTruth
from watchkeeper.render.records import ground_truth_line
from watchkeeper.serving.calls import Call

HOURLY = (
    ('data-quality: {schedule: "cron(0 0 1 * ? *)"', 'data-quality: {schedule: "cron(0 * * * ? *)"'),
    (
        '    schedule: "cron(0 0 1 * ? *)"\n    min_rows: 20\n    labels: {delay: 1 month',
        '    schedule: "cron(0 * * * ? *)"\n    min_rows: 20\n    labels: {delay: 0 hours',
    ),
)
ROWS, REQUESTS = 10, 6


@dataclass
class Watched:
    """The project, deployed; `time` is the full hour that has just come due."""

    deployed: Deployed
    doubles: Doubles
    time: datetime
    environment: str
    endpoint: Endpoint

    @property
    def plan(self) -> StartPlan:
        landscape = self.deployed.landscape
        return start_plan(
            Site(landscape, self.environment, known_outputs(landscape)), landscape.central_store()
        )

    def hour(self, start: datetime, scale: float = 1.0) -> None:
        """Sixty rows of an hour with their labels, which are `scale` times what they were."""
        rows = sales().tail(REQUESTS * ROWS)
        bucket = self.deployed.landscape.bucket(self.environment)
        names = [column.name for column in schema(self.deployed.landscape.central_store(), 1).inputs]
        labels = b""
        for number in range(REQUESTS):
            part = rows[number * ROWS : (number + 1) * ROWS]
            name, time = f"{start:%d%H}-{number}", start + timedelta(minutes=9 * number + 1)
            body = part.select(names).write_csv(include_header=False).encode()
            self.endpoint.variant.answer(
                Call(event_id=name, time=time, body=body, content_type="text/csv", inference_id=name)
            )
            prices = tuple(float(each) * scale for each in part["price"])
            labels += ground_truth_line(GroundTruth(name, prices), time)
        self.endpoint.ship()
        key = f"ground-truth/{self.environment}/demo-{self.environment}/{start:%Y/%m/%d/%H}/labels.jsonl"
        self.doubles.client("s3").put_object(Bucket=bucket, Key=key, Body=labels)


def watched_project(
    doubles: Doubles, folder: Path, trained: Loop, *changes: tuple[str, str], labels: str = "0 hours"
) -> Watched:
    """With labels that come so much later than the requests."""
    hourly = [(old, new.replace("0 hours", labels)) for old, new in HOURLY]
    deployed = deployed_project(doubles, folder, trained, *hourly, *changes)
    deploy(deployed.landscape, HERE, quiet)
    return Watched(deployed, doubles, full_hour(), "dev", deployed.endpoint)


def watched_also_in(watched: Watched, environment: str, trained: Loop) -> Watched:
    """The same project in another environment, where its version answers too."""
    landscape, doubles = watched.deployed.landscape, watched.doubles
    deploy(landscape, Choice((environment,)), quiet)
    serving = catalogue(landscape.central_store()).serving(environment)
    assert serving is not None
    bucket = S3Store(doubles.client("s3"), landscape.bucket(environment))
    folder = watched.deployed.folder / f"spool-{environment}"
    endpoint = doubles.runtime.serve(serving, model_of(trained), bucket, folder)
    return replace(watched, environment=environment, endpoint=endpoint)


def full_hour() -> datetime:
    """The hour that has just begun."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
