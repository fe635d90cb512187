"""What CloudFormation does with queues, topics, functions, schedules and rules, done against MiniStack.

Functions run there as processes; SageMaker answers them where ours does. What no double has is held to
botocore's shape of the request that would be made of it, and no more.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from tests.aws.shapes import request_faults

if TYPE_CHECKING:
    from tests.aws.makers import Makers

Attributes = dict[str, str]
_WORKSPACE = "ws-00000000-0000-0000-0000-000000000000"  # of the form that requests want


def check(service: str, operation: str, asked: dict[str, Any]) -> None:
    """Raises ValueError for a request that the service would not take."""
    if faults := request_faults(service, operation, asked):
        raise ValueError(f"{service}:{operation}: {faults}")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _queue(of: Makers, p: Mapping[str, Any]) -> Attributes:
    given = {key: _text(text) for key, text in p.items() if key not in ("QueueName", "Tags")}
    asked = {"QueueName": p["QueueName"], "Attributes": given}
    check("sqs", "CreateQueue", asked)
    kept = {key: text for key, text in given.items() if key != "KmsMasterKeyId"}
    url = of.client("sqs").create_queue(QueueName=p["QueueName"])["QueueUrl"]
    of.client("sqs").set_queue_attributes(QueueUrl=url, Attributes=kept)
    return {}


def _queue_url(of: Makers, ref: str) -> str:
    return str(of.client("sqs").get_queue_url(QueueName=ref.rpartition("/")[2])["QueueUrl"])


def _queue_policy(of: Makers, p: Mapping[str, Any]) -> Attributes:
    policy = json.dumps(p["PolicyDocument"])
    for queue in p["Queues"]:
        url = _queue_url(of, queue)
        of.call("sqs", "set_queue_attributes", QueueUrl=url, Attributes={"Policy": policy})
    return {}


def _topic(of: Makers, p: Mapping[str, Any]) -> Attributes:
    given = {"DisplayName": p["DisplayName"], "KmsMasterKeyId": p["KmsMasterKeyId"]}
    check("sns", "CreateTopic", {"Name": p["TopicName"], "Attributes": given})
    of.client("sns").create_topic(Name=p["TopicName"])
    return {}


def _topic_policy(of: Makers, p: Mapping[str, Any]) -> Attributes:
    for topic in p["Topics"]:
        asked = {"AttributeName": "Policy", "AttributeValue": json.dumps(p["PolicyDocument"])}
        of.call("sns", "set_topic_attributes", TopicArn=topic, **asked)
    return {}


def _subscription(of: Makers, p: Mapping[str, Any]) -> Attributes:
    asked = {"TopicArn": p["TopicArn"], "Protocol": p["Protocol"], "Endpoint": p["Endpoint"]}
    if "RedrivePolicy" in p:
        asked["Attributes"] = {"RedrivePolicy": json.dumps(p["RedrivePolicy"])}
    made = of.call("sns", "subscribe", **asked, ReturnSubscriptionArn=True)
    return {"Ref": made["SubscriptionArn"]}


def _function(of: Makers, p: Mapping[str, Any]) -> Attributes:
    name, known = p["FunctionName"], of.client("lambda").list_functions()["Functions"]
    settings = {
        "FunctionName": name,
        "Role": p["Role"],
        "Runtime": p["Runtime"],
        "Handler": p["Handler"],
        "Description": p["Description"],
        "Timeout": int(p["Timeout"]),
        "MemorySize": int(p["MemorySize"]),
        "KMSKeyArn": p["KmsKeyArn"],
        "LoggingConfig": p["LoggingConfig"],
    }
    check("lambda", "CreateFunction", {**settings, "Code": p["Code"]})
    data = of.client("s3").get_object(Bucket=p["Code"]["S3Bucket"], Key=p["Code"]["S3Key"])["Body"].read()
    run = {
        **{key: settings[key] for key in ("FunctionName", "Role", "Handler", "Timeout")},
        "Runtime": "python3.12",
        "Environment": {"Variables": of.variables},
    }
    if any(each["FunctionName"] == name for each in known):
        of.client("lambda").update_function_code(FunctionName=name, ZipFile=data)
    else:
        of.client("lambda").create_function(**run, Code={"ZipFile": data})
    return {}


def _permission(of: Makers, p: Mapping[str, Any]) -> Attributes:
    asked = {"StatementId": f"s{abs(hash(json.dumps(dict(p), sort_keys=True)))}", **p}
    of.quietly("lambda", "add_permission", "ResourceConflictException", **asked)
    return {}


def _mapping(of: Makers, p: Mapping[str, Any]) -> Attributes:
    asked = {**p, "BatchSize": int(p["BatchSize"])}
    check("lambda", "CreateEventSourceMapping", asked)
    known = of.client("lambda").list_event_source_mappings(FunctionName=p["FunctionName"])
    if known["EventSourceMappings"]:
        return {}
    made = of.client("lambda").create_event_source_mapping(
        **{
            key: asked[key]
            for key in ("EventSourceArn", "FunctionName", "BatchSize", "FunctionResponseTypes")
        }
    )
    return {"Ref": made["UUID"]}


def _rule(of: Makers, p: Mapping[str, Any]) -> Attributes:
    bus = {"EventBusName": p["EventBusName"]} if "EventBusName" in p else {}
    pattern = json.dumps(p["EventPattern"])
    of.call("events", "put_rule", Name=p["Name"], EventPattern=pattern, Description=p["Description"], **bus)
    targets = [
        {
            **each,
            "RetryPolicy": {key: int(text) for key, text in each["RetryPolicy"].items()},
        }
        for each in p["Targets"]
    ]
    of.call("events", "put_targets", Rule=p["Name"], Targets=targets, **bus)
    return {}


def _schedule(_: Makers, p: Mapping[str, Any]) -> Attributes:
    """Held to the shape alone: what is due, tests put into the queue themselves."""
    window = {**p["FlexibleTimeWindow"]}
    window["MaximumWindowInMinutes"] = int(window["MaximumWindowInMinutes"])
    check("scheduler", "CreateSchedule", {**p, "FlexibleTimeWindow": window})
    return {}


def _url(_: Makers, p: Mapping[str, Any]) -> Attributes:
    asked = {"FunctionName": p["TargetFunctionArn"], "AuthType": p["AuthType"]}
    check("lambda", "CreateFunctionUrlConfig", asked)
    return {}


def _schedule_group(_: Makers, p: Mapping[str, Any]) -> Attributes:
    check("scheduler", "CreateScheduleGroup", dict(p))
    return {}


def _lower(value: Any) -> Any:
    """ECS's and Prometheus' APIs begin their members with small letters."""
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: _lower(each) for key, each in value.items()}
    return [_lower(each) for each in value] if isinstance(value, list) else value


def _workspace(of: Makers, p: Mapping[str, Any]) -> Attributes:
    """moto has workspaces and rule groups, and no alert manager."""
    client = of.client("amp")
    definition = {"workspaceId": _WORKSPACE, "data": p["AlertManagerDefinition"].encode()}
    check("amp", "CreateAlertManagerDefinition", definition)
    known = client.list_workspaces(alias=p["Alias"])["workspaces"]
    tags = {each["Key"]: each["Value"] for each in p["Tags"]}
    check("amp", "CreateWorkspace", {"alias": p["Alias"], "tags": tags})
    made = known[0] if known else client.create_workspace(alias=p["Alias"], tags=tags)
    name = made["workspaceId"]
    return {"Ref": made["arn"], "Arn": made["arn"], "WorkspaceId": name}


def _rule_groups(of: Makers, p: Mapping[str, Any]) -> Attributes:
    asked = {"workspaceId": p["Workspace"].rpartition("/")[2], "name": p["Name"], "data": p["Data"].encode()}
    check("amp", "CreateRuleGroupsNamespace", asked)
    known = of.client("amp").list_rule_groups_namespaces(workspaceId=asked["workspaceId"])
    if any(each["name"] == p["Name"] for each in known["ruleGroupsNamespaces"]):
        of.client("amp").put_rule_groups_namespace(**asked)
    else:
        of.client("amp").create_rule_groups_namespace(**asked)
    return {}


def _cluster(of: Makers, p: Mapping[str, Any]) -> Attributes:
    asked = {"clusterName": p["ClusterName"], "settings": _lower(p["ClusterSettings"])}
    check("ecs", "CreateCluster", asked)
    of.client("ecs").create_cluster(**asked)
    return {}


def _task(of: Makers, p: Mapping[str, Any]) -> Attributes:
    asked = _lower(p)
    for each, given in zip(asked["containerDefinitions"], p["ContainerDefinitions"], strict=True):
        each["logConfiguration"]["options"] = given["LogConfiguration"]["Options"]
    check("ecs", "RegisterTaskDefinition", asked)
    made = of.client("ecs").register_task_definition(**asked)["taskDefinition"]
    return {"Ref": made["taskDefinitionArn"]}


def _service(of: Makers, p: Mapping[str, Any]) -> Attributes:
    """One that is there takes the new task; a name is free again once the service is gone."""
    asked, client = _lower(p), of.client("ecs")
    check("ecs", "CreateService", asked)
    known = client.describe_services(cluster=asked["cluster"], services=[asked["serviceName"]])["services"]
    if [each["status"] for each in known] == ["ACTIVE"]:
        task = {"cluster": asked["cluster"], "taskDefinition": asked["taskDefinition"]}
        return {"Ref": client.update_service(service=asked["serviceName"], **task)["service"]["serviceArn"]}
    return {"Ref": client.create_service(**asked)["service"]["serviceArn"]}


def _remove_service(of: Makers, _: str, p: Mapping[str, Any]) -> None:
    of.client("ecs").delete_service(cluster=p["Cluster"], service=p["ServiceName"], force=True)


MAKERS: dict[str, Callable[[Makers, Mapping[str, Any]], Attributes]] = {
    "AWS::SQS::Queue": _queue,
    "AWS::SQS::QueuePolicy": _queue_policy,
    "AWS::SNS::Topic": _topic,
    "AWS::SNS::TopicPolicy": _topic_policy,
    "AWS::SNS::Subscription": _subscription,
    "AWS::Lambda::Function": _function,
    "AWS::Lambda::Permission": _permission,
    "AWS::Lambda::EventSourceMapping": _mapping,
    "AWS::Lambda::Url": _url,
    "AWS::Events::Rule": _rule,
    "AWS::Scheduler::ScheduleGroup": _schedule_group,
    "AWS::Scheduler::Schedule": _schedule,
    "AWS::APS::Workspace": _workspace,
    "AWS::APS::RuleGroupsNamespace": _rule_groups,
    "AWS::APS::ResourcePolicy": lambda _, p: json.loads(p["PolicyDocument"]) and {},
    "AWS::ECS::Cluster": _cluster,
    "AWS::ECS::TaskDefinition": _task,
    "AWS::ECS::Service": _service,
}


def _remove_rule(of: Makers, name: str, p: Mapping[str, Any]) -> None:
    bus = {"EventBusName": p["EventBusName"]} if "EventBusName" in p else {}
    of.client("events").remove_targets(Rule=name, Ids=[each["Id"] for each in p["Targets"]], **bus)
    of.client("events").delete_rule(Name=name, **bus)


REMOVERS: dict[str, Callable[[Makers, str, Mapping[str, Any]], Any]] = {
    "AWS::SQS::Queue": lambda of, name, _: of.client("sqs").delete_queue(QueueUrl=_queue_url(of, name)),
    "AWS::SNS::Topic": lambda of, name, _: of.client("sns").delete_topic(TopicArn=name),
    "AWS::SNS::Subscription": lambda of, name, _: of.client("sns").unsubscribe(SubscriptionArn=name),
    "AWS::Lambda::Function": lambda of, name, _: of.client("lambda").delete_function(FunctionName=name),
    "AWS::Lambda::EventSourceMapping": lambda of, name, _: of.client("lambda").delete_event_source_mapping(
        UUID=name
    ),
    "AWS::Events::Rule": _remove_rule,
    "AWS::ECS::Service": _remove_service,
}
