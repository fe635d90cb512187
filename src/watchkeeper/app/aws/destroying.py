"""Taking a project away from AWS: what judges before what is judged, records last, and those only when told
to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from watchkeeper.adapters.aws.buckets import empty_and_remove
from watchkeeper.app.aws.deploying import Choice
from watchkeeper.app.aws.landscape import Landscape
from watchkeeper.app.aws.names import is_central
from watchkeeper.core.values import Progress

Report = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Destroyed:
    """Stacks that are gone, buckets that stay with what is in them, and buckets that went with it."""

    stacks: tuple[str, ...]
    kept: tuple[str, ...]
    emptied: tuple[str, ...]


def destroy(landscape: Landscape, choice: Choice, report: Report, *, records: bool = False) -> Destroyed:
    """Remove the stacks of the scopes, last made first.

    Keys, buckets, images and logs are retained by their templates: the audit log and the baselines are
    evidence that outlives what it is about. With `records` the buckets are emptied, every version, and
    removed; keys are never, as what they encrypted may lie elsewhere. Run again it goes on where it was.
    """
    layers = list(choice.layers(landscape))
    gone, buckets = [], []
    for scope, layer in reversed(layers):
        name = landscape.names.stack(scope, layer.name)
        stacks = landscape.stacks(scope)
        if layer.name == "foundation":
            buckets.append(scope)
        if stacks.state(name) is not None:
            stacks.remove(name, report)
            gone.append(name)
    if not records:
        return Destroyed(tuple(gone), tuple(landscape.bucket(scope) for scope in buckets), ())
    for scope in sorted(buckets, key=is_central):  # what was captured first, the audit log last
        empty_and_remove(landscape.account_of(scope).client("s3"), landscape.bucket(scope), report)
    return Destroyed(tuple(gone), (), tuple(landscape.bucket(scope) for scope in buckets))
