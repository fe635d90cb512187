"""Holds alarms, as JSON on stdin, against botocore's shape of PutMetricAlarm; says what each has wrong."""

import json
import sys

import botocore.loaders
import botocore.model
import botocore.validate

model = botocore.loaders.Loader().load_service_model("cloudwatch", "service-2")
shape = botocore.model.ServiceModel(model).operation_model("PutMetricAlarm").input_shape
for each in json.load(sys.stdin):
    report = botocore.validate.ParamValidator().validate(each, shape)
    if report.has_errors():
        sys.stdout.write(f"{each.get('AlarmName')} {report.generate_report()}\n")
    if unknown := sorted(set(each) - set(shape.members)):
        sys.stdout.write(f"{each.get('AlarmName')} unknown {unknown}\n")
