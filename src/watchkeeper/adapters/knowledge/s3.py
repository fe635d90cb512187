"""Pages as objects below an S3 prefix, with boto3 and whatever lets it in."""

from __future__ import annotations

import importlib
from urllib.parse import urlsplit

from watchkeeper.adapters.knowledge import Shelf
from watchkeeper.core.incidents import Delivery


def put(shelf: Shelf, page: str, text: str) -> Delivery:
    """Put the page below the option `url`, `s3://BUCKET/PREFIX`.

    Source: docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html.
    """
    try:
        boto3, errors = importlib.import_module("boto3"), importlib.import_module("botocore.exceptions")
    except ModuleNotFoundError:
        return Delivery(delivered=False, reason="kind s3 needs boto3: pip install 'watchkeeper[aws]'")
    place = urlsplit(shelf.options["url"])
    key = f"{place.path.strip('/')}/{page}".lstrip("/")
    try:
        boto3.client("s3").put_object(
            Bucket=place.netloc, Key=key, Body=text.encode(), ContentType="text/markdown; charset=utf-8"
        )
    except (errors.BotoCoreError, errors.ClientError) as error:
        return Delivery(delivered=False, reason=f"put {key}: {error}")
    return Delivery(delivered=True)
