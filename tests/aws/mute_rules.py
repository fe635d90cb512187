"""CloudWatch's alarm mute rules, which no double has; MiniStack answers for the rest of CloudWatch.

Source: docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutAlarmMuteRule.html and its kin.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.aws import wire
from tests.aws.formation import ACCOUNT, REGION
from tests.aws.shapes import answer_faults, request_faults

MUTES = ("PutAlarmMuteRule", "DeleteAlarmMuteRule", "ListAlarmMuteRules")


@dataclass
class MuteRules:
    """The rules that there are, by name, as they were put."""

    rules: dict[str, dict[str, Any]] = field(default_factory=dict)

    def answer(self, name: str, ministack: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        if name not in MUTES:
            return wire.handed_on(ministack, headers, body)
        asked = json.loads(body)
        assert request_faults("cloudwatch", name, asked) == []
        found = self._done(name, asked)
        assert answer_faults("cloudwatch", name, found) == []
        return 200, json.dumps(found).encode()

    def _done(self, name: str, asked: dict[str, Any]) -> dict[str, Any]:
        if name == "PutAlarmMuteRule":
            self.rules[asked["Name"]] = asked
        elif name == "DeleteAlarmMuteRule":
            self.rules.pop(asked["AlarmMuteRuleName"], None)
        else:
            alarm = asked["AlarmName"]
            meant = [each for each in self.rules.values() if alarm in each["MuteTargets"]["AlarmNames"]]
            return {"AlarmMuteRuleSummaries": [_summary(each) for each in meant]}
        return {}


def _summary(rule: Mapping[str, Any]) -> dict[str, Any]:
    expires = {"ExpireDate": rule["ExpireDate"]} if "ExpireDate" in rule else {}
    arn = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm-mute-rule:{rule['Name']}"
    return {"AlarmMuteRuleArn": arn, "Status": "ACTIVE", **expires}
