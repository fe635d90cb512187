"""Event patterns with Amazon EventBridge's semantics: one policy for a laptop and for a bus.

Source: docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html and
eb-event-patterns.html. Not here: `cidr`.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

OR = "$or"


def _same_letters(value: str, wanted: str) -> bool:
    return value.casefold() == wanted.casefold()


def _like(value: str, wanted: str) -> bool:
    r"""`*` is any text, also none; `\*` and `\\` are themselves."""
    parts = re.findall(r"\\[*\\]|\*|[^*\\]+|\\", wanted)
    pattern = "".join(".*" if each == "*" else re.escape(_plain(each)) for each in parts)
    return re.fullmatch(pattern, value, re.DOTALL) is not None


def _plain(part: str) -> str:
    return part[1:] if part in (r"\*", r"\\") else part


_TEXT: Mapping[str, Callable[[str, str], bool]] = MappingProxyType(
    {
        "prefix": str.startswith,
        "suffix": str.endswith,
        "equals-ignore-case": _same_letters,
        "wildcard": _like,
    }
)
_MATCHERS = (*_TEXT, "anything-but", "numeric", "exists")
_NUMERIC: Mapping[str, Callable[[float, float], bool]] = MappingProxyType(
    {"<": operator.lt, "<=": operator.le, "=": operator.eq, ">": operator.gt, ">=": operator.ge}
)


def check_pattern(pattern: object) -> None:
    """Raises ValueError that names the place for what is no pattern."""
    if not isinstance(pattern, Mapping) or not pattern:
        raise ValueError(f"want a pattern, fields with lists of values, got {pattern!r}")
    for field, wanted in pattern.items():
        try:
            if field == OR:
                _check_choice(wanted)
            elif isinstance(wanted, Mapping):
                check_pattern(wanted)
            else:
                _check_values(wanted)
        except ValueError as error:
            raise ValueError(f"{field}: {error}") from None


def matches(pattern: Mapping[str, object], event: Mapping[str, object]) -> bool:
    """Whether an event fits every field of a pattern that `check_pattern` has let pass.

    A field that the event does not have fits nothing but `{exists: false}`; one that is a list fits by any
    of its elements.

    >>> matches({"team": [{"prefix": "ml"}], "value": [{"numeric": [">", 1]}]}, {"team": "mlops", "value": 2})
    True
    >>> matches({"$or": [{"team": ["a"]}, {"team": [{"exists": False}]}]}, {})
    True
    """
    return all(
        any(matches(each, event) for each in _patterns(wanted))
        if field == OR
        else _fits(wanted, event.get(field, _ABSENT))
        for field, wanted in pattern.items()
    )


class _Absent:
    """A field that an event does not have."""


_ABSENT = _Absent()


def _patterns(wanted: object) -> Sequence[Mapping[str, object]]:
    return wanted if isinstance(wanted, Sequence) else ()


def _fits(wanted: object, found: object) -> bool:
    if isinstance(wanted, Mapping):
        return matches(wanted, found if isinstance(found, Mapping) else {})
    values = found if isinstance(found, list | tuple) else [found]
    return any(_one(each, value) for each in _sequence(wanted) for value in values)


def _sequence(wanted: object) -> Sequence[object]:
    return wanted if isinstance(wanted, list | tuple) else (wanted,)


def _one(wanted: object, value: object) -> bool:
    if not isinstance(wanted, Mapping):
        return type(wanted) is type(value) and wanted == value
    ((kind, asked),) = wanted.items()
    if kind == "exists":
        return isinstance(value, _Absent) is not asked and not isinstance(value, Mapping)
    if isinstance(value, _Absent):
        return False
    if kind == "anything-but":
        return not any(_one(each, value) for each in _sequence(asked))
    if kind == "numeric":
        return isinstance(value, int | float) and not isinstance(value, bool) and _between(asked, value)
    return isinstance(value, str) and any(_TEXT[kind](value, str(each)) for each in _sequence(asked))


def _between(asked: object, value: float) -> bool:
    parts = _sequence(asked)
    return all(
        _NUMERIC[str(sign)](value, bound)
        for sign, bound in zip(parts[::2], parts[1::2], strict=True)
        if isinstance(bound, int | float)
    )


def _check_choice(wanted: object) -> None:
    if not isinstance(wanted, list) or len(wanted) < 2:
        raise ValueError(f"want a list of two patterns or more, got {wanted!r}")
    for each in wanted:
        check_pattern(each)


def _check_values(wanted: object) -> None:
    if not isinstance(wanted, list) or not wanted:
        raise ValueError(f"want a list of values, got {wanted!r}")
    for each in wanted:
        if isinstance(each, Mapping):
            _check_matcher(each)
        elif not isinstance(each, str | int | float | bool | None):
            raise ValueError(f"want a text, a number, true, false, null or a matcher, got {each!r}")


def _check_matcher(each: Mapping[str, object]) -> None:
    kind, asked = next(iter(each.items()), ("nothing", None))
    if len(each) != 1 or kind not in _MATCHERS:
        raise ValueError(f"want one of {', '.join(_MATCHERS)}, got {', '.join(each) or 'nothing'}")
    if not _CHECKS.get(kind, _is_text)(asked):
        raise ValueError(f"{kind}: want {_WANTED.get(kind, 'a text')}, got {asked!r}")


def _is_text(asked: object) -> bool:
    return isinstance(asked, str)


def _is_texts(asked: object) -> bool:
    return all(isinstance(each, str) for each in _sequence(asked)) and bool(_sequence(asked))


def _is_range(asked: object) -> bool:
    if not isinstance(asked, list) or len(asked) not in (2, 4):
        return False
    numbers = all(isinstance(each, int | float) and not isinstance(each, bool) for each in asked[1::2])
    return numbers and all(sign in _NUMERIC for sign in asked[::2])


def _is_other(asked: object) -> bool:
    """What `anything-but` takes: values, or one matcher of texts."""
    if isinstance(asked, Mapping):
        return len(asked) == 1 and all(kind in _TEXT and _is_texts(text) for kind, text in asked.items())
    values = _sequence(asked)
    kinds = {type(each) for each in values}
    return kinds in ({str}, {int}, {float}, {int, float})


_CHECKS: Mapping[str, Callable[[object], bool]] = MappingProxyType(
    {
        "exists": lambda asked: isinstance(asked, bool),
        "numeric": _is_range,
        "anything-but": _is_other,
    }
)
_WANTED = {
    "exists": "true or false",
    "numeric": 'a list such as [">", 0, "<=", 5]',
    "anything-but": "texts, numbers or one matcher of texts",
}
