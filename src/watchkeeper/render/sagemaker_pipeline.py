"""The training steps as a SageMaker Pipeline: the definition that CreatePipeline takes.

Every step runs our own functions in our own image; none is a QualityCheck or ClarifyCheck, whose services
are closed. Source: aws-sagemaker-mlops.github.io/sagemaker-model-building-pipeline-definition-JSON-schema,
and for each step's arguments the request of its job in docs.aws.amazon.com/sagemaker/latest/APIReference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

VERSION = "2020-12-01"
INPUTS, OUTPUTS = "/opt/ml/processing/input", "/opt/ml/processing/output"
OBJECTIVE = "validation:rmse"
OBJECTIVE_LINE = "validation:rmse={rmse:.12g};"  # what a trial prints
OBJECTIVE_REGEX = r"validation:rmse=([0-9.e+-]+);"
AT_ONCE = 2  # trials: as many as one machine runs in a local search
_VOLUME = 30  # GB
_LONGEST = 6 * 3600  # seconds of a job


@dataclass(frozen=True, slots=True)
class Range:
    """What a tuning job may choose of a parameter; both ends included."""

    name: str
    low: float
    high: float
    whole: bool = False
    log: bool = False


@dataclass(frozen=True, slots=True)
class PipelinePlan:
    """All that a definition is made of. `project_uri` is the folder of the project file, `images` by name."""

    bucket: str
    key_arn: str
    role_arn: str
    package_group: str
    subnets: Sequence[str]
    security_groups: Sequence[str]
    images: Mapping[str, str]
    training_instance: str
    processing_instance: str
    project_uri: str
    trials: int
    seed: int
    ranges: Sequence[Range]
    monitors: Sequence[str]
    variables: Mapping[str, str]


def definition(plan: PipelinePlan) -> dict[str, Any]:
    """The pipeline's definition.

    Prepare, Tune, Evaluate; where every threshold is met, Fit, Baseline, Register and Record, and else
    Missed and a failure that says so.
    """
    data = {"data": {"Get": "Parameters.DataUri"}, "project": plan.project_uri}
    prepared, evaluated = _output("Prepare", "prepared"), _output("Evaluate", "evaluated")
    known = {"prepared": prepared, "project": plan.project_uri}
    accepted = [
        _fit(plan, {"prepared": prepared, "evaluated": evaluated}),
        _processing(plan, "Baseline", {**known, "evaluated": evaluated, "model": _MODEL}, ("baselines",)),
        _register(plan),
        _processing(
            plan,
            "Record",
            {**known, "evaluated": evaluated, "model": _MODEL},
            arguments=["--package", {"Get": "Steps.Register.ModelPackageArn"}],
        ),
    ]
    missed = [
        _processing(plan, "Missed", {**known, "evaluated": evaluated}),
        {
            "Name": "NotAccepted",
            "Type": "Fail",
            "Arguments": {"ErrorMessage": "the model misses a threshold of training.accept; see step Missed"},
            "DependsOn": ["Missed"],
        },
    ]
    evaluate = _processing(plan, "Evaluate", {**known, "trial": _best(plan)}, ("evaluated",))
    evaluate["PropertyFiles"] = [
        {"PropertyFileName": "Verdict", "OutputName": "evaluated", "FilePath": "verdict.json"}
    ]
    steps = [
        _processing(plan, "Prepare", data, ("prepared",), ["--through", {"Get": "Parameters.Through"}]),
        _tune(plan, prepared),
        evaluate,
        _condition(accepted, missed),
    ]
    return {"Version": VERSION, "Metadata": {}, "Parameters": _parameters(), "Steps": steps}


def _parameters() -> list[dict[str, str]]:
    """What a start may say; the last three are of a retrain: why, for which environment, by which
    decision."""
    return [
        {"Name": "DataUri", "Type": "String"},
        {"Name": "Through", "Type": "String", "DefaultValue": "newest"},
        {"Name": "Commit", "Type": "String", "DefaultValue": "unknown"},
        {"Name": "Reasons", "Type": "String", "DefaultValue": "none"},
        {"Name": "Environment", "Type": "String", "DefaultValue": "none"},
        {"Name": "Decision", "Type": "String", "DefaultValue": "none"},
    ]


_MODEL = {"Get": "Steps.Fit.ModelArtifacts.S3ModelArtifacts"}


def _output(step: str, name: str) -> dict[str, str]:
    return {"Get": f"Steps.{step}.ProcessingOutputConfig.Outputs['{name}'].S3Output.S3Uri"}


def _place(plan: PipelinePlan, *parts: Any) -> dict[str, Any]:
    """A folder of this execution's own."""
    start = [f"s3://{plan.bucket}/pipeline", {"Get": "Execution.PipelineExecutionId"}]
    return {"Std:Join": {"On": "/", "Values": [*start, *parts]}}


