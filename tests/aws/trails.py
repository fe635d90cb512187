"""CloudTrail's delivery of files, which no double has: log files, digests that are signed, and the key to
them.

MiniStack answers for the rest of CloudTrail. Forms are those of the user guide's pages on log files and
digests.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.aws import wire

FINGERPRINT = "31e8b5433410dfb61a9dc45cc65b22ff"


@cache
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Trails:
    """What a trail has delivered so far; `previous` is the newest digest's place, text and signature."""

    previous: tuple[str, bytes, str] | None = None
    delivered: list[str] = field(default_factory=list)

    def answer(self, name: str, ministack: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        if name != "ListPublicKeys":
            return wire.handed_on(ministack, headers, body)
        key = private_key().public_key()
        value = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
        found = {"Value": base64.b64encode(value).decode(), "Fingerprint": FINGERPRINT}
        return 200, json.dumps({"PublicKeyList": [found]}).encode()

    def deliver(self, client: Any, bucket: str, records: Sequence[Mapping[str, Any]], time: datetime) -> str:
        """One log file and the digest of its hour; the file's key."""
        account, region = "123456789012", "ap-southeast-1"
        folder, mark = f"AWSLogs/{account}", f"{time:%Y%m%dT%H%M%SZ}"
        key = f"{folder}/CloudTrail/{region}/{time:%Y/%m/%d}/{account}_CloudTrail_{region}_{mark}_x.json.gz"
        text = json.dumps({"Records": list(records)}).encode()
        client.put_object(Bucket=bucket, Key=key, Body=gzip.compress(text))
        own = f"{account}_CloudTrail-Digest_{region}_watchkeeper-demo_{region}_{mark}.json.gz"
        digest = f"{folder}/CloudTrail-Digest/{region}/{time:%Y/%m/%d}/{own}"
        before = self.previous
        said = {
            "awsAccountId": account,
            "digestStartTime": f"{time - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
            "digestEndTime": f"{time:%Y-%m-%dT%H:%M:%SZ}",
            "digestS3Bucket": bucket,
            "digestS3Object": digest,
            "digestPublicKeyFingerprint": FINGERPRINT,
            "digestSignatureAlgorithm": "SHA256withRSA",
            "previousDigestS3Bucket": bucket if before else None,
            "previousDigestS3Object": before[0] if before else None,
            "previousDigestHashValue": hashlib.sha256(before[1]).hexdigest() if before else None,
            "previousDigestSignature": before[2] if before else None,
            "logFiles": [
                {
                    "s3Bucket": bucket,
                    "s3Object": key,
                    "hashValue": hashlib.sha256(text).hexdigest(),
                    "hashAlgorithm": "SHA-256",
                }
            ],
        }
        content = json.dumps(said).encode()
        parts = (
            str(said["digestEndTime"]),
            f"{bucket}/{digest}",
            hashlib.sha256(content).hexdigest(),
            before[2] if before else "null",
        )
        signature = private_key().sign("\n".join(parts).encode(), padding.PKCS1v15(), hashes.SHA256()).hex()
        metadata = {"signature": signature, "signature-algorithm": "SHA256withRSA"}
        client.put_object(Bucket=bucket, Key=digest, Body=gzip.compress(content), Metadata=metadata)
        self.previous = (digest, content, signature)
        self.delivered += [key, digest]
        return key
