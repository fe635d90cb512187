"""What things are called on AWS: fixed names where one account's policy has to name another's resource."""

from __future__ import annotations

from dataclasses import dataclass

from watchkeeper.app.setup.aws_sections import CENTRAL
from watchkeeper.core.errors import InputError

_BUCKET, _ROLE = 63, 64  # characters at most


@dataclass(frozen=True, slots=True)
class Names:
    """Names of a project in a region. A scope is an environment, or `central` for what all of them share.

    >>> Names("prices", "eu-west-1").bucket("prod", "123456789012")
    'watchkeeper-prices-prod-123456789012-eu-west-1'
    """

    project: str
    region: str

    def stack(self, scope: str, layer: str) -> str:
        return f"watchkeeper-{self.project}-{scope}-{layer}"

    def bucket(self, scope: str, account: str) -> str:
        """Raises InputError for one that S3 would not take."""
        name = f"watchkeeper-{self.project}-{scope}-{account}-{self.region}"
        if len(name) > _BUCKET:
            raise InputError(
                f"name the bucket of {scope}: want at most {_BUCKET} characters, got {len(name)} in {name}; "
                "a shorter name of the project or the environment helps"
            )
        return name

    def trail_bucket(self, account: str) -> str:
        """Where an account's trail delivers; there is one trail an account, whatever scopes lie in it."""
        return self.bucket("trail", account)

    def role(self, scope: str, job: str) -> str:
        """Raises InputError for one that IAM would not take."""
        name = f"watchkeeper-{self.project}-{scope}-{job}"
        if len(name) > _ROLE:
            raise InputError(
                f"name the role of {job} in {scope}: want at most {_ROLE} characters, got {name}"
            )
        return name

    @property
    def pipeline(self) -> str:
        """The pipeline, the model package group and the event bus: one each, in the central account."""
        return f"watchkeeper-{self.project}"

    def topic(self, scope: str, kind: str, account: str) -> str:
        """The ARN of a topic for alerts: `paging`, `digest`, `tickets` or `alerts`, which are all of them."""
        return f"arn:aws:sns:{self.region}:{account}:watchkeeper-{self.project}-{scope}-{kind}"

    def repository(self, image: str) -> str:
        return f"watchkeeper-{self.project}/{image}"


def is_central(scope: str) -> bool:
    """Whether a scope is what all environments share."""
    return scope == CENTRAL
