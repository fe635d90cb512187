"""What data quality finds on HDB resales of 2020 to 2022, each violation with what explains it.

A line is month, column, check, and the unknown values with their rows. The data page (`data/README.md` in
the shared folder, "Categories that appear late") explains every one: the flat models `2-room` and `3Gen` are
first sold in 2020-01 and 2022-06.
"""

_MODEL = "flat_model categorical_values_check"

# Wherever the model has been retrained since the value was first sold, its baseline knows it.
FIRST_2_ROOMS = (
    f'2020-01 {_MODEL} "2-room" (1)',
    f'2020-02 {_MODEL} "2-room" (1)',
)
FIRST_3GENS = (
    f'2022-06 {_MODEL} "3Gen" (1)',
    f'2022-07 {_MODEL} "3Gen" (1)',
    f'2022-09 {_MODEL} "3Gen" (1)',
)
LAST_3GENS = (f'2022-11 {_MODEL} "3Gen" (2)',)

BY_MONTHS_SERVED = {
    3: (*FIRST_2_ROOMS, *FIRST_3GENS),
    6: (*FIRST_2_ROOMS, *FIRST_3GENS, *LAST_3GENS),
    12: (*FIRST_2_ROOMS, f'2020-11 {_MODEL} "2-room" (1)', *FIRST_3GENS, *LAST_3GENS),
}

# The first version's baseline, never replaced: every row with a late category, apart from drift.
LATE_CATEGORIES = (
    *FIRST_2_ROOMS,
    f'2020-11 {_MODEL} "2-room" (1)',
    f'2021-01 {_MODEL} "2-room" (1)',
    f'2021-03 {_MODEL} "2-room" (1)',
    f'2021-07 {_MODEL} "2-room" (2)',
    f'2021-08 {_MODEL} "2-room" (3)',
    f'2021-09 {_MODEL} "2-room" (2)',
    f'2021-11 {_MODEL} "2-room" (1)',
    f'2022-02 {_MODEL} "2-room" (2)',
    f'2022-03 {_MODEL} "2-room" (2)',
    f'2022-04 {_MODEL} "2-room" (1)',
    f'2022-06 {_MODEL} "2-room" (4), "3Gen" (1)',
    f'2022-07 {_MODEL} "2-room" (3), "3Gen" (1)',
    f'2022-08 {_MODEL} "2-room" (2)',
    f'2022-09 {_MODEL} "2-room" (2), "3Gen" (1)',
    f'2022-10 {_MODEL} "2-room" (3)',
    f'2022-11 {_MODEL} "3Gen" (2), "2-room" (1)',
    f'2022-12 {_MODEL} "2-room" (2)',
)

# What a rehearsal that retrains may find: no later baseline knows fewer values than the first.
WATCHED = frozenset(line for lines in BY_MONTHS_SERVED.values() for line in lines)


def line(month: str, subject: str, check: str, description: str) -> str:
    """A violation as a line of these lists."""
    _, unknown, values = description.partition("Unknown: ")
    named = f" {values.removesuffix('.')}" if unknown else ""
    return f"{month} {subject} {check}{named}"
