"""Deploying in stages: each stack in its order, up to where a person or another command has to go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from watchkeeper.adapters.aws.trail import S3Trail
from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.app.aws.central_layers import PIPELINE
from watchkeeper.app.aws.environment_layers import ENDPOINT, MODEL_MONITOR, MONITORS
from watchkeeper.app.aws.images import OTHERS, OURS, images, missing_images
from watchkeeper.app.aws.landscape import Landscape
from watchkeeper.app.aws.layers import UNKNOWN, known_outputs, layer_named, layers_of, planned_outputs
from watchkeeper.app.aws.pipeline import keep_definition, keep_project, pipeline_definition
from watchkeeper.app.aws.site import Layer, Site
from watchkeeper.app.aws.target import version_parameters
from watchkeeper.app.aws.zips import FunctionCode
from watchkeeper.app.registry.catalogue import catalogue
from watchkeeper.app.setup.aws_sections import CENTRAL
from watchkeeper.core.audit import Event
from watchkeeper.core.encoding import digest
from watchkeeper.core.errors import InputError
from watchkeeper.core.ports import Store
from watchkeeper.core.stacks import StackChanges, StackRequest, StackState
from watchkeeper.core.values import Progress

Report = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Choice:
    """What a command is about: scopes in their order, and one layer or all."""

    scopes: tuple[str, ...]
    only: str | None = None

    def layers(self, landscape: Landscape) -> Iterator[tuple[str, Layer]]:
        """Each layer with its scope, in the order of deployment. Raises InputError for one that a scope has
        not."""
        for scope in self.scopes:
            if self.only is not None:
                yield scope, layer_named(landscape, scope, self.only)
            else:
                yield from ((scope, layer) for layer in layers_of(landscape, scope))


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why a layer cannot be made yet, and the command that goes on."""

    reason: str
    command: str


class Outcome(StrEnum):
    """What became of a layer."""

    MADE = "made"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Stage:
    """One layer of one scope, and what became of it."""

    scope: str
    layer: str
    stack: str
    outcome: Outcome
    waiting: Waiting | None = None


@dataclass(frozen=True, slots=True)
class Deployed:
    """Every layer that was asked for, in order."""

    stages: tuple[Stage, ...]

    @property
    def waiting(self) -> tuple[Waiting, ...]:
        """What has to be done before the rest can be, each once."""
        return tuple(dict.fromkeys(stage.waiting for stage in self.stages if stage.waiting))


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """What deploying a layer would do; `waiting` says why nothing can be done about it yet."""

    scope: str
    layer: str
    stack: str
    changes: StackChanges | None
    waiting: Waiting | None = None


def deploy(landscape: Landscape, choice: Choice, report: Report) -> Deployed:
    """Make each stack what it is to be, in order; what is so already is left alone.

    Run again after an interruption it goes on where it was: every stack says itself how far it has come. It
    stops short, without an error, where images, a model or an approval are wanted first. Raises
    PlatformError, the stack rolled back, when CloudFormation gives up.
    """
    outputs = known_outputs(landscape)
    return Deployed(
        tuple(
            _deploy_layer(Site(landscape, scope, outputs), layer, report)
            for scope, layer in choice.layers(landscape)
        )
    )


def plan_layers(landscape: Landscape, choice: Choice) -> tuple[LayerPlan, ...]:
    """What `deploy` would do, layer by layer; nothing is done."""
    outputs = planned_outputs(landscape)
    return tuple(
        _plan_layer(Site(landscape, scope, outputs), layer) for scope, layer in choice.layers(landscape)
    )


def waits_for(site: Site, layer: Layer) -> Waiting | None:
    """Why a layer cannot be made yet; None when it can."""
    landscape = site.landscape
    if layer not in (PIPELINE, ENDPOINT, MONITORS) and not layer.images:
        return None
    if not has_records(site.landscape):
        return Waiting("waiting for the central stacks", "watchkeeper aws deploy --central")
    store = landscape.central_store()
    if layer in (PIPELINE, MONITORS) and (missing := missing_images(store)):
        words = "images" if missing == OURS else f"images: {', '.join(missing)}"
        return Waiting(f"waiting for {words}", "watchkeeper aws images push")
    if missing := missing_images(store, layer.images.values()):
        return _no_copies(missing)
    if layer is MODEL_MONITOR and site.landscape.state(site.scope, ENDPOINT.name) is None:
        return Waiting(
            f"waiting for the endpoint of {site.scope}", f"watchkeeper aws deploy --env {site.scope}"
        )
    if layer is ENDPOINT and catalogue(store).serving(site.scope) is None:
        return _no_model(site, store)
    return None


def request_of(site: Site, layer: Layer) -> StackRequest:
    """A layer's stack, with what records say of it: the pipeline's definition, the version that serves."""
    request = layer.request(site)
    if layer.codes or layer.images:
        found = _code_keys(site, layer)
        known = images(site.landscape.central_store()) if layer.images else {}
        found |= {name: known[image].uri for name, image in layer.images.items()}
        return replace(request, parameters={**request.parameters, **found})
    if layer is PIPELINE:
        key = pipeline_definition(site, site.landscape.central_store()).key
        return replace(request, parameters={**request.parameters, "DefinitionKey": key})
    if layer is ENDPOINT:
        return replace(request, parameters={**request.parameters, **_serving(site)})
    return request


