"""Holds templates against cfn-lint, our Guard rules and parliament; run by a Python that has them.

Reads one JSON object a line from stdin: `{"name", "text"}` of a template, or `{"name", "policy"}` of a
policy whose intrinsic functions are resolved. Writes what each has wrong as one JSON object: a list a name.
"""

import json
import sys
import warnings
from pathlib import Path
from typing import Any

warnings.filterwarnings("ignore")

import cfnlint.api  # noqa: E402 - after the filter: it warns of its own parts
import cfnlint.core  # noqa: E402
import cfnlint.decode.cfn_yaml  # noqa: E402
import parliament  # noqa: E402
from guardpycfn import validate_with_guard  # noqa: E402

# What parliament says of every policy that is told for one account: not a fault.
UNCONCERNED = {"RESOURCE_EFFECTIVELY_STAR"}

RULES = cfnlint.core.get_rules([], [], ["E", "W"], {}, False)


def linted(text: str) -> list[str]:
    """Errors and warnings, for the region of the worked example; what is told for information is not."""
    found = cfnlint.api.lint(text, rules=RULES, regions=["ap-southeast-1"])
    return [f"cfn-lint {each.rule.id} line {each.linenumber}: {each.message}" for each in found]


def guarded(text: str, rules: str) -> list[str]:
    template = json.dumps(cfnlint.decode.cfn_yaml.loads(text), default=str)
    report = validate_with_guard(template, rules)
    return [f"guard {each['Rule']['name']}" for each in report["result"]["not_compliant"]]


def of_policy(document: dict[str, Any]) -> list[str]:
    analyzed = parliament.analyze_policy_string(json.dumps(document), private_auditors_custom_path=None)
    return [
        f"parliament {each.issue}: {each.detail}"
        for each in analyzed.findings
        if each.issue not in UNCONCERNED
    ]


rules = Path(sys.argv[1]).read_text(encoding="utf-8")
said = {}
for line in sys.stdin:
    asked = json.loads(line)
    if "text" in asked:
        said[asked["name"]] = linted(asked["text"]) + guarded(asked["text"], rules)
    else:
        said[asked["name"]] = of_policy(asked["policy"])
sys.stdout.write(json.dumps(said))
