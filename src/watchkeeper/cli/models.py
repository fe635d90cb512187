"""`watchkeeper models`."""

from __future__ import annotations

from watchkeeper.cli.by_name import ByName, Named

_REGISTRY = "watchkeeper.cli.models_registry"

models = ByName(
    "models",
    "List, approve and promote model versions.",
    {
        "list": Named(f"{_REGISTRY}:list_", "Show every version with its approvals and where it serves."),
        "show": Named(f"{_REGISTRY}:show", "Show one version."),
        "register": Named(
            "watchkeeper.cli.models_register:register_", "Put a version served elsewhere on record."
        ),
        "approve": Named(f"{_REGISTRY}:approve_", "Say yes to a version for an environment."),
        "reject": Named(f"{_REGISTRY}:reject_", "Say no to a version for an environment."),
        "promote": Named(f"{_REGISTRY}:promote_", "Serve a version, or try it on a share of the requests."),
        "withdraw": Named(f"{_REGISTRY}:withdraw_", "End the trial of a version."),
        "rollback": Named(f"{_REGISTRY}:rollback_", "Serve what was served before."),
    },
)
