"""Model packages in the registry of the doubles, as the pipeline's last steps leave them."""

from __future__ import annotations

import contextlib

from botocore.exceptions import ClientError

from tests.aws.doubles import Doubles

GROUP = "watchkeeper-demo"
IMAGE = "123456789012.dkr.ecr.ap-southeast-1.amazonaws.com/watchkeeper-demo/serving@sha256:" + "0" * 64


def package(doubles: Doubles, group: str = GROUP) -> str:
    """The ARN of another version of the group."""
    client = doubles.client("sagemaker")
    with contextlib.suppress(ClientError):  # it is there
        client.create_model_package_group(ModelPackageGroupName=group)
    made = client.create_model_package(
        ModelPackageGroupName=group,
        InferenceSpecification={
            "Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://bucket/pipeline/model.tar.gz"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        ModelApprovalStatus="PendingManualApproval",
    )
    arn: str = made["ModelPackageArn"]
    return arn
