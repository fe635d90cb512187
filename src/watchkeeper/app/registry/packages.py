"""Which package of SageMaker's model registry a version is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from watchkeeper.app.registry.records import create_record, read_record
from watchkeeper.core.errors import InputError
from watchkeeper.core.ports import Store


@dataclass(frozen=True, slots=True)
class Package:
    """A version and the ARN of its package."""

    version: int
    arn: str
    time: datetime


def keep_package(store: Store, package: Package) -> None:
    """Put it on record; the same again is no fault, as a step may be run twice."""
    if package_of(store, package.version) != package.arn:
        create_record(store, _key(package.version), package)


def package_of(store: Store, version: int) -> str:
    """The ARN of a version's package; "" for one that was not made there."""
    try:
        return read_record(store, _key(version), Package).arn
    except InputError:
        return ""


def _key(version: int) -> str:
    return f"models/v{version}/package.json"
