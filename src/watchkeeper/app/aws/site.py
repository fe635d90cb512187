"""A layer is one stack of a scope: one concern, its template under deploy/aws, and what it is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from watchkeeper.app.aws.landscape import Landscape, Outputs
from watchkeeper.app.aws.names import is_central
from watchkeeper.app.aws.zips import FunctionCode
from watchkeeper.app.setup.aws_sections import Job
from watchkeeper.app.setup.here import PACKAGE, REPOSITORY
from watchkeeper.app.setup.sections import Kept
from watchkeeper.core.ports import Store
from watchkeeper.core.stacks import StackRequest
from watchkeeper.core.windows import Duration

LOG_DAYS = (30, 90, 180, 365, 400, 545, 731, 1827, 3653)  # what CloudWatch Logs knows, of what is long enough
_DAY, _MONTH = 86_400, 30


@dataclass(frozen=True, slots=True)
class Site:
    """Where a layer is to be: the landscape, the scope in it, and what stacks made before it say."""

    landscape: Landscape
    scope: str
    outputs: Outputs

    def of(self, layer: str, output: str, scope: str = "") -> str:
        """An output of another layer, of this scope unless another is named."""
        return self.outputs(scope or self.scope, layer)[output]


Told = Callable[[Site], dict[str, str]]
Coded = Callable[[Site, Store], FunctionCode]
Filled = Callable[[Site], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Layer:
    """One stack of a scope: its template's path below deploy/aws, and the parameters it is told.

    `codes` are functions, by the parameter that says where in the scope's bucket each one's zip lies; they
    are made of what is on record. `images` are those that it runs, by the parameter that names each one's
    digest. `filled` are texts that are made of the project file, by the slot
    `#{name}` of the template that each stands for.
    """

    name: str
    template: str
    told: Told
    outputs: tuple[str, ...]
    codes: Mapping[str, Coded] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)
    filled: Filled = lambda _: {}

    def text(self, site: Site) -> str:
        """The template, its slots filled."""
        text = (templates_folder() / self.template).read_text(encoding="utf-8")
        for slot, content in self.filled(site).items():
            text = filled_slot(text, slot, content)
        return text

    def request(self, site: Site) -> StackRequest:
        """The stack as it is to be."""
        names = site.landscape.names
        return StackRequest(
            name=names.stack(site.scope, self.name),
            template=self.text(site),
            parameters=self.told(site),
            tags={"project": names.project, "environment": site.scope, "watchkeeper": self.name},
        )


def filled_slot(text: str, slot: str, content: str) -> str:
    """The template with lines in the place of the one line `#{slot}`, indented as that is.

    >>> print(filled_slot("Data: |\\n  #{rules}\\nName: x", "rules", "a\\nb"))
    Data: |
      a
      b
    Name: x
    """
    mark = f"#{{{slot}}}"
    (line,) = [each for each in text.split("\n") if mark in each]
    indent = line[: line.index(mark)]
    lines = [f"{indent}{each}".rstrip() for each in content.rstrip("\n").split("\n")]
    return text.replace(line, "\n".join(lines))


def templates_folder() -> Path:
    """Where the templates are: in the package, or in the repository of an editable install."""
    packaged = PACKAGE / "templates" / "aws"
    return packaged if packaged.is_dir() else REPOSITORY / "deploy" / "aws"


def network_of(site: Site) -> dict[str, str]:
    """Subnets and security groups of jobs and models, each list as CloudFormation takes it."""
    section = site.landscape.section(site.scope).network
    if section.whole:
        return {"SubnetIds": ",".join(section.subnets), "SecurityGroupIds": ",".join(section.security_groups)}
    scope = site.landscape.network_scope(site.scope)
    return {name: site.of("network", name, scope) for name in ("SubnetIds", "SecurityGroupIds")}


def days(kept: Duration | str) -> int:
    """Whole days, a month being thirty; 0 for ever.

    >>> days(Duration.parse("2 months")), days("forever")
    (60, 0)
    """
    return 0 if isinstance(kept, str) else kept.months * _MONTH + -(-kept.seconds // _DAY)


def log_days(site: Site) -> str:
    """How long logs are kept: as the audit log, or the next longer time that CloudWatch knows."""
    kept = kept_days(site, Kept.AUDIT, 400)
    longer = [each for each in LOG_DAYS if each >= kept] if kept else []
    return str(longer[0] if longer else LOG_DAYS[-1])


def kept_days(site: Site, kind: Kept, otherwise: int = 0) -> int:
    """For how many days a kind is kept; 0 for ever."""
    project = site.landscape.project
    settings = project.settings if is_central(site.scope) else project.environment(site.scope)
    return days(settings.retain[kind]) if kind in settings.retain else otherwise


def environment_accounts(site: Site) -> str:
    """The accounts of all environments, as CloudFormation takes a list."""
    landscape = site.landscape
    return ",".join(sorted({landscape.number(each) for each in landscape.project.environments}))


def iam_of(site: Site, *jobs: Job) -> dict[str, str]:
    """How a scope's roles are made, and the agency's own in the place of some."""
    iam = site.landscape.section(site.scope).iam
    everybody = f"arn:aws:iam::{site.landscape.number(site.scope)}:root"
    return {
        "RolePath": iam.path,
        "PermissionsBoundary": iam.permissions_boundary,
        "Deployers": ",".join(iam.deployers) or everybody,
        **{f"Existing{job.title()}Role": iam.existing_roles.get(job, "") for job in jobs},
    }
