"""What Model Monitor does when a schedule's time comes: a job definition becomes a processing job, with the
captures of the hours mounted below the endpoint's input and the contract's variables (contract 8.3, 8.5)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.aws.templates import Stack
from watchkeeper.app.aws.functions.job import FORMAT
from watchkeeper.core.windows import hour_folder, utc_text


def job_of(stack: Stack, schedule: str, time: datetime, captures: str, hours: int = 1) -> dict[str, Any]:
    """The job that a schedule of the stack starts at a time; `captures` is where the endpoint captures to."""
    resources = stack.resources()
    (logical,) = [
        name for name, each in resources.items() if each.properties.get("MonitoringScheduleName") == schedule
    ]
    definition = resources[f"{logical}Job"].properties
    given = definition["DataQualityJobInput"]["EndpointInput"]
    (output,) = definition["DataQualityJobOutputConfig"]["MonitoringOutputs"]
    start, endpoint = time - timedelta(hours=hours), given["EndpointName"]
    inputs = [
        {
            "InputName": f"endpoint_input_{number}",
            "S3Input": {
                "S3Uri": f"{captures}/{endpoint}/AllTraffic/{hour_folder(start + timedelta(hours=number))}",
                "LocalPath": f"{given['LocalPath']}/{endpoint}/AllTraffic/"
                f"{hour_folder(start + timedelta(hours=number))}",
                "S3DataType": "S3Prefix",
            },
        }
        for number in range(hours)
    ]
    placed = output["S3Output"]
    own = definition["DataQualityAppSpecification"]["Environment"]
    return {
        "ProcessingJobName": f"model-monitoring-{time:%Y%m%d%H%M}-{'0' * 24}",
        "RoleArn": definition["RoleArn"],
        "AppSpecification": {"ImageUri": definition["DataQualityAppSpecification"]["ImageUri"]},
        "Environment": {
            **own,
            "dataset_format": FORMAT,
            "dataset_source": given["LocalPath"],
            "output_path": placed["LocalPath"],
            "publish_cloudwatch_metrics": "Enabled",
            "start_time": utc_text(start),
            "end_time": utc_text(time),
            "metric_time": utc_text(start),
            "sagemaker_endpoint_name": endpoint,
            "sagemaker_monitoring_schedule_name": schedule,
        },
        "ProcessingInputs": inputs,
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "result",
                    "S3Output": {
                        **placed,
                        "S3Uri": f"{placed['S3Uri']}/{endpoint}/{schedule}/{hour_folder(time)}",
                    },
                }
            ]
        },
    }
