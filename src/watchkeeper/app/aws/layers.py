"""The stacks in their order: of what all environments share, then of each environment."""

from __future__ import annotations

from collections.abc import Mapping

from watchkeeper.app.aws.central_layers import CENTRAL_LAYERS
from watchkeeper.app.aws.environment_layers import ENVIRONMENT_LAYERS
from watchkeeper.app.aws.landscape import Landscape, Outputs
from watchkeeper.app.aws.names import is_central
from watchkeeper.app.aws.site import Layer
from watchkeeper.app.aws.telemetry import has_alarms
from watchkeeper.core.errors import InputError

UNKNOWN = "known-after-"


def layers_of(landscape: Landscape, scope: str) -> tuple[Layer, ...]:
    """The layers of a scope in their order, without those that its account has already or has no need of."""
    section = landscape.section(scope)
    left_out = set()
    if section.network.whole or landscape.network_scope(scope) != scope:
        left_out.add("network")
    if section.trail == "existing" or landscape.network_scope(scope) != scope:
        left_out.add("audit")
    if section.tracking != "sagemaker":
        left_out.add("tracking")
    left_out.add("model-monitor" if section.schedule == "eventbridge" else "monitors")
    if not is_central(scope) and not has_alarms(landscape.project, scope):
        left_out.add("alarms")
    every = CENTRAL_LAYERS if is_central(scope) else ENVIRONMENT_LAYERS
    return tuple(layer for layer in every if layer.name not in left_out)


def layer_named(landscape: Landscape, scope: str, name: str) -> Layer:
    """One of them. Raises InputError when the scope has none of that name."""
    known = layers_of(landscape, scope)
    for layer in known:
        if layer.name == name:
            return layer
    raise InputError(f"find layer {name} of {scope}: want one of {', '.join(each.name for each in known)}")


def known_outputs(landscape: Landscape) -> Outputs:
    """What stacks say. Raises InputError for a stack that is not there."""

    def of(scope: str, layer: str) -> Mapping[str, str]:
        state = landscape.state(scope, layer)
        if state is None or not state.there:
            names = landscape.names.stack(scope, layer)
            where = "--central" if is_central(scope) else f"--env {scope}"
            raise InputError(f"look up stack {names}: it is not there; run `watchkeeper aws deploy {where}`")
        return state.outputs

    return of


def planned_outputs(landscape: Landscape) -> Outputs:
    """What stacks say, or a word in the place of what will only be known once they are there."""

    def of(scope: str, layer: str) -> Mapping[str, str]:
        state = landscape.state(scope, layer)
        if state is not None and state.there:
            return state.outputs
        known = layer_named(landscape, scope, layer).outputs
        return {name: f"{UNKNOWN}{scope}-{layer}-{name}" for name in known}

    return of
