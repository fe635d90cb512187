"""Modules that an extra brings, loaded by name when they are asked for."""

from __future__ import annotations

import importlib

from watchkeeper.core.errors import InputError

_OF_AWS = ("boto3", "botocore")


def loaded(place: str, doing: str) -> object:
    """`module:name`. Raises InputError, which says what to install, when boto3 is not there."""
    module, _, name = place.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _OF_AWS:
            raise
        raise InputError(f"{doing}: want {error.name} (pip install 'watchkeeper[aws]')") from None
