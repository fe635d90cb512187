"""Holds templates against cfn-lint, our Guard rules and parliament; run by a Python that has them.

Reads one JSON object a line from stdin: `{"name", "text"}` of a template, or `{"name", "policy"}` of a
policy whose intrinsic functions are resolved. Writes what each has wrong as one JSON object: a list a name.
"""

import json
import re
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

# parliament's list of actions is of April 2025; cfn-lint, which has a newer one, knows these.
NEWER = ("sagemaker-mlflow:FinalizeLoggedModel", "sagemaker-mlflow:LogOutputs")

RULES = cfnlint.core.get_rules([], [], ["E", "W"], {}, False)


def linted(text: str) -> list[str]:
    """Errors and warnings, for the region of the worked example; what is told for information is not."""
    found = cfnlint.api.lint(text, rules=RULES, regions=["ap-southeast-1"])
    return [f"cfn-lint {each.rule.id} line {each.linenumber}: {each.message}" for each in found]


def guarded(text: str, rules: str) -> list[str]:
    template = json.dumps(cfnlint.decode.cfn_yaml.loads(text), default=str)
    result = validate_with_guard(template, rules)["result"]
    if isinstance(result, str):  # of a property that is missing the binding gives the report's end alone
        _, _, end = result.partition('"not_applicable"')
        broken = [name for name in re.findall(r"^rule (\w+)", rules, re.M) if f'"{name}"' not in end]
        assert broken
    else:
        broken = [each["Rule"]["name"] for each in result["not_compliant"]]
    return [f"guard {name}" for name in broken]


def of_policy(document: dict[str, Any]) -> list[str]:
    analyzed = parliament.analyze_policy_string(json.dumps(document), private_auditors_custom_path=None)
    return [
        f"parliament {each.issue}: {each.detail}"
        for each in analyzed.findings
        if not str(each.detail).endswith(NEWER)
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
