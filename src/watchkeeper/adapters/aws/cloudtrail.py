"""CloudTrail: event history by the service's own search, log files and the digests that vouch for them.

Sources: docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html,
docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from watchkeeper.adapters.aws.errors import translated
from watchkeeper.adapters.aws.store import S3Store
from watchkeeper.core.errors import InputError, WatchkeeperError

_LOGS, _DIGESTS = "CloudTrail", "CloudTrail-Digest"


@dataclass(frozen=True, slots=True)
class EventHistory:
    """The last ninety days of one region, management events alone."""

    client: Any

    def records(self, names: Sequence[str], since: datetime, until: datetime) -> Iterator[Mapping[str, Any]]:
        """The records of calls of these names; a search knows one name at a time."""
        for name in names:
            with translated(f"look up {name} in CloudTrail's event history"):
                pages = self.client.get_paginator("lookup_events").paginate(
                    LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": name}],
                    StartTime=since,
                    EndTime=until,
                )
                for page in pages:
                    for each in page["Events"]:
                        yield json.loads(each["CloudTrailEvent"])


@dataclass(frozen=True, slots=True)
class Vouched:
    """What the digests of a span say of its log files; `faults` are in words, none when all is as it was."""

    digests: int
    files: int
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TrailFiles:
    """A trail's files in its bucket, of one account."""

    store: S3Store
    account: str

    def regions(self) -> Sequence[str]:
        """Those that have delivered anything."""
        keys = self.store.list(f"AWSLogs/{self.account}/{_LOGS}/*/")
        return sorted({key.split("/")[3] for key in keys})

    def logs(self, region: str, since: datetime, until: datetime) -> list[str]:
        """Keys of log files of these days, oldest first; a file holds events of some minutes before it."""
        return [
            key for day in _days(since, until) for key in self.store.list(self._folder(_LOGS, region, day))
        ]

    def digests(self, region: str, since: datetime, until: datetime) -> list[str]:
        return [
            key for day in _days(since, until) for key in self.store.list(self._folder(_DIGESTS, region, day))
        ]

    def vouched(self, region: str, since: datetime, until: datetime, keys: Mapping[str, bytes]) -> Vouched:
        """Hold digests against their signatures and each other, and log files against digests.

        `keys` are public keys by fingerprint, DER of PKCS #1.
        """
        digests, faults, files, previous = self.digests(region, since, until), list[str](), 0, ""
        for key in digests:
            try:
                text, signature = self._digest(key)
                said = json.loads(text)
                faults += _wrong(key, text, said, signature, keys)
                if previous and said.get("previousDigestS3Object") != previous:
                    before = said.get("previousDigestS3Object")
                    faults.append(f"{key}: a digest before it is missing, it follows {before}")
                for each in said["logFiles"]:
                    files += 1
                    faults += self._file_faults(each)
            except (WatchkeeperError, OSError, EOFError, ValueError, KeyError, TypeError) as error:
                faults.append(f"{key}: cannot be read: {error}")
            previous = key
        return Vouched(len(digests), files, tuple(faults))

    def _digest(self, key: str) -> tuple[bytes, str]:
        with translated(f"read s3://{self.store.bucket}/{key}"):
            found = self.store.client.get_object(Bucket=self.store.bucket, Key=key)
            return gzip.decompress(found["Body"].read()), str(found["Metadata"].get("signature", ""))

    def _file_faults(self, said: Mapping[str, Any]) -> list[str]:
        key = said["s3Object"]
        try:
            text = gzip.decompress(self.store.read(key))
        except InputError:
            return [f"{key}: the log file is gone"]
        found = hashlib.sha256(text).hexdigest()
        return [] if found == said["hashValue"] else [f"{key}: the log file is not as it was delivered"]

    def _folder(self, kind: str, region: str, day: datetime) -> str:
        return f"AWSLogs/{self.account}/{kind}/{region}/{day:%Y/%m/%d}/"


def public_keys(client: Any, since: datetime, until: datetime) -> dict[str, bytes]:
    """A region's keys of a span of time, by fingerprint."""
    with translated("list CloudTrail's public keys"):
        found = client.list_public_keys(StartTime=since, EndTime=until)["PublicKeyList"]
    return {each["Fingerprint"]: each["Value"] for each in found}


def _wrong(
    key: str, text: bytes, said: Mapping[str, Any], signature: str, keys: Mapping[str, bytes]
) -> list[str]:
    """What a digest's own place and signature have against it."""
    if said["digestS3Object"] != key:
        return [f"{key}: it was delivered as {said['digestS3Object']}"]
    fingerprint = said["digestPublicKeyFingerprint"]
    if fingerprint not in keys:
        return [f"{key}: CloudTrail has no key {fingerprint} of that time"]
    parts = (
        said["digestEndTime"],
        f"{said['digestS3Bucket']}/{said['digestS3Object']}",
        hashlib.sha256(text).hexdigest(),
        said.get("previousDigestSignature") or "null",
    )
    try:
        public = serialization.load_der_public_key(keys[fingerprint])
        if not isinstance(public, rsa.RSAPublicKey):
            return [f"{key}: {fingerprint} is no RSA key"]
        public.verify(
            bytes.fromhex(signature), "\n".join(parts).encode(), padding.PKCS1v15(), hashes.SHA256()
        )
    except (InvalidSignature, ValueError):
        return [f"{key}: its signature does not match"]
    return []


def _days(since: datetime, until: datetime) -> list[datetime]:
    return [since + timedelta(days=day) for day in range((until.date() - since.date()).days + 1)]
