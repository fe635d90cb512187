"""What CloudFormation does with a resource, done with the calls of its service against the doubles.

One maker a type. What no double has is only kept in mind (`REMEMBERED`): its properties were held to the
registry's schema by cfn-lint, and its requests to botocore's shapes, and that is all that is known of it
here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from tests.aws import makers_events
from tests.aws.shapes import request_faults

REMEMBERED = ("AWS::SageMaker::MlflowTrackingServer",)
Attributes = dict[str, str]


@dataclass(frozen=True, slots=True)
class Makers:
    """Clients of the doubles by service; `client("s3")` may do everything."""

    client: Callable[[str], Any]
    variables: Mapping[str, str] = field(default_factory=dict)  # of functions, beside MiniStack's own

    def make(self, type_: str, properties: Mapping[str, Any]) -> Attributes:
        """Make or change the resource; returns `Ref` and attributes that the service chose."""
        if type_ in REMEMBERED:
            return {}
        return _MAKERS[type_](self, properties)

    def there(self, type_: str, properties: Mapping[str, Any]) -> bool:
        """Whether one of that name is in the account."""
        look = _LOOKS.get(type_)
        if look is None:
            return False
        try:
            return look(self, properties)
        except ClientError:
            return False

    def remove(self, type_: str, physical: str, properties: Mapping[str, Any]) -> None:
        if type_ in _REMOVERS:
            _REMOVERS[type_](self, physical, properties)

    def call(self, service: str, operation: str, **asked: Any) -> Any:
        """A call of a service, its request held to the letter of the shape."""
        name = "".join(part.title() for part in operation.split("_"))
        assert request_faults(service, name, asked) == []
        return getattr(self.client(service), operation)(**asked)

    def quietly(self, service: str, operation: str, *but: str, **asked: Any) -> Any:
        """The same, where an error with one of these codes is fine."""
        try:
            return getattr(self.client(service), operation)(**asked)
        except ClientError as error:
            if error.response["Error"]["Code"] not in but:
                raise
            return None


def _bucket(of: Makers, p: Mapping[str, Any]) -> Attributes:
    name = p["BucketName"]
    of.quietly(
        "s3",
        "create_bucket",
        "BucketAlreadyOwnedByYou",
        "BucketAlreadyExists",
        Bucket=name,
        CreateBucketConfiguration={"LocationConstraint": "ap-southeast-1"},
    )
    s3 = of.client("s3")
    if p.get("ObjectLockEnabled"):  # MiniStack's would keep tests from taking anything away
        asked = {"Bucket": name, "ObjectLockConfiguration": lock_of(p["ObjectLockConfiguration"])}
        assert request_faults("s3", "PutObjectLockConfiguration", asked) == []
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=p["VersioningConfiguration"])
    (rule,) = p["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    encryption = {
        "Rules": [
            {
                "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"],
                "BucketKeyEnabled": rule["BucketKeyEnabled"],
            }
        ]
    }
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration=encryption)
    s3.put_public_access_block(
        Bucket=name, PublicAccessBlockConfiguration=p["PublicAccessBlockConfiguration"]
    )
    return {}


def lock_of(given: Mapping[str, Any]) -> dict[str, Any]:
    rule = given["Rule"]["DefaultRetention"]
    return {**given, "Rule": {"DefaultRetention": {**rule, "Days": int(rule["Days"])}}}


def _trail(of: Makers, p: Mapping[str, Any]) -> Attributes:
    asked = {
        "Name": p["TrailName"],
        "S3BucketName": p["S3BucketName"],
        "KmsKeyId": p["KMSKeyId"],
        "IsMultiRegionTrail": p["IsMultiRegionTrail"],
        "IncludeGlobalServiceEvents": p["IncludeGlobalServiceEvents"],
        "EnableLogFileValidation": p["EnableLogFileValidation"],
    }
    selectors = {"TrailName": p["TrailName"], "AdvancedEventSelectors": p["AdvancedEventSelectors"]}
    assert request_faults("cloudtrail", "PutEventSelectors", selectors) == []
    of.quietly("cloudtrail", "create_trail", "TrailAlreadyExistsException", **asked)
    of.call("cloudtrail", "start_logging", Name=p["TrailName"])
    return {}


def _bucket_policy(of: Makers, p: Mapping[str, Any]) -> Attributes:
    """Without the statement that wants TLS, which MiniStack enforces and does not speak."""
    kept = [each for each in p["PolicyDocument"]["Statement"] if each["Sid"] != "TlsOnly"]
    document = json.dumps({**p["PolicyDocument"], "Statement": kept})
    of.client("s3").put_bucket_policy(Bucket=p["Bucket"], Policy=document)
    return {}


def _key(of: Makers, p: Mapping[str, Any]) -> Attributes:
    asked = {"Description": p["Description"], "Policy": json.dumps(p["KeyPolicy"])}
    return {"Ref": of.call("kms", "create_key", **asked)["KeyMetadata"]["KeyId"]}


def _alias(of: Makers, p: Mapping[str, Any]) -> Attributes:
    of.quietly("kms", "delete_alias", "NotFoundException", AliasName=p["AliasName"])
    of.call("kms", "create_alias", AliasName=p["AliasName"], TargetKeyId=p["TargetKeyId"])
    return {}


def _repository(of: Makers, p: Mapping[str, Any]) -> Attributes:
    asked = {"repositoryName": p["RepositoryName"], "imageTagMutability": p["ImageTagMutability"]}
    of.quietly("ecr", "create_repository", "RepositoryAlreadyExistsException", **asked)
    return {}


def _bus(of: Makers, p: Mapping[str, Any]) -> Attributes:
    of.quietly("events", "create_event_bus", "ResourceAlreadyExistsException", Name=p["Name"])
    return {}


def _bus_policy(of: Makers, p: Mapping[str, Any]) -> Attributes:
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": p["StatementId"], **p["Statement"]}]})
    of.call("events", "put_permission", EventBusName=p["EventBusName"], Policy=policy)
    return {}


def _logs(of: Makers, p: Mapping[str, Any]) -> Attributes:
    of.quietly("logs", "create_log_group", "ResourceAlreadyExistsException", logGroupName=p["LogGroupName"])
    asked = {"logGroupName": p["LogGroupName"], "retentionInDays": int(p["RetentionInDays"])}
    of.call("logs", "put_retention_policy", **asked)
    return {}


def _role(of: Makers, p: Mapping[str, Any]) -> Attributes:
    name, trust = p["RoleName"], json.dumps(p["AssumeRolePolicyDocument"])
    asked = {"RoleName": name, "AssumeRolePolicyDocument": trust, "Path": p["Path"]}
    of.quietly("iam", "create_role", "EntityAlreadyExists", **asked)
    for policy in p["Policies"]:
        document = json.dumps(_known(policy["PolicyDocument"]))
        of.client("iam").put_role_policy(
            RoleName=name, PolicyName=policy["PolicyName"], PolicyDocument=document
        )
    return {}


def _known(document: Mapping[str, Any]) -> dict[str, Any]:
    """Without the one condition that MiniStack does not know; parliament and the table of calls hold it."""
    statements = [
        {key: each for key, each in statement.items() if key != "Condition"}
        if "cloudwatch:namespace" in str(statement.get("Condition"))
        else statement
        for statement in document["Statement"]
    ]
    return {**document, "Statement": statements}


def _vpc(of: Makers, p: Mapping[str, Any]) -> Attributes:
    return {"Ref": of.call("ec2", "create_vpc", CidrBlock=p["CidrBlock"])["Vpc"]["VpcId"]}


def _subnet(of: Makers, p: Mapping[str, Any]) -> Attributes:
    block = f"10.64.0.{0 if p['CidrBlock'].endswith('#0') else 128}/25"  # Fn::Cidr, for the one block we make
    asked = {"VpcId": p["VpcId"], "AvailabilityZone": p["AvailabilityZone"], "CidrBlock": block}
    return {"Ref": of.call("ec2", "create_subnet", **asked)["Subnet"]["SubnetId"]}


def _routes(of: Makers, p: Mapping[str, Any]) -> Attributes:
    return {"Ref": of.call("ec2", "create_route_table", VpcId=p["VpcId"])["RouteTable"]["RouteTableId"]}


def _association(of: Makers, p: Mapping[str, Any]) -> Attributes:
    return {"Ref": of.call("ec2", "associate_route_table", **p)["AssociationId"]}


def _group(of: Makers, p: Mapping[str, Any]) -> Attributes:
    asked = {"GroupName": p["GroupDescription"], "Description": p["GroupDescription"], "VpcId": p["VpcId"]}
    return {"Ref": of.call("ec2", "create_security_group", **asked)["GroupId"]}


def _vpc_endpoint(of: Makers, p: Mapping[str, Any]) -> Attributes:
    return {"Ref": of.call("ec2", "create_vpc_endpoint", **p)["VpcEndpoint"]["VpcEndpointId"]}


def _alarm(of: Makers, p: Mapping[str, Any]) -> Attributes:
    numbers = {"Threshold": float(p["Threshold"])}
    asked = {"ComparisonOperator": p["ComparisonOperator"], "EvaluationPeriods": p["EvaluationPeriods"]}
    asked |= {name: p[name] for name in p if name not in ("ComparisonOperator", "Threshold")}
    of.call("cloudwatch", "put_metric_alarm", **asked, **numbers)
    return {}


def _package_group(of: Makers, p: Mapping[str, Any]) -> Attributes:
    name = p["ModelPackageGroupName"]
    if not _LOOKS["AWS::SageMaker::ModelPackageGroup"](of, p):
        of.call("sagemaker", "create_model_package_group", ModelPackageGroupName=name)
    policy = json.dumps(p["ModelPackageGroupPolicy"])
    asked = {"ModelPackageGroupName": name, "ResourcePolicy": policy}
    assert request_faults("sagemaker", "PutModelPackageGroupPolicy", asked) == []  # moto has it not
    return {}


def _pipeline(of: Makers, p: Mapping[str, Any]) -> Attributes:
    place = p["PipelineDefinition"]["PipelineDefinitionS3Location"]
    definition = of.client("s3").get_object(**place)["Body"].read().decode()
    json.loads(definition)
    asked = {
        "PipelineName": p["PipelineName"],
        "PipelineDisplayName": p["PipelineDisplayName"],
        "PipelineDefinition": definition,
        "RoleArn": p["RoleArn"],
    }
    known = {each["PipelineName"] for each in of.client("sagemaker").list_pipelines()["PipelineSummaries"]}
    if p["PipelineName"] in known:
        of.call("sagemaker", "update_pipeline", **asked)
    else:
        of.call("sagemaker", "create_pipeline", **asked, ClientRequestToken="0" * 32)
    return {}


_SERIAL = iter(range(1, 1_000_000))


def _model(of: Makers, p: Mapping[str, Any]) -> Attributes:
    container = {
        "ModelPackageName": p["PrimaryContainer"]["ModelPackageName"],
        "Environment": {key: str(text) for key, text in p["PrimaryContainer"]["Environment"].items()},
    }
    of.client("sagemaker").describe_model_package(
        ModelPackageName=container["ModelPackageName"]
    )  # moto looks not
    name = f"Model-{next(_SERIAL)}"
    asked = {
        "ModelName": name,
        "ExecutionRoleArn": p["ExecutionRoleArn"],
        "PrimaryContainer": container,
        "VpcConfig": p["VpcConfig"],
        "EnableNetworkIsolation": p["EnableNetworkIsolation"],
    }
    of.call("sagemaker", "create_model", **asked)
    return {"Ref": name, "ModelName": name}


def _endpoint_config(of: Makers, p: Mapping[str, Any]) -> Attributes:
    name = f"EndpointConfig-{next(_SERIAL)}"
    kinds = ("ProductionVariants", "ShadowProductionVariants")
    variants = {kind: [_variant(each) for each in p[kind]] for kind in kinds if kind in p}
    asked = {"EndpointConfigName": name, "KmsKeyId": p["KmsKeyId"], **variants}
    if "DataCaptureConfig" in p:
        capture = p["DataCaptureConfig"]
        percentage = int(capture["InitialSamplingPercentage"])
        asked["DataCaptureConfig"] = {**capture, "InitialSamplingPercentage": percentage}
    of.call("sagemaker", "create_endpoint_config", **asked)
    return {"Ref": name, "EndpointConfigName": name}


def _variant(each: Mapping[str, Any]) -> dict[str, Any]:
    count, weight = int(each["InitialInstanceCount"]), float(each["InitialVariantWeight"])
    return {**each, "InitialInstanceCount": count, "InitialVariantWeight": weight}


def _endpoint(of: Makers, p: Mapping[str, Any]) -> Attributes:
    """A change is an update, which moto does not have: then the endpoint is made anew there."""
    name = p["EndpointName"]
    tags = [{"Key": each["Key"], "Value": str(each["Value"])} for each in p["Tags"]]
    asked = {"EndpointName": name, "EndpointConfigName": p["EndpointConfigName"]}
    guarded = {"DeploymentConfig": p["DeploymentConfig"]} if "DeploymentConfig" in p else {}
    if _LOOKS["AWS::SageMaker::Endpoint"](of, p):
        assert request_faults("sagemaker", "UpdateEndpoint", {**asked, **guarded}) == []
        of.client("sagemaker").delete_endpoint(EndpointName=name)
    of.call("sagemaker", "create_endpoint", **asked, **guarded, Tags=tags)
    return {}


_MAKERS: dict[str, Callable[[Makers, Mapping[str, Any]], Attributes]] = {
    "AWS::S3::Bucket": _bucket,
    "AWS::S3::BucketPolicy": _bucket_policy,
    "AWS::KMS::Key": _key,
    "AWS::KMS::Alias": _alias,
    "AWS::ECR::Repository": _repository,
    "AWS::Events::EventBus": _bus,
    "AWS::Events::EventBusPolicy": _bus_policy,
    "AWS::Logs::LogGroup": _logs,
    "AWS::IAM::Role": _role,
    "AWS::EC2::VPC": _vpc,
    "AWS::EC2::Subnet": _subnet,
    "AWS::EC2::RouteTable": _routes,
    "AWS::EC2::SubnetRouteTableAssociation": _association,
    "AWS::EC2::SecurityGroup": _group,
    "AWS::EC2::VPCEndpoint": _vpc_endpoint,
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::CloudTrail::Trail": _trail,
    "AWS::SageMaker::ModelPackageGroup": _package_group,
    "AWS::SageMaker::Pipeline": _pipeline,
    "AWS::SageMaker::Model": _model,
    "AWS::SageMaker::EndpointConfig": _endpoint_config,
    "AWS::SageMaker::Endpoint": _endpoint,
    **makers_events.MAKERS,
}


_LOOKS: dict[str, Callable[[Makers, Mapping[str, Any]], bool]] = {
    "AWS::S3::Bucket": lambda of, p: bool(of.client("s3").head_bucket(Bucket=p["BucketName"])),
    "AWS::ECR::Repository": lambda of, p: bool(
        of.client("ecr").describe_repositories(repositoryNames=[p["RepositoryName"]])
    ),
    "AWS::Logs::LogGroup": lambda of, p: any(
        each["logGroupName"] == p["LogGroupName"]
        for each in of.client("logs").describe_log_groups(logGroupNamePrefix=p["LogGroupName"])["logGroups"]
    ),
    "AWS::SageMaker::ModelPackageGroup": lambda of, p: any(
        each["ModelPackageGroupName"] == p["ModelPackageGroupName"]
        for each in of.client("sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"]
    ),
    "AWS::SageMaker::Endpoint": lambda of, p: any(
        each["EndpointName"] == p["EndpointName"]
        for each in of.client("sagemaker").list_endpoints()["Endpoints"]
    ),
}


def _remove_role(of: Makers, name: str, p: Mapping[str, Any]) -> None:
    for policy in p["Policies"]:
        of.quietly(
            "iam", "delete_role_policy", "NoSuchEntity", RoleName=name, PolicyName=policy["PolicyName"]
        )
    of.quietly("iam", "delete_role", "NoSuchEntity", RoleName=name)


_REMOVERS: dict[str, Callable[[Makers, str, Mapping[str, Any]], Any]] = {
    "AWS::S3::Bucket": lambda of, name, _: of.quietly("s3", "delete_bucket", "NoSuchBucket", Bucket=name),
    "AWS::S3::BucketPolicy": lambda of, _, p: of.quietly(
        "s3", "delete_bucket_policy", "NoSuchBucket", Bucket=p["Bucket"]
    ),
    "AWS::KMS::Key": lambda of, name, _: of.client("kms").schedule_key_deletion(KeyId=name),
    "AWS::KMS::Alias": lambda of, name, _: of.client("kms").delete_alias(AliasName=name),
    "AWS::ECR::Repository": lambda of, name, _: of.client("ecr").delete_repository(repositoryName=name),
    "AWS::Events::EventBus": lambda of, name, _: of.client("events").delete_event_bus(Name=name),
    "AWS::Logs::LogGroup": lambda of, name, _: of.client("logs").delete_log_group(logGroupName=name),
    "AWS::IAM::Role": _remove_role,
    "AWS::EC2::VPC": lambda of, name, _: of.client("ec2").delete_vpc(VpcId=name),
    "AWS::EC2::Subnet": lambda of, name, _: of.client("ec2").delete_subnet(SubnetId=name),
    "AWS::EC2::RouteTable": lambda of, name, _: of.client("ec2").delete_route_table(RouteTableId=name),
    "AWS::EC2::SecurityGroup": lambda of, name, _: of.client("ec2").delete_security_group(GroupId=name),
    "AWS::EC2::VPCEndpoint": lambda of, name, _: of.client("ec2").delete_vpc_endpoints(VpcEndpointIds=[name]),
    "AWS::EC2::SubnetRouteTableAssociation": lambda of, name, _: of.client("ec2").disassociate_route_table(
        AssociationId=name
    ),
    "AWS::CloudWatch::Alarm": lambda of, name, _: of.client("cloudwatch").delete_alarms(AlarmNames=[name]),
    "AWS::CloudTrail::Trail": lambda of, name, _: of.client("cloudtrail").delete_trail(Name=name),
    "AWS::SageMaker::Pipeline": lambda of, name, _: of.client("sagemaker").delete_pipeline(
        PipelineName=name, ClientRequestToken="0" * 32
    ),
    "AWS::SageMaker::Model": lambda of, name, _: of.client("sagemaker").delete_model(ModelName=name),
    "AWS::SageMaker::EndpointConfig": lambda of, name, _: of.client("sagemaker").delete_endpoint_config(
        EndpointConfigName=name
    ),
    "AWS::SageMaker::Endpoint": lambda of, name, _: of.client("sagemaker").delete_endpoint(EndpointName=name),
    "AWS::SageMaker::ModelPackageGroup": lambda of, name, _: of.client(
        "sagemaker"
    ).delete_model_package_group(ModelPackageGroupName=name),
    **makers_events.REMOVERS,
}
