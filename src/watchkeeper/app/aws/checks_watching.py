"""Checks of what watches: schedules and their jobs, metrics, topics, Prometheus and its collector, the
trail."""

from __future__ import annotations

from typing import Any

from watchkeeper.adapters.aws.errors import translated
from watchkeeper.app.aws.checks import Seen, Visit, fine, unsettled, wrong
from watchkeeper.app.aws.quiet import MISSING, alarm_names, quiet_alarms
from watchkeeper.app.aws.status import subscriptions, unconfirmed
from watchkeeper.app.setup.aws_sections import CENTRAL

_NAME_PART = 40  # characters of a schedule's name that its jobs' names certainly have


def schedules(visit: Visit) -> Seen:
    """The newest job of each schedule, and whether a time came to nothing."""
    project, environment = visit.landscape.project, visit.environment
    monitors, endpoint = project.environment(environment).monitors, project.endpoint(environment)
    if not monitors:
        return unsettled("the environment has no monitor", "`monitors:` in the project file")
    if dead := _dead_letters(visit):
        return wrong(f"{dead} times of schedules could not be started", "the function's log says why each")
    found, failed, waiting = [], [], []
    for monitor in monitors:
        name = f"{endpoint}-{monitor}"
        with translated(f"list the jobs of schedule {name}"):
            jobs = visit.client("sagemaker").list_processing_jobs(
                NameContains=name[:_NAME_PART], SortBy="CreationTime", SortOrder="Descending", MaxResults=1
            )["ProcessingJobSummaries"]
        if not jobs:
            waiting.append(name)
        elif jobs[0]["ProcessingJobStatus"] == "Failed":
            failed.append(f"{jobs[0]['ProcessingJobName']}: {jobs[0].get('FailureReason', 'no reason')}")
        else:
            found.append(f"{jobs[0]['ProcessingJobName']} {jobs[0]['ProcessingJobStatus']}")
    if failed:
        return wrong("; ".join(failed), "the job's log in /aws/sagemaker/ProcessingJobs")
    if waiting:
        return unsettled(
            f"no job yet of {', '.join(waiting)}", "look again after the next time of each schedule"
        )
    return fine("; ".join(found))


def metrics(visit: Visit) -> Seen:
    """What monitors put into CloudWatch is there under the names and dimensions that rules look for."""
    section = visit.landscape.section(visit.environment)
    endpoint = visit.landscape.project.endpoint(visit.environment)
    with translated(f"list metrics of {endpoint}"):
        found = (
            visit.landscape.account_of(visit.environment)
            .client("cloudwatch")
            .list_metrics(Namespace=section.namespace, Dimensions=[{"Name": "Endpoint", "Value": endpoint}])[
                "Metrics"
            ]
        )
    if not found:
        where = f"nothing is in {section.namespace} of {endpoint}"
        return unsettled(where, "look again after a monitor's job has ended")
    names = {each["MetricName"] for each in found}
    return fine(f"{len(found)} metrics in {section.namespace}, {len(names)} names")


def alarms(visit: Visit) -> Seen:
    """Every rule that CloudWatch can say is an alarm there, and each tells somebody."""
    environment = visit.environment
    names = alarm_names(visit.landscape, environment)
    if not names:
        return unsettled("no rule is one that CloudWatch can say", "`alerts:` in the project file")
    quiet = list(quiet_alarms(visit.landscape, environment))
    if missing := [each.alarm for each in quiet if each.why == MISSING]:
        return wrong(f"not there: {', '.join(missing)}", f"`watchkeeper aws deploy --env {environment}`")
    if quiet:
        said = "; ".join(f"{each.alarm}: {each.why}" for each in quiet)
        return unsettled(said, "`watchkeeper audit list --target aws` says who made it so")
    return fine(f"{len(names)} alarms, and none is muted")


