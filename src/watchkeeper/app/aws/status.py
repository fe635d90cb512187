"""Whether what is deployed is what was approved: stacks, endpoints, the baselines that judge them."""

from __future__ import annotations

from dataclasses import dataclass

from watchkeeper.app.aws.deploying import Choice
from watchkeeper.app.aws.landscape import Landscape
from watchkeeper.app.aws.layers import ENDPOINT
from watchkeeper.app.aws.target import baseline_versions
from watchkeeper.app.registry.models import catalogue
from watchkeeper.app.registry.packages import package_of
from watchkeeper.core.stacks import StackState


@dataclass(frozen=True, slots=True)
class StackStanding:
    """One stack; `status` is CloudFormation's, or `missing`."""

    scope: str
    layer: str
    stack: str
    status: str
    reason: str
    ok: bool


@dataclass(frozen=True, slots=True)
class Serving:
    """What an environment's records say that it serves, and what its stack serves; each fault in words."""

    environment: str
    recorded: int | None
    deployed: int | None
    baselines: str
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AwsStatus:
    """The project on AWS as it is."""

    stacks: tuple[StackStanding, ...]
    serving: tuple[Serving, ...]

    @property
    def ok(self) -> bool:
        """Whether every stack is whole and every endpoint is what was approved."""
        return all(stack.ok for stack in self.stacks) and not any(each.faults for each in self.serving)


def aws_status(landscape: Landscape, choice: Choice) -> AwsStatus:
    """Look at every stack of the scopes, and hold each endpoint against the records.

    An endpoint that waits for its first model is no fault; one that serves another version, or is judged by
    other baselines than the approved ones of what it serves, is.
    """
    stacks, states = [], {}
    for scope, layer in choice.layers(landscape):
        name = landscape.names.stack(scope, layer.name)
        states[scope, layer.name] = state = landscape.stacks(scope).state(name)
        stacks.append(_standing(scope, layer.name, name, state))
    environments = [scope for scope, layer in states if layer == ENDPOINT.name]
    serving = tuple(_serving(landscape, each, states[each, ENDPOINT.name]) for each in environments)
    waiting = {each.environment for each in serving if each.recorded is None and not each.faults}
    return AwsStatus(
        tuple(stack for stack in stacks if not (stack.layer == ENDPOINT.name and stack.scope in waiting)),
        serving,
    )


def _standing(scope: str, layer: str, name: str, state: StackState | None) -> StackStanding:
    if state is None:
        return StackStanding(scope, layer, name, "missing", "", ok=False)
    return StackStanding(scope, layer, name, state.status, state.reason, ok=state.there and not state.failed)


def _serving(landscape: Landscape, environment: str, state: StackState | None) -> Serving:
    store, parameters = landscape.central_store(), state.parameters if state and state.there else {}
    held = catalogue(store).serving(environment)
    recorded = held.version if held else None
    deployed = int(parameters["ModelVersion"]) if "ModelVersion" in parameters else None
    used = parameters.get("BaselineVersions", "none")
    faults = []
    if recorded != deployed:
        faults.append(
            f"the records say that {_version(recorded)} serves, the stack serves {_version(deployed)}"
        )
    if deployed is not None:
        approved = baseline_versions(landscape.project, store, deployed, environment)
        if approved != used:
            faults.append(
                f"judged by baselines {used}, approved for v{deployed} are {approved}; "
                f"run `watchkeeper aws deploy --env {environment}`"
            )
        if (package := package_of(store, deployed)) != parameters["ModelPackageArn"]:
            faults.append(f"serves {parameters['ModelPackageArn']}, v{deployed} is {package or 'no package'}")
    return Serving(environment, recorded, deployed, used, tuple(faults))


def _version(number: int | None) -> str:
    return "nothing" if number is None else f"v{number}"
