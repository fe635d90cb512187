"""Templates to HTML: escaped, strict about what is missing, and never the word None."""

from __future__ import annotations

from collections.abc import Callable

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from watchkeeper.core.values import Status
from watchkeeper.render import text

_TONES = {
    Status.COMPLETED: "ok",
    Status.VIOLATIONS: "warn",
    Status.FAILED: "bad",
    Status.CAPTURE_OFF: "bad",
    Status.WRONG_PREFIX: "bad",
    Status.CLOCK_SKEW: "bad",
    Status.NO_PERMISSION: "bad",
}
_NAMES = {Status.COMPLETED: "all held", Status.VIOLATIONS: "violations"}

_WORDINGS: tuple[Callable[..., str], ...] = (
    text.whole,
    text.decimal,
    text.share,
    text.signed_share,
    text.times,
    text.amount,
    text.count,
    text.month_short,
    text.day_text,
    text.time_text,
    text.window_text,
    text.short_hash,
    text.rounded,
    text.words,
)


def page(template: str, classification: str = "", **values: object) -> str:
    """The template filled in, under the project's classification where it has one.

    Raises jinja2.UndefinedError for a missing value, ValueError for None.
    """
    return _ENVIRONMENT.get_template(template).render(classification=classification, **values)


def status_tone(status: Status) -> str:
    """The colour of a status: ok, warn, bad, or none where there is no verdict."""
    return _TONES.get(status, "none")


def status_name(status: Status) -> str:
    """A status in a few words."""
    return _NAMES.get(status, text.words(status.value))


def svg(drawing: str) -> Markup:
    """A chart of `render.charts`, which has escaped its own words, as markup for a template."""
    return Markup(drawing)  # noqa: S704 - charts escape each word as they write it


def _shown(value: object) -> object:
    if value is None:
        raise ValueError("fill in a page: want a value to show, got None")
    return value


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("watchkeeper.render"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for function in (*_WORDINGS, status_tone, status_name):
        made.filters[function.__name__] = function
    return made


_ENVIRONMENT = _environment()