def _best(plan: PipelinePlan) -> dict[str, Any]:
    """What the best trial left: SageMaker puts it below the output path, under the job's name."""
    job = {"Get": "Steps.Tune.BestTrainingJob.TrainingJobName"}
    return _place(plan, "trials", job, "output/model.tar.gz")


def _variables(plan: PipelinePlan) -> dict[str, Any]:
    return {
        **plan.variables,
        "WATCHKEEPER_COMMIT": {"Get": "Parameters.Commit"},
        "WATCHKEEPER_REASONS": {"Get": "Parameters.Reasons"},
    }


def _processing(
    plan: PipelinePlan,
    name: str,
    inputs: Mapping[str, Any],
    outputs: Sequence[str] = (),
    arguments: Sequence[Any] = (),
) -> dict[str, Any]:
    cluster = {
        "InstanceType": plan.processing_instance,
        "InstanceCount": 1,
        "VolumeSizeInGB": _VOLUME,
        "VolumeKmsKeyId": plan.key_arn,
    }
    asked: dict[str, Any] = {
        "ProcessingResources": {"ClusterConfig": cluster},
        "AppSpecification": {
            "ImageUri": plan.images["training"],
            "ContainerEntrypoint": ["watchkeeper", "aws", "job"],
            "ContainerArguments": [name.lower(), *arguments],
        },
        "ProcessingInputs": [_input(each, uri) for each, uri in inputs.items()],
        "Environment": _variables(plan),
        "NetworkConfig": {
            "EnableInterContainerTrafficEncryption": True,
            "EnableNetworkIsolation": False,
            "VpcConfig": _vpc(plan),
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": _LONGEST},
        "RoleArn": plan.role_arn,
    }
    if outputs:
        asked["ProcessingOutputConfig"] = {
            "KmsKeyId": plan.key_arn,
            "Outputs": [
                {
                    "OutputName": each,
                    "S3Output": {
                        "S3Uri": _place(plan, each),
                        "LocalPath": f"{OUTPUTS}/{each}",
                        "S3UploadMode": "EndOfJob",
                    },
                }
                for each in outputs
            ],
        }
    return {"Name": name, "Type": "Processing", "Arguments": asked, "RetryPolicies": _RETRIES}


# What passes: a machine that cannot be had, a service that is busy, a job that died of neither code nor data.
_RETRIES = [
    {
        "ExceptionType": ["Step.SERVICE_FAULT", "Step.THROTTLING"],
        "IntervalSeconds": 30,
        "BackoffRate": 2.0,
        "MaxAttempts": 4,
    },
    {
        "ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR", "SageMaker.CAPACITY_ERROR"],
        "IntervalSeconds": 120,
        "BackoffRate": 2.0,
        "MaxAttempts": 3,
    },
]


def _vpc(plan: PipelinePlan) -> dict[str, Any]:
    return {"Subnets": list(plan.subnets), "SecurityGroupIds": list(plan.security_groups)}


def _input(name: str, uri: Any) -> dict[str, Any]:
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": f"{INPUTS}/{name}",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
        },
    }


def _channel(name: str, uri: Any) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, "InputMode": "File"}


def _training(plan: PipelinePlan, step: str, channels: Mapping[str, Any]) -> dict[str, Any]:
    """What a training job and a tuning job's trials have in common."""
    return {
        "InputDataConfig": [_channel(name, uri) for name, uri in channels.items()],
        "OutputDataConfig": {"S3OutputPath": _place(plan, step), "KmsKeyId": plan.key_arn},
        "ResourceConfig": {
            "InstanceType": plan.training_instance,
            "InstanceCount": 1,
            "VolumeSizeInGB": _VOLUME,
            "VolumeKmsKeyId": plan.key_arn,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": _LONGEST},
        "RoleArn": plan.role_arn,
        "VpcConfig": _vpc(plan),
        "EnableNetworkIsolation": True,
        "EnableInterContainerTrafficEncryption": True,
    }


def _tune(plan: PipelinePlan, prepared: Any) -> dict[str, Any]:
    """Trials are jobs of the training image, started as SageMaker starts any: with the one argument
    `train`."""
    kinds = (("IntegerParameterRanges", True), ("ContinuousParameterRanges", False))
    job = _training(plan, "trials", {"prepared": prepared, "project": plan.project_uri})
    specification = {
        "TrainingImage": plan.images["training"],
        "TrainingInputMode": "File",
        "MetricDefinitions": [{"Name": OBJECTIVE, "Regex": OBJECTIVE_REGEX}],
    }
    return {
        "Name": "Tune",
        "Type": "Tuning",
        "Arguments": {
            "HyperParameterTuningJobConfig": {
                "Strategy": "Bayesian",
                "RandomSeed": plan.seed,
                "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": OBJECTIVE},
                "ResourceLimits": {
                    "MaxNumberOfTrainingJobs": plan.trials,
                    "MaxParallelTrainingJobs": min(AT_ONCE, plan.trials),
                },
                "ParameterRanges": {
                    kind: [_range(each) for each in plan.ranges if each.whole is whole]
                    for kind, whole in kinds
                },
            },
            "TrainingJobDefinition": {
                "AlgorithmSpecification": specification,
                "StaticHyperParameters": {"seed": str(plan.seed)},
                **job,
            },
        },
        "RetryPolicies": _RETRIES,
    }


