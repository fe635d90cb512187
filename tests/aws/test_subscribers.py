"""Who would hear of alerts and has not confirmed: as SNS has it in the place of an ARN."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest

from tests.aws.projects import ONE_ACCOUNT, project_on_aws
from tests.aws.stacks_of import REGION, stacks_of
from tests.aws.test_samples import answering
from watchkeeper.adapters.aws.account import Account
from watchkeeper.app.aws.landscape import Landscape
from watchkeeper.app.aws.status import Subscriber, unconfirmed
from watchkeeper.app.setup.project import load_project
from watchkeeper.core.errors import InputError

TOLD = (
    "region: ap-southeast-1}",
    "region: ap-southeast-1, alerts: {paging: [https://page.example.org/x], digest: [team@example.org]}}",
)
ANSWER = """<ListSubscriptionsByTopicResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">
  <ListSubscriptionsByTopicResult><Subscriptions>
    <member><TopicArn>arn:x</TopicArn><Protocol>email</Protocol><SubscriptionArn>PendingConfirmation</SubscriptionArn>
      <Owner>123456789012</Owner><Endpoint>team@example.org</Endpoint></member>
    <member><TopicArn>arn:x</TopicArn><Protocol>lambda</Protocol><SubscriptionArn>arn:x:1</SubscriptionArn>
      <Owner>123456789012</Owner><Endpoint>arn:y</Endpoint></member>
  </Subscriptions></ListSubscriptionsByTopicResult>
  <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>
</ListSubscriptionsByTopicResponse>"""


def told(folder: Path, text: tuple[str, str] = TOLD) -> Path:
    project_on_aws(folder, ONE_ACCOUNT)
    file = folder / "watchkeeper.yaml"
    file.write_text(file.read_text().replace(*text))
    return file


def test_who_has_not_confirmed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = load_project(told(tmp_path))
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "y"}
    with answering({"ListSubscriptionsByTopic": ANSWER.encode()}) as (url, asked):
        monkeypatch.setenv("AWS_ENDPOINT_URL_SNS", url)
        session = boto3.Session(region_name=REGION, **keys)
        account = Account(session, REGION, "123456789012", "arn:aws:iam::123456789012:user/ana")
        found = list(unconfirmed(Landscape(project, account), "dev"))
    topics = ("paging", "tickets", "digest", "alerts")
    assert found == [Subscriber("dev", topic, "team@example.org") for topic in topics]
    assert [each["TopicArn"].rpartition("-")[2] for each in asked] == list(topics)


def test_addresses_of_the_project_file_are_subscriptions(tmp_path: Path) -> None:
    resources = stacks_of(load_project(told(tmp_path)))["prod", "alerting"].resources()
    own = {
        (each.properties["Protocol"], each.properties["Endpoint"])
        for name, each in resources.items()
        if name.startswith(("PagingSubscription", "DigestSubscription"))
    }
    assert own == {("https", "https://page.example.org/x"), ("email", "team@example.org")}


def test_an_address_that_is_none_is_refused(tmp_path: Path) -> None:
    wrong = ("region: ap-southeast-1}", "region: ap-southeast-1, alerts: {paging: [http://plain]}}")
    with pytest.raises(InputError, match=r'want https://… or a mail address, got "http://plain"'):
        load_project(told(tmp_path, wrong))
