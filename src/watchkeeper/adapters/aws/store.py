"""Objects in an S3 bucket."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from watchkeeper.adapters.aws.errors import code_of, translated
from watchkeeper.core.errors import ExistsError, InputError, PlatformError
from watchkeeper.core.ports import ANY, SweptStore

_MISSING = frozenset({"NoSuchKey", "404", "NotFound"})
_TAKEN = frozenset({"PreconditionFailed", "412"})
_AT_ONCE = "ConditionalRequestConflict"  # of two conditional writes at one moment S3 may refuse both
_TRIES = 5


@dataclass(frozen=True, slots=True)
class S3Store:
    """A `Store` whose keys are those of a bucket; the bucket's own settings encrypt them and keep versions.

    `create` is a conditional write, so that of many at once one succeeds.
    Source: docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html.
    """

    client: Any
    bucket: str

    def read(self, key: str) -> bytes:
        data, _ = self.read_tagged(key)
        return data

    def read_tagged(self, key: str) -> tuple[bytes, str]:
        """An object's bytes and its ETag, for `replace`. Raises InputError when there is none."""
        doing = f"read {self._place(key)}"
        with translated(doing):
            try:
                found = self.client.get_object(Bucket=self.bucket, Key=key)
                body: bytes = found["Body"].read()
                return body, str(found["ETag"])
            except ClientError as error:
                if code_of(error) in _MISSING:
                    raise InputError(f"{doing}: there is no such object") from None
                raise

    def write(self, key: str, data: bytes) -> None:
        with translated(f"write {self._place(key)}"):
            self.client.put_object(Bucket=self.bucket, Key=key, Body=data)

    def create(self, key: str, data: bytes) -> None:
        if not self._written_if(key, data, IfNoneMatch="*"):
            raise ExistsError(key)

    def replace(self, key: str, data: bytes, tag: str | None) -> bool:
        """Put the object where what is there still has that ETag, or nothing is there (None); whether it
        was."""
        wanted = {"IfNoneMatch": "*"} if tag is None else {"IfMatch": tag}
        return self._written_if(key, data, **wanted)

    def size(self, key: str) -> int:
        with translated(f"look at {self._place(key)}"):
            try:
                return int(self.client.head_object(Bucket=self.bucket, Key=key)["ContentLength"])
            except ClientError as error:
                if code_of(error) in _MISSING:
                    return 0
                raise

    def remove(self, key: str) -> None:
        """Take the object away; the bucket keeps what it was as an earlier version, as long as it says."""
        with translated(f"remove {self._place(key)}"):
            self.client.delete_object(Bucket=self.bucket, Key=key)

    def list(self, prefix: str) -> Sequence[str]:
        *folders, start = prefix.split("/")
        return sorted(key for folder in self._folders(folders) for key in self._keys(f"{folder}{start}"))

    def _written_if(self, key: str, data: bytes, **condition: str) -> bool:
        place = self._place(key)
        with translated(f"create {place}"):
            for _ in range(_TRIES):
                try:
                    self.client.put_object(Bucket=self.bucket, Key=key, Body=data, **condition)
                except ClientError as error:
                    if code_of(error) in _TAKEN:
                        return False
                    if code_of(error) != _AT_ONCE:
                        raise
                else:
                    return True
        raise PlatformError(
            f"create {place}: another writes it at the same time, {_TRIES} tries", retryable=True
        )

    def _folders(self, parts: Sequence[str]) -> Sequence[str]:
        """Prefixes that the parts name, each with a slash at its end; `*` is each that is there."""
        found = [""]
        for part in parts:
            if part == ANY:
                found = [inner for outer in found for inner in self._inside(outer)]
            else:
                found = [f"{outer}{part}/" for outer in found]
        return found

    def _inside(self, prefix: str) -> Iterator[str]:
        for page in self._pages(Prefix=prefix, Delimiter="/"):
            yield from (each["Prefix"] for each in page.get("CommonPrefixes", ()))

    def _keys(self, prefix: str) -> Iterator[str]:
        for page in self._pages(Prefix=prefix):
            yield from (each["Key"] for each in page.get("Contents", ()))

    def _pages(self, **asked: str) -> Iterator[Mapping[str, Any]]:
        with translated(f"list {self._place(asked['Prefix'])}"):
            yield from self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, **asked)

    def _place(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"


@dataclass(frozen=True, slots=True)
class RoutedStore:
    """A `Store` of several: keys that begin with one of `routes` lie in that one, all others in `rest`.

    An environment's captures lie in the environment's account, and what is known of models in the central
    one. A store is opened when it is first asked, as not everybody has a way into each account.
    """

    rest: SweptStore
    routes: Mapping[str, Callable[[], SweptStore]]

    def read(self, key: str) -> bytes:
        return self._of(key).read(key)

    def write(self, key: str, data: bytes) -> None:
        self._of(key).write(key, data)

    def create(self, key: str, data: bytes) -> None:
        self._of(key).create(key, data)

    def size(self, key: str) -> int:
        return self._of(key).size(key)

    def remove(self, key: str) -> None:
        self._of(key).remove(key)

    def list(self, prefix: str) -> Sequence[str]:
        for route, opened in self.routes.items():
            if prefix.startswith(route):
                return opened().list(prefix)
        found = {key for key in self.rest.list(prefix) if not key.startswith(tuple(self.routes))}
        for route, opened in self.routes.items():
            if _may_begin(route, prefix):
                found |= {key for key in opened().list(prefix) if key.startswith(route)}
        return sorted(found)

    def _of(self, key: str) -> SweptStore:
        opened = next((opened for route, opened in self.routes.items() if key.startswith(route)), None)
        return opened() if opened else self.rest


def _may_begin(route: str, prefix: str) -> bool:
    """Whether a key may begin with both; a part `*` of the prefix is any."""
    pairs = zip(route.rstrip("/").split("/"), prefix.split("/"), strict=False)
    wanted = prefix.split("/")
    return all(
        want in (ANY, part) or (place == len(wanted) - 1 and part.startswith(want))
        for place, (part, want) in enumerate(pairs)
    )
