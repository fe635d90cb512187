"""The job of a monitor, as `CreateProcessingJob` is asked for it: the contract's mounts and variables.

Source: docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateProcessingJob.html.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from watchkeeper.core.cron import Cron
from watchkeeper.core.encoding import digest
from watchkeeper.core.errors import InputError
from watchkeeper.core.ports import ANY, Store
from watchkeeper.core.windows import Duration, Window, hour_folder, parse_utc, utc_text

SOURCE, OUTPUT = "/opt/ml/processing/input/endpoint", "/opt/ml/processing/output"
FORMAT = '{"sagemakerCaptureJson":{"captureIndexNames":["endpointInput","endpointOutput"]}}'
_LONGEST_NAME = 63


@dataclass(frozen=True, slots=True)
class Schedule:
    """One monitor's schedule: `labels` is how much later they come, `delay` how long after its time it
    runs."""

    name: str
    monitor: str
    expression: str
    labels: Duration
    delay: Duration

    def window(self, time: datetime) -> Window:
        """The period before a time of the schedule, moved back by the label delay (contract 2.4 and 8.6)."""
        before = Cron.parse(self.expression).previous(time)
        return Window(self.labels.before(before), self.labels.before(time))


@dataclass(frozen=True, slots=True)
class StartPlan:
    """An environment's schedules, and what their jobs are made of."""

    environment: str
    endpoint: str
    region: str
    captures: str
    image: str
    role: str
    instance: str
    key: str
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    project: str
    namespace: str
    seconds: int
    tags: dict[str, str]
    schedules: tuple[Schedule, ...]

    def schedule(self, name: str) -> Schedule:
        """Raises InputError for one that is not of the plan."""
        for each in self.schedules:
            if each.name == name:
                return each
        known = ", ".join(each.name for each in self.schedules)
        raise InputError(f"start the job of schedule {name}: want one of {known}")


@dataclass(frozen=True, slots=True)
class Due:
    """A time of a schedule that came."""

    schedule: str
    time: datetime

    @classmethod
    def parse(cls, body: str) -> Due:
        """Read what Scheduler put into the queue."""
        said = json.loads(body)
        return cls(said["schedule"], parse_utc(said["time"]))

    def body(self) -> str:
        """What `parse` reads."""
        return json.dumps({"schedule": self.schedule, "time": utc_text(self.time)})


def job_name(due: Due) -> str:
    """The same for the same time of a schedule, so that SageMaker refuses to run it twice.

    >>> job_name(Due("demo-dev-data-quality", parse_utc("2026-11-29T10:00:00Z")))
    'demo-dev-data-quality-20261129T100000-a7b8e4d5'
    """
    mark = f"-{due.time:%Y%m%dT%H%M%S}-{digest(due.body().encode())[:8]}"
    return due.schedule[: _LONGEST_NAME - len(mark)].rstrip("-") + mark


def captured(store: Store, plan: StartPlan, window: Window) -> Sequence[str]:
    """The capture files of exactly the window's hours, whatever schema and variant."""
    hours = {hour_folder(hour) for hour in window.hours()}
    days = sorted({hour.rpartition("/")[0] for hour in hours})
    folder = f"captures/{plan.environment}/{ANY}/{plan.endpoint}/{ANY}/"
    keys = [key for day in days for key in store.list(f"{folder}{day}/")]
    return sorted(key for key in keys if "/".join(key.split("/")[-5:-1]) in hours)


def manifest(bucket: str, keys: Sequence[str]) -> bytes:
    """What names the objects to mount, each below the mount as it lies in the bucket.

    Source: docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProcessingS3Input.html, `ManifestFile`.
    """
    return json.dumps([{"prefix": f"s3://{bucket}/"}, *keys]).encode()


def own_variables(plan: StartPlan, schedule: Schedule) -> dict[str, str]:
    """What makes the analyzer's job one of the project's monitor, whoever starts it."""
    return {
        "AWS_DEFAULT_REGION": plan.region,
        "WATCHKEEPER_PROJECT": plan.project,
        "WATCHKEEPER_ENVIRONMENT": plan.environment,
        "WATCHKEEPER_MONITOR": schedule.monitor,
    }


def job_request(plan: StartPlan, due: Due, manifest_uri: str | None) -> dict[str, Any]:
    """The request; without a manifest nothing was captured, and the job says why."""
    schedule = plan.schedule(due.schedule)
    window, hour = schedule.window(due.time), hour_folder(due.time)
    output = f"s3://{plan.captures}/monitoring/{plan.endpoint}/{schedule.name}/{hour}"
    variables = {
        **own_variables(plan, schedule),
        "WATCHKEEPER_METRICS_NAMESPACE": plan.namespace,
        "dataset_format": FORMAT,
        "dataset_source": SOURCE,
        "output_path": OUTPUT,
        "publish_cloudwatch_metrics": "Enabled",
        "start_time": utc_text(window.start),
        "end_time": utc_text(window.end),
        "sagemaker_endpoint_name": plan.endpoint,
        "sagemaker_monitoring_schedule_name": schedule.name,
    }
    mounted = {
        "InputName": "endpoint",
        "S3Input": {
            "S3Uri": manifest_uri,
            "LocalPath": SOURCE,
            "S3DataType": "ManifestFile",
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
        },
    }
    placed = {
        "OutputName": "result",
        "S3Output": {"S3Uri": output, "LocalPath": OUTPUT, "S3UploadMode": "EndOfJob"},
    }
    return {
        "ProcessingJobName": job_name(due),
        "RoleArn": plan.role,
        "AppSpecification": {"ImageUri": plan.image},
        "Environment": variables,
        **({"ProcessingInputs": [mounted]} if manifest_uri else {}),
        "ProcessingOutputConfig": {"Outputs": [placed], "KmsKeyId": plan.key},
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceCount": 1,
                "InstanceType": plan.instance,
                "VolumeSizeInGB": 30,
                "VolumeKmsKeyId": plan.key,
            }
        },
        "NetworkConfig": {
            "EnableInterContainerTrafficEncryption": True,
            "VpcConfig": {"Subnets": list(plan.subnets), "SecurityGroupIds": list(plan.security_groups)},
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": plan.seconds},
        "Tags": [{"Key": key, "Value": text} for key, text in plan.tags.items()],
    }
