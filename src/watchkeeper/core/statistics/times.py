"""Texts read as times: ISO 8601 months, days and moments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl

MOMENT = pl.Datetime("us", "UTC")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLAIN = "%Y-%m-%dT%H:%M:%S%.f"
_OFFSET = r"(Z|[-+][0-9]{2}:?[0-9]{2})"
_CLOCK = rf"[T ][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}(\.[0-9]+)?)?{_OFFSET}?"
_SPELLED = rf"^[0-9]{{4}}-[0-9]{{2}}(-[0-9]{{2}}({_CLOCK})?)?$"


def moments(column: pl.Series) -> pl.Series:
    """Each cell as a moment in UTC, null where it is no time.

    Read are `2022-03`, `2022-03-01` and `2022-03-01T05:00[:00[.000]]` with `T` or a blank and with `Z`, an
    offset or nothing, which is UTC. A month is its first day, a day its midnight. Days and moments that
    are typed are themselves. Numbers are no times, and no time is before the year 1 or after 9999.
    """
    if column.dtype == pl.Date or isinstance(column.dtype, pl.Datetime):
        found = _in_utc(column)
    elif column.dtype == pl.String:
        found = _read(column)
    else:
        return pl.Series(column.name, [None] * len(column), dtype=MOMENT)
    return found.set(~found.dt.year().is_between(1, 9999), None)


def to_moment(microseconds: int) -> datetime:
    """A moment from its physical number."""
    return EPOCH + timedelta(microseconds=microseconds)


def _read(text: pl.Series) -> pl.Series:
    """Most columns are spelled in one way: so the whole is tried in it, and only the rest in the others."""
    spelled = text.set(~text.str.contains(_SPELLED), None)
    found = spelled.str.to_datetime(_PLAIN + "Z", time_unit="us", strict=False).dt.replace_time_zone("UTC")
    rest = (found.is_null() & spelled.is_not_null()).arg_true()
    if not len(rest):
        return found
    full = pl.select(_completed(pl.lit(spelled.gather(rest)))).to_series()
    return found.scatter(rest, full.str.to_datetime(_PLAIN + "%z", time_unit="us", strict=False).cast(MOMENT))


def _completed(text: pl.Expr) -> pl.Expr:
    return (
        pl.when(text.str.len_bytes() == 7)
        .then(text + "-01T00:00:00+00:00")
        .when(text.str.len_bytes() == 10)
        .then(text + "T00:00:00+00:00")
        .otherwise(_in_full(text))
    )


def _in_full(text: pl.Expr) -> pl.Expr:
    """With a `T`, with seconds, and with an offset in digits."""
    seconds = text.str.replace("^(.{10}) ", "${1}T").str.replace("^(.{16})(Z|[-+]|$)", "${1}:00${2}")
    zoned = pl.when(seconds.str.contains(_OFFSET + "$")).then(seconds).otherwise(seconds + "+00:00")
    return zoned.str.replace("Z$", "+00:00")


def _in_utc(column: pl.Series) -> pl.Series:
    if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone:
        return column.dt.convert_time_zone("UTC").cast(MOMENT)
    return column.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
