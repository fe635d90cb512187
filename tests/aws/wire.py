"""AWS's query protocol as a server speaks it: forms in, XML out, both by botocore's shapes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from http.client import HTTPConnection
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

NAMESPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"


def form(body: bytes) -> dict[str, str]:
    return dict(parse_qsl(body.decode(), keep_blank_values=True))


def parameters(fields: dict[str, str], shape: Any, prefix: str = "") -> Any:
    """A request's fields, `Tags.member.1.Key`, as the nested value that the shape describes."""
    match shape.type_name:
        case "structure":
            found = {}
            for name, member in shape.members.items():
                at = f"{prefix}.{name}" if prefix else name
                if any(key == at or key.startswith(f"{at}.") for key in fields):
                    found[name] = parameters(fields, member, at)
            return found
        case "list":
            numbers = {
                int(key[len(prefix) + 8 :].split(".")[0])
                for key in fields
                if key.startswith(f"{prefix}.member.")
            }
            return [
                parameters(fields, shape.member, f"{prefix}.member.{number}") for number in sorted(numbers)
            ]
        case "boolean":
            return fields[prefix] == "true"
        case "integer":
            return int(fields[prefix])
    return fields[prefix]


def answer_xml(operation: Any, value: dict[str, Any]) -> bytes:
    """An answer as the query protocol has it."""
    inside = _xml(value, operation.output_shape) if operation.output_shape else ""
    wrapped = f"<{operation.name}Result>{inside}</{operation.name}Result>" if operation.output_shape else ""
    metadata = "<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>"
    name = f"{operation.name}Response"
    return f'<{name} xmlns="{NAMESPACE}">{wrapped}{metadata}</{name}>'.encode()


def error_xml(code: str, message: str) -> bytes:
    said = f"<Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message>"
    inside = f"<Error>{said}</Error><RequestId>r</RequestId>"
    return f'<ErrorResponse xmlns="{NAMESPACE}">{inside}</ErrorResponse>'.encode()


def _xml(value: Any, shape: Any) -> str:
    match shape.type_name:
        case "structure":
            return "".join(
                f"<{name}>{_xml(each, shape.members[name])}</{name}>" for name, each in value.items()
            )
        case "list":
            return "".join(f"<member>{_xml(each, shape.member)}</member>" for each in value)
        case "timestamp":
            assert isinstance(value, datetime)
            return value.isoformat()
        case "boolean":
            return "true" if value else "false"
    return escape(str(value))


def handed_on(url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
    """What another server answers to the same request, which is signed for it as it is."""
    connection = HTTPConnection(url.removeprefix("http://"), timeout=60)
    try:
        connection.request("POST", "/", body, dict(headers))
        said = connection.getresponse()
        return said.status, said.read()
    finally:
        connection.close()
