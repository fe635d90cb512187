"""Writes deploy/aws/needs.yaml anew: the IAM actions that CloudFormation's own handlers of our types need.

Run by a Python that has cfn-lint, which carries the registry's schemas: `.venv-doubles/bin/python
tests/aws/needs.py`.
"""

import json
import re
import sys
from pathlib import Path

import cfnlint

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted(path for path in (ROOT / "deploy" / "aws").rglob("*.yaml"))
SCHEMAS = Path(cfnlint.__file__).parent / "data" / "schemas" / "resources"
HEAD = """# The IAM actions that CloudFormation needs to make, change and remove each type of resource in our
# templates, as the registry's schemas have them (handlers.*.permissions). Written by tests/aws/needs.py,
# kept fresh by a test.
"""


def types_of(text: str) -> set[str]:
    return set(re.findall(r"Type: (AWS::[\w:]+)", text))


def permissions(schema: dict) -> list[str]:  # type: ignore[type-arg]
    handlers = schema.get("handlers", {}).values()
    return sorted({action for each in handlers for action in each.get("permissions", [])})


wanted = sorted(
    set().union(*(types_of(path.read_text(encoding="utf-8")) for path in TEMPLATES)) - {"AWS::NoValue"}
)
found: dict[str, list[str]] = {}
for path in SCHEMAS.glob("*.json"):
    schema = json.loads(path.read_text(encoding="utf-8"))
    if schema.get("typeName") in wanted:
        found[schema["typeName"]] = permissions(schema)
missing = [each for each in wanted if not found.get(each)]
lines = [f"{each}: [{', '.join(found.get(each, []))}]" for each in wanted]
sys.stdout.write(HEAD + "\n".join(lines) + "\n")
sys.stderr.write(f"no handlers known of {missing}\n")
