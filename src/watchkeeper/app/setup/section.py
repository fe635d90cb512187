"""What every section of the project file is made of: unknown keys are refused, and errors say where.

pydantic checks types; what is a matter of ours is said by an error of the type `SAID`, with the place of the
key it is about.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, model_validator
from pydantic_core import PydanticCustomError

from watchkeeper.core.cron import Cron
from watchkeeper.core.windows import Duration, utc_text

SAID = "said"


def _parsed(kind: Any) -> BeforeValidator:
    return BeforeValidator(lambda value: kind.parse(value) if isinstance(value, str) else value)


def _moment(value: object) -> object:
    """A day, or a time with its zone: `2026-12-20`, `2026-12-20T18:00:00+08:00`."""
    if not isinstance(value, str):
        return value
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f'want a day or a time, such as "2026-12-20", got "{value}"') from None
    if time.tzinfo is None and len(value) > len("2026-12-20"):
        raise ValueError(f'want a time with its zone, such as "2026-12-20T18:00:00Z", got "{value}"')
    return time.replace(tzinfo=time.tzinfo or UTC)


def said(message: str, *at: str | int) -> PydanticCustomError:
    """The error to raise of a value; `at` leads from the section to the key it is about."""
    return PydanticCustomError(SAID, "{message}", {"message": message, "at": at})


@dataclass(frozen=True, slots=True)
class OneOf:
    """A text that is one of these names; to be called on it."""

    names: tuple[str, ...]
    noun: str

    def __call__(self, name: str) -> str:
        if name not in self.names:
            raise said(unknown(name, self.names, self.noun))
        return name


Length = Annotated[Duration, _parsed(Duration), PlainSerializer(str)]
Moment = Annotated[datetime, BeforeValidator(_moment), PlainSerializer(utc_text)]
Schedule = Annotated[Cron, _parsed(Cron), PlainSerializer(str)]


class Section(BaseModel):
    """A part of the file: an unknown key is an error that names the nearest valid one."""

    model_config = ConfigDict(frozen=True, strict=True, arbitrary_types_allowed=True)
    also: ClassVar[tuple[str, ...]] = ()  # keys that belong here and are read elsewhere

    @model_validator(mode="before")
    @classmethod
    def _known_keys_only(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            known = [field.alias or name for name, field in cls.model_fields.items()]
            for key in data:
                if key not in known:
                    raise said(unknown(key, [*known, *cls.also]), key)
        return data


def unknown(name: object, known: Iterable[str], noun: str = "key") -> str:
    """What to say of a name that is not among the known ones: the nearest, or all of them."""
    choices = list(known)
    near = difflib.get_close_matches(str(name), choices, n=1, cutoff=0.5)
    hint = f'did you mean "{near[0]}"?' if near else f"want one of {', '.join(choices)}"
    return f'unknown {noun} "{name}"; {hint}'
