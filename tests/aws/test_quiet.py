"""Alarms from which nobody hears: disabled, muted by a rule, or not there."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from tests.aws.doubles import Doubles
from tests.aws.projects import landscape_of, quiet
from watchkeeper.app.aws.deploying import Choice, deploy
from watchkeeper.app.aws.quiet import DISABLED, MISSING, QuietAlarm, alarm_names, quiet_alarms
from watchkeeper.app.aws.status import aws_status
from watchkeeper.app.setup.aws_sections import CENTRAL

UNTIL = datetime(2026, 12, 1, 8, tzinfo=UTC)


def test_an_alarm_that_tells_nobody_is_named_with_why_and_until_when(
    doubles: Doubles, tmp_path: Path
) -> None:
    landscape = landscape_of(doubles, tmp_path)
    here = Choice((CENTRAL, "dev"))
    deploy(landscape, here, quiet)
    disabled, muted = alarm_names(landscape, "dev")
    assert list(quiet_alarms(landscape, "dev")) == []
    client = landscape.account_of("dev").client("cloudwatch")
    client.disable_alarm_actions(AlarmNames=[disabled])
    rule = {"Schedule": {"Expression": "cron(0 2 * * *)", "Duration": "PT2H"}}
    client.put_alarm_mute_rule(
        Name="release", Rule=rule, MuteTargets={"AlarmNames": [muted]}, ExpireDate=UNTIL
    )
    found = aws_status(landscape, here)
    assert found.quiet == (
        QuietAlarm("dev", disabled, DISABLED),
        QuietAlarm("dev", muted, "mute rule release is active", UNTIL),
    )
    client.delete_alarm_mute_rule(AlarmMuteRuleName="release")
    client.delete_alarms(AlarmNames=[disabled])
    assert list(quiet_alarms(landscape, "dev")) == [QuietAlarm("dev", disabled, MISSING)]
