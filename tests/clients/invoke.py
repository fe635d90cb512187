"""Ask with boto3 what stdin says, [{"call": {...}, "body": text}]; stdout has answers and exceptions."""

from __future__ import annotations

import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

config = Config(retries={"max_attempts": 0}, parameter_validation=False)
client = boto3.client("sagemaker-runtime", endpoint_url=sys.argv[1], config=config)


def ask(call: dict[str, str], body: str) -> dict[str, object]:
    try:
        answer = client.invoke_endpoint(**call, Body=body.encode())
    except ClientError as error:
        modelled = isinstance(error, getattr(client.exceptions, error.response["Error"]["Code"], ()))
        fields = {name: value for name, value in error.response.items() if name.startswith("Original")}
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        said = error.response["Error"]
        return {
            "error": said["Code"],
            "message": said["Message"],
            "modelled": modelled,
            "status": status,
            **fields,
        }
    return {
        "body": answer["Body"].read().decode(),
        "type": answer["ContentType"],
        "variant": answer["InvokedProductionVariant"],
        "attributes": answer.get("CustomAttributes"),
        "id": answer["ResponseMetadata"]["RequestId"],
    }


json.dump([ask(**each) for each in json.load(sys.stdin)], sys.stdout)
