"""Checks of what stands there: identity, stacks, records, images, pipeline, registry, endpoint, prices."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from watchkeeper.adapters.aws.errors import translated
from watchkeeper.adapters.aws.pipeline import SageMakerPipeline
from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.app.aws.checks import Seen, Visit, fine, unsettled, wrong
from watchkeeper.app.aws.costs import STALE, read_prices
from watchkeeper.app.aws.deploying import Choice
from watchkeeper.app.aws.images import OURS, images, missing_images
from watchkeeper.app.aws.status import aws_status
from watchkeeper.app.registry.candidates import candidates
from watchkeeper.app.registry.packages import package_of
from watchkeeper.app.setup.audit import verify_log
from watchkeeper.app.setup.aws_sections import CENTRAL
from watchkeeper.core.errors import ExistsError

_PROMOTE = "`watchkeeper models promote VERSION --to {} --target aws`"


def identity(visit: Visit) -> Seen:
    """Who runs this, and which accounts the project lies in."""
    account, scopes = visit.landscape.account, (CENTRAL, visit.environment)
    numbers = {scope: visit.landscape.account_of(scope).number for scope in scopes}
    where = ", ".join(f"{scope} in {number}" for scope, number in numbers.items())
    return fine(f"{account.caller}; {where}, {account.region}")


def stacks(visit: Visit) -> Seen:
    """Every stack is whole, and the endpoint's is what was approved."""
    found = aws_status(visit.landscape, Choice((CENTRAL, visit.environment)))
    faults = [f"{each.stack} is {each.status} {each.reason}".strip() for each in found.stacks if not each.ok]
    faults += [fault for each in found.serving for fault in each.faults]
    if faults:
        return wrong("; ".join(faults), f"`watchkeeper aws deploy --central --env {visit.environment}`")
    return fine(f"{len(found.stacks)} stacks are as they were approved")


def records(visit: Visit) -> Seen:
    """An object that is there is not created again, and the audit log is whole."""
    store, key = visit.landscape.central_store(), f"validations/probes/{secrets.token_hex(8)}"
    store.create(key, b"first")
    try:
        store.create(key, b"second")
    except ExistsError:
        pass
    else:
        return wrong(
            f"{key} was created twice: S3 did not honour If-None-Match, so nothing here is written once",
            "look for what stands between: a gateway or a store that only speaks like S3",
        )
    held = store.read(key)
    if held != b"first" or key not in store.list("validations/probes/"):
        return wrong(f"{key} was written and is not read back as it was", "look at the bucket's rules")
    log = verify_log(visit.target().trail)
    if not log.verified:
        faults = "; ".join(str(each) for each in log.faults[:3])
        return wrong(
            f"the audit log is not what was written: {faults}", "restore it from the bucket's versions"
        )
    return fine(f"written once, read back, listed; {log.entries:,} audit entries verified")


def pushed_images(visit: Visit) -> Seen:
    """Every image that templates and the pipeline name by digest is in the registry."""
    store = visit.landscape.central_store()
    if missing := missing_images(store):
        return unsettled(f"never pushed: {', '.join(missing)}", "`watchkeeper aws images push`")
    sizes = []
    for name in OURS:
        image = images(store)[name]
        with translated(f"look for the image {image.uri}"):
            (found,) = visit.central("ecr").describe_images(
                repositoryName=visit.landscape.names.repository(name),
                imageIds=[{"imageDigest": image.uri.partition("@")[2]}],
            )["imageDetails"]
        sizes.append(f"{name} {found.get('imageSizeInBytes', 0) / 1e6:,.0f} MB")
    return fine(", ".join(sizes))


def pipeline(visit: Visit) -> Seen:
    """The newest execution came to a model: jobs ran in our images, tuned, judged, registered."""
    run = SageMakerPipeline(visit.central("sagemaker"), visit.landscape.names.pipeline).newest()
    if run is None:
        return unsettled("it was never started", "`watchkeeper train --target aws --wait`")
    said = ", ".join(f"{step.name} {step.status}" for step in run.steps)
    if not run.ended:
        return unsettled(f"{run.status}: {said}", "validate again once it has ended")
    if run.status != "Succeeded":
        reasons = [f"{step.name}: {step.failure}" for step in run.steps if step.failure]
        words = "; ".join([run.failure, *reasons]).strip("; ") or said
        return wrong(f"{run.status}: {words}", "its logs are in CloudWatch under /aws/sagemaker")
    return fine(said)


