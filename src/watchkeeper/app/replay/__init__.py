"""Time gone through again: rehearsals, backfills, traffic."""
