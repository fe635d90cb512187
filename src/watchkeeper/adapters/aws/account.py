"""An AWS account as somebody who may call it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from botocore.credentials import RefreshableCredentials
from botocore.session import Session as CoreSession
from botocore.session import get_session

from watchkeeper import __version__
from watchkeeper.adapters.aws.answers import Answers
from watchkeeper.adapters.aws.errors import translated
from watchkeeper.core.errors import InputError
from watchkeeper.core.values import Actor

_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 5},
    user_agent_extra=f"watchkeeper/{__version__}",
    connect_timeout=10,
    read_timeout=60,
)


@dataclass(frozen=True, slots=True)
class Account:
    """Credentials and a region. Endpoints come from `AWS_ENDPOINT_URL` and its kin, where those are set.

    `number` is the account's twelve digits, `caller` the ARN of who we are in it; `answers`, where they are
    wanted, hear all that is answered.
    """

    session: Any  # a boto3.Session: boto3 has no types
    region: str
    number: str
    caller: str
    answers: Answers | None = None
    _clients: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def client(self, service: str) -> Any:
        """A client of a service, which tries again what is worth it; threads may share it."""
        if service not in self._clients:
            with translated(f"reach {service} in {self.region}"):
                self._clients[service] = self.session.client(service, region_name=self.region, config=_CONFIG)
        return self._clients[service]

    def session_client(self, service: str, region: str) -> Any:
        """A client of the service in another region."""
        if region == self.region:
            return self.client(service)
        with translated(f"reach {service} in {region}"):
            return self.session.client(service, region_name=region, config=_CONFIG)

    @property
    def actor(self) -> Actor:
        """Who acts, as AWS says: the user, or the role with its session's name. Never a typed name.

        >>> Account(None, "", "1", "arn:aws:sts::1:assumed-role/deployer/kim@example.org").actor.name
        'deployer/kim@example.org'
        """
        return Actor(self.caller.split(":")[-1].partition("/")[2] or self.caller, "session")

    def within(self, number: str, role: str | None) -> Account:
        """The account of that number: this one, or another as the role of that name there.

        The role's credentials are fetched anew before they expire. Raises InputError without a role to take
        on.
        """
        if number == self.number:
            return self
        if role is None:
            raise InputError(
                f"work in account {number}: want credentials of it, or targets.aws.iam.deploy_role, the name "
                f"of a role there that {self.caller} may take on; got account {self.number}"
            )
        partition = self.caller.split(":")[1]
        arn = f"arn:{partition}:iam::{number}:role/{role}"
        session = boto3.Session(botocore_session=self._as_role(arn), region_name=self.region)
        return open_account(self.region, session, self.answers)

    def _as_role(self, arn: str) -> CoreSession:
        name = self.actor.name.replace("/", "-")[-64:]

        def fetch() -> dict[str, str]:
            with translated(f"take on the role {arn}"):
                found = self.client("sts").assume_role(RoleArn=arn, RoleSessionName=name)["Credentials"]
            return {
                "access_key": found["AccessKeyId"],
                "secret_key": found["SecretAccessKey"],
                "token": found["SessionToken"],
                "expiry_time": found["Expiration"].isoformat(),
            }

        core = get_session()
        core._credentials = RefreshableCredentials.create_from_metadata(
            metadata=fetch(), refresh_using=fetch, method="sts-assume-role"
        )
        return core


def open_account(region: str, session: Any = None, answers: Answers | None = None) -> Account:
    """Whoever runs this, in the account that the credentials belong to.

    Raises InputError without credentials, DeniedError for those that AWS does not know.
    """
    doing = "ask AWS who runs this command (sts:GetCallerIdentity)"
    with translated(doing):
        held = session or boto3.Session(region_name=region)
        if answers is not None:
            answers.listen(held)
        found = held.client("sts", region_name=region, config=_CONFIG).get_caller_identity()
    return Account(held, region, found["Account"], found["Arn"], answers)
