"""Whether what is deployed is what was approved: stacks, endpoints, the baselines that judge them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from watchkeeper.adapters.aws.errors import translated
from watchkeeper.app.aws.deploying import Choice, has_records, waits_for
from watchkeeper.app.aws.environment_layers import ENDPOINT
from watchkeeper.app.aws.landscape import Landscape
from watchkeeper.app.aws.layers import known_outputs
from watchkeeper.app.aws.quiet import QuietAlarm, quiet_alarms
from watchkeeper.app.aws.site import Layer, Site
from watchkeeper.app.aws.target import baseline_versions
from watchkeeper.app.aws.telemetry import TOPICS
from watchkeeper.app.registry.catalogue import catalogue
from watchkeeper.app.registry.packages import package_of
from watchkeeper.core.stacks import StackState

ALERTING, ALARMS, PENDING = "alerting", "alarms", "PendingConfirmation"  # SNS has that in the place of an ARN


@dataclass(frozen=True, slots=True)
class StackStanding:
    """One stack; `status` is CloudFormation's, `missing`, or `waiting` for what a person has to do first."""

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
class Subscriber:
    """Who would hear of an environment's alerts, and has not confirmed it yet: nobody else can."""

    environment: str
    topic: str
    address: str


@dataclass(frozen=True, slots=True)
class AwsStatus:
    """The project on AWS as it is."""

    stacks: tuple[StackStanding, ...]
    serving: tuple[Serving, ...]
    unconfirmed: tuple[Subscriber, ...] = ()
    quiet: tuple[QuietAlarm, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every stack is whole and every endpoint is what was approved."""
        return all(stack.ok for stack in self.stacks) and not any(each.faults for each in self.serving)


def aws_status(landscape: Landscape, choice: Choice) -> AwsStatus:
    """Look at every stack of the scopes, and hold each endpoint against the records.

    A pipeline that waits for images is no fault, nor an endpoint that waits for its first model; one that
    serves another version, or is judged by other baselines than the approved ones of what it serves, is.
    """
    stacks, states = [], {}
    for scope, layer in choice.layers(landscape):
        site = Site(landscape, scope, known_outputs(landscape))
        states[scope, layer.name] = state = landscape.state(scope, layer.name)
        stacks.append(_standing(site, layer, state))
    served = [scope for scope, layer in states if layer == ENDPOINT.name and has_records(landscape)]
    there = [key for key, state in states.items() if state and state.there]
    told, alarmed = ([scope for scope, layer in there if layer == name] for name in (ALERTING, ALARMS))
    return AwsStatus(
        tuple(stacks),
        tuple(_serving(landscape, each, states[each, ENDPOINT.name]) for each in served),
        tuple(each for scope in told for each in unconfirmed(landscape, scope)),
        tuple(each for scope in alarmed for each in quiet_alarms(landscape, scope)),
    )


def unconfirmed(landscape: Landscape, environment: str) -> Iterator[Subscriber]:
    """Subscriptions of an environment's topics that wait for their owner's word."""
    for kind, found in subscriptions(landscape, environment).items():
        for each in found:
            if each["SubscriptionArn"] == PENDING:
                yield Subscriber(environment, kind, each["Endpoint"])


def subscriptions(landscape: Landscape, environment: str) -> dict[str, list[Mapping[str, str]]]:
    """Who hears of alerts, by topic, as SNS has it."""
    client, number = landscape.account_of(environment).client("sns"), landscape.number(environment)
    told = {}
    for kind in TOPICS:
        arn = landscape.names.topic(environment, kind, number)
        with translated(f"list who hears of {arn}"):
            told[kind] = list(client.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"])
    return told


def _standing(site: Site, layer: Layer, state: StackState | None) -> StackStanding:
    name = site.landscape.names.stack(site.scope, layer.name)
    if state is not None:
        ok = state.there and not state.failed
        return StackStanding(site.scope, layer.name, name, state.status, state.reason, ok)
    waiting = waits_for(site, layer)
    if waiting is None or not has_records(site.landscape):
        return StackStanding(site.scope, layer.name, name, "missing", "", ok=False)
    return StackStanding(site.scope, layer.name, name, "waiting", waiting.reason, ok=True)


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
