"""A bucket as a whole: emptied of every version, and removed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from watchkeeper.adapters.aws.errors import code_of, translated
from watchkeeper.core.errors import PlatformError
from watchkeeper.core.values import Progress


def empty_and_remove(client: Any, bucket: str, report: Callable[[Progress], None]) -> None:
    """Delete every version of every object, then the bucket; nothing when there is none.

    A bucket policy that protects objects from being deleted goes first: whoever may remove it may remove
    them.
    """
    with translated(f"empty bucket {bucket}"):
        try:
            client.delete_bucket_policy(Bucket=bucket)
        except ClientError as error:
            if code_of(error) == "NoSuchBucket":
                return
            raise
        done = 0
        for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
            found = [
                {"Key": each["Key"], "VersionId": each["VersionId"]}
                for each in (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
            ]
            if found:
                _delete(client, bucket, found)
                done += len(found)
                report(Progress(f"empty {bucket}", done, None))
        client.delete_bucket(Bucket=bucket)


def _delete(client: Any, bucket: str, found: list[dict[str, str]]) -> None:
    answer = client.delete_objects(Bucket=bucket, Delete={"Objects": found, "Quiet": True})
    if errors := answer.get("Errors"):
        first = errors[0]
        raise PlatformError(
            f"empty bucket {bucket}: {first.get('Key')}: {first.get('Message')} and {len(errors) - 1} more",
            retryable=False,
        )