def package(visit: Visit) -> Seen:
    """The registry's package of the version that serves is complete, and names its MLflow run."""
    version = visit.serving()
    if version is None:
        return unsettled("no version serves", _PROMOTE.format(visit.environment))
    arn = package_of(visit.landscape.central_store(), version)
    with translated(f"look at the model package {arn}"):
        found = (
            visit.landscape.near_central().client("sagemaker").describe_model_package(ModelPackageName=arn)
        )
    approval, run = (
        found.get("ModelApprovalStatus") or "without an approval status",
        found.get("CustomerMetadataProperties", {}),
    )
    said = f"v{version} is {arn}, {found['ModelPackageStatus']}, {approval}"
    if found["ModelPackageStatus"] != "Completed":
        return wrong(said, "train again: a package that is not complete serves nowhere")
    if "mlflow_run_id" not in run:
        return unsettled(f"{said}; it names no MLflow run", "train where MLflow is reached")
    return fine(f"{said}, MLflow run {run['mlflow_run_id']}")


def tracking(visit: Visit) -> Seen:
    """MLflow's server, where SageMaker runs it."""
    where = visit.landscape.section(CENTRAL).tracking
    if where != "sagemaker":
        return unsettled(f"a server of your own, {where}", "look there for the run that the package names")
    name = visit.landscape.names.pipeline
    with translated(f"look at the tracking server {name}"):
        found = visit.central("sagemaker").describe_mlflow_tracking_server(TrackingServerName=name)
    status, active = found["TrackingServerStatus"], found.get("IsActive", "")
    if active != "Active":
        return wrong(f"{name} is {status}, {active}", "`aws sagemaker start-mlflow-tracking-server`")
    return fine(f"{name} is {status}, MLflow {found.get('MlflowVersion', 'of an unknown version')}")


def endpoint(visit: Visit) -> Seen:
    """The endpoint is in service and captures what it is asked."""
    version = visit.serving()
    if version is None:
        return unsettled("no version serves", _PROMOTE.format(visit.environment))
    found = _endpoint(visit)
    status, capture = found["EndpointStatus"], found.get("DataCaptureConfig", {})
    if status != "InService":
        reason = found.get("FailureReason", "no reason given")
        return wrong(
            f"{visit.endpoint} is {status}: {reason}", f"`watchkeeper aws deploy --env {visit.environment}`"
        )
    if not visit.sampling:
        return unsettled(f"{status}, and captures nothing", "environments.ENV.capture.sampling says how much")
    if not capture.get("EnableCapture") or capture.get("CaptureStatus", "Started") != "Started":
        return wrong(f"{status}, captures: {capture or 'none'}", "look at the endpoint's configuration")
    return fine(
        f"{status} with v{version}, captures {capture.get('CurrentSamplingPercentage', visit.sampling)}% "
        f"to {capture['DestinationS3Uri']}"
    )


def guardrails(visit: Visit) -> Seen:
    """Whether an update went through SageMaker's guardrails: the first deployment is none."""
    if visit.serving() is None:
        return unsettled("no version serves", _PROMOTE.format(visit.environment))
    last = _endpoint(visit).get("LastDeploymentConfig", {})
    alarms = last.get("AutoRollbackConfiguration", {}).get("Alarms", ())
    if not alarms:
        return unsettled("no update has been watched by alarms yet", _PROMOTE.format(visit.environment))
    routing = last["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]["Type"]
    return fine(
        f"the last update went {routing}, watched by {', '.join(each['AlarmName'] for each in alarms)}"
    )


def candidate(visit: Visit) -> Seen:
    """Whether a canary or a shadow was ever taken, which is where guardrails have to be left out."""
    tried = candidates(visit.landscape.central_store(), visit.environment)
    if not tried:
        return unsettled(
            "none has been tried",
            f"`watchkeeper models promote VERSION --to {visit.environment} --canary 10% --target aws`",
        )
    newest = tried[-1]
    return fine(f"v{newest.version} was taken as a {newest.kind} at {newest.time:%Y-%m-%d %H:%M}")


def prices(visit: Visit) -> Seen:
    """How old the prices of `aws plan` are."""
    table = read_prices()
    said = f"those of {table.region}, {table.date}, {(age := table.age(WallClock().now()))} days old"
    if age > STALE or table.region != visit.landscape.names.region:
        return unsettled(said, "look them up on the pages that deploy/aws/prices.yaml names")
    return fine(said)


def _endpoint(visit: Visit) -> Mapping[str, Any]:
    with translated(f"look at endpoint {visit.endpoint}"):
        found: Mapping[str, Any] = visit.client("sagemaker").describe_endpoint(EndpointName=visit.endpoint)
    return found
