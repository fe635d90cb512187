"""References to secrets, followed where a secret is used and nowhere before.

The project file names a secret, `${env:NAME}`, `${file:PATH}` or `${aws-secret:ARN}`, and never holds one:
what is not there cannot be printed, logged or stored.
"""

from __future__ import annotations

import importlib
import os
import re
from pathlib import Path
from typing import Any

from watchkeeper.core.errors import InputError

REFERENCE = re.compile(r"\$\{(env|file|aws-secret):([^}]+)\}")
FORMS = "${env:NAME}, ${file:PATH} or ${aws-secret:ARN}"
_ARN = re.compile(r"arn:[\w-]+:secretsmanager:([\w-]+):\d{12}:secret:.+")


def resolve(reference: str) -> str:
    """What the reference stands for, stripped. Raises InputError when nothing is there."""
    match = REFERENCE.fullmatch(reference)
    if match is None:
        raise InputError(f"follow a reference to a secret: want {FORMS}, got another text")
    kind, name = match.groups()
    if kind == "env":
        found = os.environ.get(name, "")
    elif kind == "aws-secret":
        found = _of_aws(reference, name)
    else:
        try:
            found = Path(name).expanduser().read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"follow the secret {reference}: {error}") from None
    if not found.strip():
        raise InputError(f"follow the secret {reference}: want a text, got none")
    return found.strip()


def resolved(text: str) -> str:
    """A text as it is, or what it stands for when it is a reference. Raises InputError as `resolve` does."""
    return resolve(text) if REFERENCE.fullmatch(text) else text


def _of_aws(reference: str, arn: str) -> str:
    """A secret's text from AWS Secrets Manager, in the region that its ARN names, as whoever runs this may.

    Source: docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html.
    """
    region = _ARN.fullmatch(arn)
    if region is None:
        raise InputError(f"follow the secret {reference}: want the ARN of a secret of AWS Secrets Manager")
    try:
        boto3, errors = importlib.import_module("boto3"), importlib.import_module("botocore.exceptions")
    except ModuleNotFoundError:
        raise InputError(
            f"follow the secret {reference}: want boto3 (pip install 'watchkeeper[aws]')"
        ) from None
    try:
        client: Any = boto3.client("secretsmanager", region_name=region[1])
        found: str = client.get_secret_value(SecretId=arn).get("SecretString", "")
    except (errors.BotoCoreError, errors.ClientError) as error:
        raise InputError(f"follow the secret {reference}: {error}") from None
    return found
