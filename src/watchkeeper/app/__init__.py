"""Use cases: each takes a target and returns one frozen value."""
