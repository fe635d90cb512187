"""The accounts, stacks and records of a project on AWS, as whoever runs this may reach them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from watchkeeper.adapters.aws.account import Account, open_account
from watchkeeper.adapters.aws.answers import Answers
from watchkeeper.adapters.aws.stacks import Stacks
from watchkeeper.adapters.aws.store import RoutedStore, S3Store
from watchkeeper.app.aws.names import Names, is_central
from watchkeeper.app.setup.aws_sections import CENTRAL, AwsSection
from watchkeeper.app.setup.project import Project
from watchkeeper.core.encoding import digest
from watchkeeper.core.errors import InputError
from watchkeeper.core.stacks import StackState

OF_ENVIRONMENT = ("captures", "ground-truth", "shadow-captures")  # kept in the environment's own bucket


@dataclass(frozen=True, slots=True)
class Landscape:
    """A project and the account of whoever runs this; other accounts are reached from there."""

    project: Project
    account: Account
    _accounts: dict[str, Account] = field(default_factory=dict, repr=False)

    @property
    def scopes(self) -> tuple[str, ...]:
        """What is deployed to: what environments share, then each environment in the order of promotion."""
        return (CENTRAL, *self.project.environments)

    @property
    def names(self) -> Names:
        return Names(self.project.name, self.section(CENTRAL).region)

    def section(self, scope: str) -> AwsSection:
        """`targets.aws` as it applies there. Raises InputError when the project file has none."""
        settings = self.project.settings if is_central(scope) else self.project.environment(scope)
        if settings.targets.aws is None:
            raise InputError(f"{self.project.path}: want targets.aws, with a region at least")
        return settings.targets.aws

    def number(self, scope: str) -> str:
        """The account that a scope lies in: its own, else the central one, else that of whoever runs this."""
        accounts = self.section(CENTRAL).accounts
        return accounts.get(scope) or accounts.get(CENTRAL) or self.account.number

    def account_of(self, scope: str) -> Account:
        """Raises InputError without a way into the account."""
        number = self.number(scope)
        if number not in self._accounts:
            role = self.section(CENTRAL).iam.deploy_role
            self._accounts[number] = self.account.within(number, role)
        return self._accounts[number]

    def stacks(self, scope: str) -> Stacks:
        """A large template lies in the scope's bucket, which its first stack makes: that one is small."""

        def kept(template: str) -> str:
            key = f"templates/{digest(template.encode())[:16]}.yaml"
            self.scope_store(scope).write(key, template.encode())
            return f"https://{self.bucket(scope)}.s3.{self.names.region}.amazonaws.com/{key}"

        return Stacks(self.account_of(scope).client("cloudformation"), kept)

    def state(self, scope: str, layer: str) -> StackState | None:
        return self.stacks(scope).state(self.names.stack(scope, layer))

    def network_scope(self, scope: str) -> str:
        """Whose network a scope uses: an account has one, made for the first scope that lies in it."""
        return next(each for each in self.scopes if self.number(each) == self.number(scope))

    def bucket(self, scope: str) -> str:
        return self.names.bucket(scope, self.number(scope))

    def store(self, *environments: str) -> RoutedStore:
        """The project's records: all in the central bucket, but what an environment was asked.

        Of those that are named alone where some are: who works for one environment may not look into the
        buckets of others.
        """
        routes = {
            f"{kind}/{environment}/": partial(self.capture_store, environment)
            for environment in environments or self.project.environments
            for kind in OF_ENVIRONMENT
        }
        return RoutedStore(self.central_store(), routes)

    def capture_store(self, environment: str) -> S3Store:
        """What an environment was asked."""
        return S3Store(self.account_of(environment).client("s3"), self.bucket(environment))

    def central_store(self) -> S3Store:
        """What all environments share; its bucket admits the roles of each account, so nobody has to change
        it."""
        return S3Store(self.near_central().client("s3"), self.bucket(CENTRAL))

    def scope_store(self, scope: str) -> S3Store:
        """The bucket that a scope has to itself."""
        return self.central_store() if is_central(scope) else self.capture_store(scope)

    def near_central(self) -> Account:
        """Who we are, when our account is one of the project's; else the central account as its role."""
        ours = {self.number(scope) for scope in self.scopes}
        return self.account if self.account.number in ours else self.account_of(CENTRAL)


def open_landscape(project: Project, answers: Answers | None = None) -> Landscape:
    """A project on AWS, as whoever runs this; `answers` hear what AWS says.

    Raises InputError when the project file has no `targets.aws`.
    """
    if project.settings.targets.aws is None:
        raise InputError(f"{project.path}: want targets.aws, with a region at least")
    return Landscape(project, open_account(project.settings.targets.aws.region, answers=answers))


Outputs = Callable[[str, str], Mapping[str, str]]