def topics(visit: Visit) -> Seen:
    """Who hears of alerts; a mail address counts once its owner has confirmed."""
    environment = visit.environment
    found = subscriptions(visit.landscape, environment)
    told = [f"{kind}: {each['Protocol']}" for kind, those in found.items() for each in those]
    pending = [f"{each.topic}: {each.address}" for each in unconfirmed(visit.landscape, environment)]
    if "alerts: lambda" not in told:
        deploy = f"`watchkeeper aws deploy --env {environment}`"
        return wrong("no function carries alerts to the event bus", deploy)
    if pending:
        return unsettled(f"not confirmed: {', '.join(pending)}", "each has been sent a mail with a link")
    return fine(", ".join(told))


def prometheus(visit: Visit) -> Seen:
    """The workspace and its rules are active."""
    state = visit.landscape.state(CENTRAL, "prometheus")
    if state is None:
        return unsettled("there is no workspace yet", "`watchkeeper aws deploy --central`")
    workspace = state.outputs["WorkspaceId"]
    client = visit.central("amp")
    with translated(f"look at workspace {workspace}"):
        standing = client.describe_workspace(workspaceId=workspace)["workspace"]["status"]["statusCode"]
        rules = client.list_rule_groups_namespaces(workspaceId=workspace)["ruleGroupsNamespaces"]
    told = {f"rules {each['name']}": each["status"]["statusCode"] for each in rules}
    told[f"workspace {workspace}"] = standing
    broken = [f"{name} is {status}" for name, status in told.items() if status != "ACTIVE"]
    if broken:
        return wrong("; ".join(broken), "the log group /aws/vendedlogs/watchkeeper/… says why")
    return fine(f"{', '.join(told)} are ACTIVE")


def collector(visit: Visit) -> Seen:
    """One task runs, and one alone."""
    if visit.landscape.state(CENTRAL, "collector") is None:
        return unsettled(
            "there is no collector yet", "`watchkeeper aws deploy --central` says what it waits for"
        )
    name = visit.landscape.names.pipeline
    with translated(f"look at service {name}-collector"):
        found = (
            visit.landscape.account_of(CENTRAL)
            .client("ecs")
            .describe_services(cluster=name, services=[f"{name}-collector"])["services"]
        )
    running = [each["runningCount"] for each in found]
    if running != [1]:
        return wrong(
            f"{running[0] if running else 'no'} tasks run, want one",
            f"the events of service {name}-collector",
        )
    return fine("one task runs")


def trail(visit: Visit) -> Seen:
    """CloudTrail records, and delivers files and digests."""
    if visit.landscape.section(CENTRAL).trail == "existing":
        return unsettled("the trail is another's (targets.aws.trail: existing)", "its owner looks at it")
    name = visit.landscape.names.pipeline
    with translated(f"look at trail {name}"):
        found = visit.central("cloudtrail").get_trail_status(Name=name)
    return _standing(found, name)


def _standing(found: dict[str, Any], name: str) -> Seen:
    if not found["IsLogging"]:
        return wrong(f"trail {name} records nothing", f"`aws cloudtrail start-logging --name {name}`")
    errors = [
        str(found[key]) for key in ("LatestDeliveryError", "LatestDigestDeliveryError") if found.get(key)
    ]
    if errors:
        return wrong("; ".join(errors), "the bucket's policy and the key's (deploy/aws/audit.yaml)")
    latest = found.get("LatestDeliveryTime")
    return fine(f"trail {name} records, newest file {latest or 'not there yet'}")


def _dead_letters(visit: Visit) -> int:
    """How many times of schedules lie where nobody tries again."""
    if visit.landscape.state(visit.environment, "monitors") is None:
        return 0
    client = visit.client("sqs")
    queue = f"{visit.landscape.names.pipeline}-{visit.environment}-due-dead"
    with translated(f"look at queue {queue}"):
        url = client.get_queue_url(QueueName=queue)["QueueUrl"]
        asked = "ApproximateNumberOfMessages"
        found = client.get_queue_attributes(QueueUrl=url, AttributeNames=[asked])
    return int(found["Attributes"][asked])
