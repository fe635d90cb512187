"""A caller of endpoints on SageMaker, as any application is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from watchkeeper.adapters.aws.errors import translated


@dataclass(frozen=True, slots=True)
class EndpointCaller:
    """Sends requests by `sagemaker-runtime`.

    Source: docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html.
    """

    client: Any

    def invoke(self, endpoint: str, inference_id: str, body: bytes) -> tuple[bytes, str]:
        """The answer to rows of CSV, and the variant that gave it. Raises PlatformError for any other."""
        with translated(f"invoke {endpoint} with inference id {inference_id}"):
            answer = self.client.invoke_endpoint(
                EndpointName=endpoint,
                InferenceId=inference_id,
                ContentType="text/csv",
                Accept="text/csv",
                Body=body,
            )
            said: bytes = answer["Body"].read()
        return said, str(answer.get("InvokedProductionVariant", ""))
