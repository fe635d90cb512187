"""botocore's shapes, held to the letter: what botocore itself does not check before it sends a request.

Its own validation finds what is missing, unknown or of another type. The models also hold each text's
pattern, its length, the numbers' ranges and the values of each enumeration; these are checked here, of
requests and of answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import botocore.loaders
import botocore.model


@cache
def operation(service: str, name: str) -> Any:
    """The model of an operation, such as `("sagemaker", "CreateModelPackage")`."""
    loader = botocore.loaders.Loader()
    model = botocore.model.ServiceModel(loader.load_service_model(service, "service-2"), service)
    return model.operation_model(name)


def request_faults(service: str, name: str, parameters: Mapping[str, Any]) -> list[str]:
    """What is wrong with a request."""
    return list(faults(parameters, operation(service, name).input_shape, name))


def answer_faults(service: str, name: str, answer: Mapping[str, Any]) -> list[str]:
    """What is wrong with an answer."""
    return list(faults(answer, operation(service, name).output_shape, name))


def faults(value: Any, shape: Any, at: str) -> Iterator[str]:
    """Each thing about the value that the shape does not allow, and where it is."""
    if shape is None:
        if value:
            yield f"{at}: want nothing, got {value!r}"
        return
    check = {"structure": _structure, "list": _list, "map": _map, "string": _string}.get(
        shape.type_name, _scalar
    )
    yield from check(value, shape, at)


def _structure(value: Any, shape: Any, at: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{at}: want a structure, got {value!r}"
        return
    yield from (f"{at}.{name}: missing" for name in shape.required_members if name not in value)
    for name, each in value.items():
        if name == "ResponseMetadata":
            continue
        if name not in shape.members:
            yield f"{at}.{name}: unknown"
        else:
            yield from faults(each, shape.members[name], f"{at}.{name}")


def _list(value: Any, shape: Any, at: str) -> Iterator[str]:
    if not isinstance(value, list | tuple):
        yield f"{at}: want a list, got {value!r}"
        return
    yield from _bounds(len(value), shape, f"{at}: number of entries")
    for number, each in enumerate(value):
        yield from faults(each, shape.member, f"{at}[{number}]")


def _map(value: Any, shape: Any, at: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{at}: want a map, got {value!r}"
        return
    yield from _bounds(len(value), shape, f"{at}: number of entries")
    for key, each in value.items():
        yield from faults(key, shape.key, f"{at} key")
        yield from faults(each, shape.value, f"{at}.{key}")


def _string(value: Any, shape: Any, at: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{at}: want a text, got {value!r}"
        return
    if shape.enum and value not in shape.enum:
        yield f"{at}: want one of {', '.join(shape.enum[:5])}…, got {value!r}"
    yield from _bounds(len(value), shape, f"{at}: length")
    pattern = _compiled(shape.metadata.get("pattern", ""))
    if pattern is not None and not pattern.fullmatch(value):
        yield f"{at}: want {shape.metadata['pattern']}, got {value!r}"


def _scalar(value: Any, shape: Any, at: str) -> Iterator[str]:
    kinds: dict[str, tuple[type, ...]] = {
        "integer": (int,),
        "long": (int,),
        "float": (int, float),
        "double": (int, float),
        "boolean": (bool,),
    }
    wanted = kinds.get(shape.type_name)
    if wanted is None:
        return
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        yield f"{at}: want {shape.type_name}, got {value!r}"
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _bounds(value, shape, at)


def _bounds(value: float, shape: Any, at: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if (low is not None and value < low) or (high is not None and value > high):
        yield f"{at}: want {low} to {high}, got {value}"


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """Java's classes of letters in Python's words; None without a pattern."""
    if not pattern:
        return None
    spelt = pattern.replace("\\p{L}", "\\w").replace("\\p{Z}", "\\s").replace("\\p{N}", "\\d")
    spelt = spelt.replace("\\p{ASCII}", "[\\x00-\\x7f]")
    spelt = re.sub(r"\\p\{\w+\}", r"\\s\\S", spelt).replace("\\z", "\\Z")
    spelt = re.sub(
        r"\$(\{\d+,\d*\}|[*+?])", r"\1$", spelt
    )  # an end that is repeated: the repetition of what is before
    return re.compile(spelt, re.DOTALL)