def _plan_layer(site: Site, layer: Layer) -> LayerPlan:
    name = site.landscape.names.stack(site.scope, layer.name)
    if waiting := _waits_to_be_planned(site, layer):
        return LayerPlan(site.scope, layer.name, name, None, waiting)
    request = request_of(site, layer)
    return LayerPlan(site.scope, layer.name, name, site.landscape.stacks(site.scope).changes(request))


def _waits_to_be_planned(site: Site, layer: Layer) -> Waiting | None:
    """On an empty account it is images and models that are missed, not the stacks that the same plan
    makes."""
    if (layer in (PIPELINE, ENDPOINT, MONITORS) or layer.images) and not has_records(site.landscape):
        if layer.images:
            return _no_copies(tuple(layer.images.values()))
        if layer is not ENDPOINT:
            return Waiting("waiting for images", "watchkeeper aws images push")
        return Waiting(
            f"waiting for an approved model in {site.scope}", "watchkeeper train --target aws --wait"
        )
    return waits_for(site, layer)


def _deploy_layer(site: Site, layer: Layer, report: Report) -> Stage:
    name = site.landscape.names.stack(site.scope, layer.name)
    if waiting := waits_for(site, layer):
        return Stage(site.scope, layer.name, name, Outcome.WAITING, waiting)
    if layer is PIPELINE:
        store = site.landscape.central_store()
        keep_definition(store, pipeline_definition(site, store))
    if layer in (MONITORS, MODEL_MONITOR):
        keep_project(site.landscape.central_store(), site.landscape.project)
    for code in _codes(site, layer).values():
        site.landscape.scope_store(site.scope).write(code.key, code.data)
    request, stacks = request_of(site, layer), site.landscape.stacks(site.scope)
    before = stacks.state(name)
    outcome = _outcome(before, stacks.apply(request, report))
    if outcome is not Outcome.UNCHANGED:
        _tell(site.landscape, request)
    return Stage(site.scope, layer.name, name, outcome)


def _code_keys(site: Site, layer: Layer) -> dict[str, str]:
    """Where a layer's functions lie; before there are records they cannot be told."""
    if not has_records(site.landscape):
        return {name: f"{UNKNOWN}{name}" for name in layer.codes}
    return {name: code.key for name, code in _codes(site, layer).items()}


def _codes(site: Site, layer: Layer) -> dict[str, FunctionCode]:
    """A layer's functions as their zips are now."""
    store = site.landscape.central_store()
    return {name: made(site, store) for name, made in layer.codes.items()}


def _no_copies(names: Sequence[str]) -> Waiting:
    copies = "".join(f" --mirror {OTHERS[name]}" for name in names if name in OTHERS)
    return Waiting(f"waiting for images: {', '.join(names)}", f"watchkeeper aws images push{copies}")


def _no_model(site: Site, store: Store) -> Waiting:
    """Which command brings an environment the model that it waits for."""
    reason, known = f"waiting for an approved model in {site.scope}", catalogue(store)
    before = site.landscape.project.before(site.scope)
    fit = [each for each in known.versions if before is None or known.served(each.version, before)]
    if not known.versions:
        return Waiting(reason, "watchkeeper train --target aws --wait")
    if not fit:
        wanted = f"{reason}, which has to serve in {before} first"
        return Waiting(wanted, f"watchkeeper aws deploy --env {before}")
    promote = f"watchkeeper models promote {fit[-1].version} --to {site.scope} --target aws"
    return Waiting(reason, promote)


def _serving(site: Site) -> dict[str, str]:
    """What serves, and what is tried beside it as the stack has it: a deployment of ours changes neither."""
    landscape, store = site.landscape, site.landscape.central_store()
    serving = catalogue(store).serving(site.scope)
    if serving is None:
        raise InputError(f"deploy {site.scope}: want a version that serves there, got none")
    state = landscape.state(site.scope, ENDPOINT.name)
    tried = state.parameters if state is not None and state.there else {}
    kept = ("CandidatePackageArn", "CandidateVersion", "CandidateWeight")
    return {
        **{key: tried[key] for key in kept if key in tried},
        **version_parameters(landscape.project, store, serving.version, site.scope),
    }


def has_records(landscape: Landscape) -> bool:
    """Whether the bucket of records is there."""
    state = landscape.state(CENTRAL, "foundation")
    return state is not None and state.there


def _outcome(before: StackState | None, after: StackState) -> Outcome:
    if before is None or not before.there:
        return Outcome.MADE
    return Outcome.UNCHANGED if before == after else Outcome.CHANGED


def _tell(landscape: Landscape, request: StackRequest) -> None:
    """Put a changed stack on the audit log, which lies in the bucket that the first of them made."""
    wall = WallClock()
    made = digest({"template": request.template, "parameters": dict(request.parameters)})
    event = Event("aws.deploy", request.name, landscape.account.actor, wall.now(), after=made)
    S3Trail(landscape.central_store(), wall).append(event)
