"""`watchkeeper baseline`."""

from __future__ import annotations

from watchkeeper.cli.by_name import ByName, Named

baseline = ByName(
    "baseline",
    "Suggest, compare and approve what models are judged by.",
    {
        "list": Named("watchkeeper.cli.baseline_list:list_", "Print every baseline and where it judges."),
        "show": Named("watchkeeper.cli.baseline_list:show", "Print one baseline: its rows, who approved it."),
        "suggest": Named("watchkeeper.cli.baseline_suggest:suggest", "Make a baseline from other rows."),
        "diff": Named("watchkeeper.cli.baseline_diff:diff", "Say what another baseline would change."),
        "approve": Named("watchkeeper.cli.baseline_answer:approve", "Let a baseline judge."),
        "reject": Named("watchkeeper.cli.baseline_answer:reject", "Say no to a baseline."),
    },
)
