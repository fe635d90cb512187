"""Event patterns mean what Amazon EventBridge's documentation says they mean."""

from __future__ import annotations

import re
from typing import Any

import pytest

from watchkeeper.core.patterns import check_pattern, matches

# As eb-create-pattern-operators.html and eb-event-patterns.html show them: pattern, event, whether it fits.
DOCUMENTED: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    ({"source": ["ec2"], "detail": {"state": ["on"]}}, {"source": "ec2", "detail": {"state": "on"}}, True),
    ({"source": ["ec2"], "detail": {"state": ["on"]}}, {"source": "ec2", "detail": {"state": "off"}}, False),
    ({"source": ["ec2"], "detail": {"state": ["on"]}}, {"source": "ec2"}, False),
    ({"state": ["running", "stopped"]}, {"state": "stopped"}, True),
    ({"resources": ["b", "c"]}, {"resources": ["a", "b"]}, True),
    ({"resources": ["d"]}, {"resources": ["a", "b"]}, False),
    ({"time": [{"prefix": "2017-10-02"}]}, {"time": "2017-10-02T18:43:48Z"}, True),
    ({"region": [{"prefix": ""}]}, {"region": 4}, False),
    ({"file": [{"suffix": ".png"}]}, {"file": "a.png"}, True),
    ({"file": [{"suffix": ".png"}]}, {"file": "a.PNG"}, False),
    ({"name": [{"equals-ignore-case": "Alice"}]}, {"name": "aLiCE"}, True),
    ({"state": [{"anything-but": "initializing"}]}, {"state": "running"}, True),
    ({"state": [{"anything-but": "initializing"}]}, {"state": "initializing"}, False),
    ({"state": [{"anything-but": "initializing"}]}, {}, False),
    ({"limit": [{"anything-but": [100, 200, 300]}]}, {"limit": 200}, False),
    ({"limit": [{"anything-but": [100, 200, 300]}]}, {"limit": 250}, True),
    ({"state": [{"anything-but": {"prefix": "init"}}]}, {"state": "initializing"}, False),
    ({"state": [{"anything-but": {"suffix": ["zing", "d"]}}]}, {"state": "running"}, True),
    ({"path": [{"anything-but": {"wildcard": "*/lib/*"}}]}, {"path": "/usr/lib/x"}, False),
    ({"c": [{"numeric": [">", 0, "<=", 5]}]}, {"c": 5}, True),
    ({"c": [{"numeric": [">", 0, "<=", 5]}]}, {"c": 0}, False),
    ({"c": [{"numeric": ["=", 3.018e2]}]}, {"c": 301.8}, True),
    ({"c": [{"numeric": ["<", 10]}]}, {"c": "5"}, False),
    ({"c": [{"numeric": ["<", 10]}]}, {"c": True}, False),
    ({"c": [{"exists": True}]}, {"c": None}, True),
    ({"c": [{"exists": True}]}, {}, False),
    ({"d": {"c": [{"exists": False}]}}, {"d": {}}, True),
    ({"d": {"c": [{"exists": False}]}}, {}, True),
    ({"c": [{"exists": False}]}, {"c": 1}, False),
    ({"c": [{"exists": True}]}, {"c": {"deeper": 1}}, False),
    ({"c": [None]}, {"c": None}, True),
    ({"c": [None]}, {}, False),
    ({"c": [""]}, {"c": ""}, True),
    ({"c": [1]}, {"c": True}, False),
    ({"c": [300]}, {"c": 300.0}, False),
    ({"dir": [{"wildcard": "dir/*/file.*"}]}, {"dir": "dir/a/b/file.txt"}, True),
    ({"dir": [{"wildcard": "dir/*.png"}]}, {"dir": "other/a.png"}, False),
    ({"dir": [{"wildcard": r"a\*b"}]}, {"dir": "a*b"}, True),
    ({"dir": [{"wildcard": r"a\*b"}]}, {"dir": "axb"}, False),
    ({"$or": [{"a": [1]}, {"b": [2]}]}, {"b": 2}, True),
    ({"$or": [{"a": [1]}, {"b": [2]}], "c": [3]}, {"b": 2}, False),
    ({"$or": [{"a": [1], "b": [1]}, {"a": [2]}]}, {"a": 1, "b": 2}, False),
    ({"a": ["x", {"prefix": "y"}]}, {"a": "yes"}, True),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "event", "fits"), DOCUMENTED)
def test_a_pattern_fits_what_the_documentation_says(
    pattern: dict[str, Any], event: dict[str, Any], fits: bool
) -> None:
    check_pattern(pattern)
    assert matches(pattern, event) is fits


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ({}, "want a pattern"),
        ({"a": "x"}, "a: want a list of values, got 'x'"),
        ({"a": []}, "a: want a list of values"),
        ({"a": {"b": "x"}}, "a: b: want a list of values"),
        ({"a": [{"prefix": "x", "suffix": "y"}]}, "got prefix, suffix"),
        ({"a": [{"regex": "x"}]}, "want one of prefix, suffix"),
        ({"a": [{}]}, "got nothing"),
        ({"a": [["x"]]}, "want a text, a number, true, false, null or a matcher"),
        ({"a": [{"numeric": [">"]}]}, 'want a list such as [">", 0, "<=", 5]'),
        ({"a": [{"numeric": ["~", 1]}]}, "numeric: want"),
        ({"a": [{"exists": "yes"}]}, "exists: want true or false"),
        ({"a": [{"anything-but": {"numeric": [">", 1]}}]}, "anything-but: want"),
        ({"a": [{"anything-but": ["x", 1]}]}, "anything-but: want"),
        ({"a": [{"prefix": 1}]}, "prefix: want a text, got 1"),
        ({"$or": [{"a": [1]}]}, "$or: want a list of two patterns or more"),
    ],
)
def test_what_is_no_pattern_is_refused_with_its_place(pattern: object, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        check_pattern(pattern)