def _range(each: Range) -> dict[str, str]:
    form = "{:.0f}" if each.whole else "{:g}"
    scaling = "Logarithmic" if each.log else "Linear"
    low, high = form.format(each.low), form.format(each.high)
    return {"Name": each.name, "MinValue": low, "MaxValue": high, "ScalingType": scaling}


def _fit(plan: PipelinePlan, channels: Mapping[str, Any]) -> dict[str, Any]:
    """The chosen recipe on all known rows; what the job leaves is the artefact that is served."""
    specification = {
        "TrainingImage": plan.images["training"],
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["watchkeeper", "aws", "job"],
        "ContainerArguments": ["fit"],
    }
    job = _training(plan, "model", {**channels, "project": plan.project_uri})
    asked = {"AlgorithmSpecification": specification, **job}
    return {"Name": "Fit", "Type": "Training", "Arguments": asked, "RetryPolicies": _RETRIES}


def _register(plan: PipelinePlan) -> dict[str, Any]:
    return {
        "Name": "Register",
        "Type": "RegisterModel",
        "Arguments": {
            "ModelPackageGroupName": plan.package_group,
            "ModelPackageDescription": {
                "Std:Join": {"On": " ", "Values": ["commit", {"Get": "Parameters.Commit"}]}
            },
            "ModelApprovalStatus": "PendingManualApproval",
            "InferenceSpecification": {
                "Containers": [{"Image": plan.images["serving"], "ModelDataUrl": _MODEL}],
                "SupportedContentTypes": ["text/csv", "application/json", "application/jsonlines"],
                "SupportedResponseMIMETypes": ["text/csv", "application/json", "application/jsonlines"],
            },
            "CustomerMetadataProperties": {
                "commit": {"Get": "Parameters.Commit"},
                "pipeline_execution": {"Get": "Execution.PipelineExecutionArn"},
            },
            "DriftCheckBaselines": {
                name: files for monitor in plan.monitors for name, files in _drift_check(monitor).items()
            },
        },
        "RetryPolicies": _RETRIES[:1],
    }


def _drift_check(monitor: str) -> dict[str, Any]:
    """A monitor's baseline as the registry names it; which of its two files it takes differs by monitor."""
    name, files = {
        "data-quality": ("ModelDataQuality", {"Statistics": "statistics", "Constraints": "constraints"}),
        "model-quality": ("ModelQuality", {"Statistics": "statistics", "Constraints": "constraints"}),
        "bias": ("Bias", {"PostTrainingConstraints": "analysis"}),
        "explainability": ("Explainability", {"Constraints": "analysis"}),
    }[monitor]
    return {name: {part: _baseline_file(monitor, file) for part, file in files.items()}}


def _baseline_file(monitor: str, file: str) -> dict[str, Any]:
    folder = _output("Baseline", "baselines")
    return {
        "ContentType": "application/json",
        "S3Uri": {"Std:Join": {"On": "/", "Values": [folder, monitor, f"{file}.json"]}},
    }


def _condition(accepted: list[dict[str, Any]], missed: list[dict[str, Any]]) -> dict[str, Any]:
    verdict = {
        "Std:JsonGet": {"PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.Verdict"}, "Path": "accepted"}
    }
    return {
        "Name": "Accepted",
        "Type": "Condition",
        "Arguments": {
            "Conditions": [{"Type": "Equals", "LeftValue": verdict, "RightValue": True}],
            "IfSteps": accepted,
            "ElseSteps": missed,
        },
    }
