"""The HTTP API as an OpenAPI 3.1 document, each endpoint with the columns of the model that it serves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from watchkeeper import __version__
from watchkeeper.core.values import NUMERIC, CandidateKind, Column, Schema
from watchkeeper.serving.endpoint import Endpoint
from watchkeeper.serving.refusals import BODY_LIMIT

Json = dict[str, Any]

# Numbers that `model.parsing.number` reads, and texts that CSV does not quote: parts of them all, to try out.
_NUMBER = r"^[+-]?[0-9]{1,15}(\.[0-9]{1,15})?$"
_WORD = r"^[A-Za-z0-9][A-Za-z0-9 /.-]{0,30}$"

_ERROR = {"$ref": "#/components/schemas/Error"}
_TOKEN: list[Json] = [{"token": []}]


def description(endpoints: Mapping[str, Endpoint], *, rehearsal: bool) -> Json:
    """Everything the server answers to; every status it may answer with is there."""
    paths: Json = {}
    for name, endpoint in endpoints.items():
        paths[f"/endpoints/{name}/invocations"] = {
            "post": _invocation(name, endpoint, 424, rehearsal=rehearsal)
        }
        paths[f"/endpoints/{name}/ground-truth"] = {"post": _ground_truth(name, rehearsal=rehearsal)}
        told = _told_of(endpoint)
        paths[f"/api/v1/endpoints/{name}"] = {
            "put": _told(f"deploy_{name}", "Serve a deployment.", _deployment(told))
        }
        paths[f"/api/v1/endpoints/{name}/candidate"] = {
            "put": _told(f"try_{name}", "Try a version beside the one that serves.", _candidate(told)),
            "delete": _operation(
                f"withdraw_{name}", "End a candidate's trial.", {200: _JSON, 401: _FAILED}, _TOKEN
            ),
        }
    if len(endpoints) == 1:
        (endpoint,) = endpoints.values()
        paths["/invocations"] = {"post": _invocation("", endpoint, 500, rehearsal=rehearsal)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Watchkeeper", "version": __version__, "license": {"name": "Apache-2.0"}},
        "paths": {**paths, **_FIXED},
        "components": {
            "schemas": {"Error": _ERROR_SCHEMA},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "door": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _operation(name: str, summary: str, responses: Mapping[int, Json], security: Sequence[Json] = ()) -> Json:
    found: Json = {
        "operationId": name.replace("-", "_"),
        "summary": summary,
        "responses": {str(status): response for status, response in responses.items()},
    }
    return {**found, "security": list(security)} if security else found


def _body(schemas: Mapping[str, Json]) -> Json:
    content = {kind: {"schema": schema} for kind, schema in schemas.items()}
    return {"required": True, "content": content, "description": f"At most {BODY_LIMIT} bytes."}


def _answer(words: str, content: Mapping[str, Json], headers: Sequence[str] = ()) -> Json:
    found: Json = {
        "description": words,
        "content": {kind: {"schema": each} for kind, each in content.items()},
    }
    if headers:
        found["headers"] = {name: {"required": True, "schema": {"type": "string"}} for name in headers}
    return found


_ERROR_SCHEMA: Json = {
    "type": "object",
    "required": ["ErrorCode", "Message"],
    "properties": {
        "ErrorCode": {"type": "string"},
        "Message": {"type": "string"},
        "Id": {"type": "string", "description": "Also in the server's log."},
        "OriginalStatusCode": {"type": "integer"},
        "OriginalMessage": {"type": "string"},
    },
    "additionalProperties": False,
}
_JSON = _answer("What is asked for.", {"application/json": {}})
_FAILED = _answer("What to mend, or what failed.", {"application/json": _ERROR}, ["x-amzn-errortype"])
_TEXTS: Json = {"type": "object", "additionalProperties": {"type": "string"}}
_WEBHOOK: Json = {
    "type": "object",
    "required": ["version", "alerts"],
    "properties": {
        "version": {"const": "4"},
        "alerts": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["status", "labels", "startsAt", "endsAt"],
                "properties": {
                    "status": {"enum": ["firing", "resolved"]},
                    "labels": {**_TEXTS, "required": ["alertname", "severity", "action"]},
                    "annotations": _TEXTS,
                    "startsAt": {"type": "string", "format": "date-time"},
                    "endsAt": {"type": "string", "format": "date-time"},
                },
            },
        },
    },
}

_FIXED: Json = {
    "/ping": {"get": _operation("ping", "Whether requests are taken.", {200: {"description": "They are."}})},
    "/metrics": {
        "get": _operation(
            "metrics",
            "Prometheus text exposition.",
            {200: _answer("The text.", {"text/plain": {"type": "string"}})},
        )
    },
    "/api/v1/endpoints": {
        "get": _operation("endpoints", "What each endpoint serves, or why it does not.", {200: _JSON})
    },
    "/api/v1/samples": {"get": _operation("samples", "The endpoints' own samples.", {200: _JSON})},
    "/api/v1/alerts": {
        "post": {
            **_operation(
                "alerts",
                "Take alerts from Alertmanager's webhook; wants the token of run/alerts.token.",
                {200: _JSON, 400: _FAILED, 401: _FAILED, 404: _FAILED, 413: _FAILED},
                [{"door": []}],
            ),
            "requestBody": _body({"application/json": _WEBHOOK}),
        }
    },
    "/api/v1/openapi.json": {"get": _operation("openapi", "This document.", {200: _JSON})},
    "/api/v1/captures/flush": {
        "post": _operation(
            "flush",
            "Return once every answered request is in the store.",
            {204: {"description": "It is."}, 401: _FAILED, 503: _FAILED},
            _TOKEN,
        )
    },
}


def _told_of(endpoint: Endpoint) -> Json:
    """What a deployment and a candidate have in common."""
    return {
        "number": _COUNT,
        "environment": {"const": endpoint.settings.environment},
        "endpoint": {"const": endpoint.settings.name},
        "version": _COUNT,
        "digest": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "time": {
            "type": "string",
            "pattern": "^20[0-9]{2}-0[1-9]-[01][1-9]T[01][0-9]:[0-5][0-9]:[0-5][0-9]Z$",
        },
        "actor": _object({"name": {"type": "string"}, "how": {"type": "string"}}),
    }


def _deployment(told: Json) -> Json:
    previous = {"anyOf": [_COUNT, {"type": "null"}]}
    return _object({**told, "previous": previous, "kind": {"enum": ["promote", "rollback"]}})


def _candidate(told: Json) -> Json:
    share = {"type": "number", "minimum": 0.01, "maximum": 1}
    limits = _object({"errors": share, "latency": {"type": "number", "minimum": 1}, "requests": _COUNT})
    weight = {"type": "integer", "minimum": 0, "maximum": 99}
    return _object({**told, "kind": {"enum": list(CandidateKind)}, "weight": weight, "limits": limits})


def _object(properties: Json) -> Json:
    return {
        "type": "object",
        "required": list(properties),
        "properties": properties,
        "additionalProperties": False,
    }


_COUNT: Json = {"type": "integer", "minimum": 1, "maximum": 100_000}


def _told(name: str, summary: str, schema: Json) -> Json:
    told = _operation(
        name, summary, {200: _JSON, 400: _FAILED, 401: _FAILED, 413: _FAILED, 500: _FAILED}, _TOKEN
    )
    return {**told, "requestBody": _body({"application/json": schema})}


def _ground_truth(name: str, *, rehearsal: bool) -> Json:
    labels = {"type": "array", "minItems": 1, "items": {"type": "number"}}
    entry = _object({"inferenceId": {"type": "string", "pattern": _WORD}, "labels": labels})
    found = _operation(
        f"label_{name}",
        "Bring labels of requests that were answered.",
        {200: _JSON, 400: _FAILED, 404: _FAILED, 413: _FAILED, 503: _FAILED},
    )
    return {
        **found,
        "parameters": _TIME if rehearsal else [],
        "requestBody": _body(
            {"application/json": {"anyOf": [entry, {"type": "array", "minItems": 1, "items": entry}]}}
        ),
    }


_TIME: list[Json] = [
    {
        "name": "x-watchkeeper-time",
        "in": "header",
        "description": "The time the request counts as of.",
        "schema": {"type": "string", "format": "date-time"},
    }
]


def _headers(endpoint: Endpoint, *, rehearsal: bool) -> list[Json]:
    named = {
        "x-amzn-sagemaker-inference-id": {"type": "string", "pattern": "^[!-~]{1,64}$"},
        "x-amzn-sagemaker-custom-attributes": {"type": "string", "pattern": "^[!-~]{1,1024}$"},
        "x-amzn-sagemaker-target-variant": {"type": "string", "enum": [endpoint.main.name]},
    }
    asked: list[Json] = [{"name": name, "in": "header", "schema": schema} for name, schema in named.items()]
    return asked + (_TIME if rehearsal else [])


def _invocation(name: str, endpoint: Endpoint, model_status: int, *, rehearsal: bool) -> Json:
    active = endpoint.main.active
    schema = active.model.schema if active else Schema(0, ())
    said: Json = {
        "text/csv": {"type": "string"},
        "application/json": {
            "type": "object",
            "required": ["predictions"],
            "properties": {"predictions": {"type": "array", "items": {"type": "number"}}},
        },
        "application/jsonlines": {},
    }
    answered = ["x-amzn-requestid", "x-amzn-invoked-production-variant", "x-watchkeeper-model-version"]
    statuses = dict.fromkeys([400, 406, 413, 415, model_status, 503], _FAILED)
    found = _operation(
        f"invoke_{name}" if name else "invoke",
        "Ask the model; the answer is captured.",
        {200: _answer("One prediction a row.", said, answered), **statuses},
    )
    return {
        **found,
        "parameters": _headers(endpoint, rehearsal=rehearsal),
        "requestBody": _body(
            {"application/json": _instances(schema.inputs), "text/csv": _csv(schema.inputs)}
        ),
    }


def _instances(columns: Sequence[Column]) -> Json:
    row = _object({column.name: _cell(column) for column in columns})
    return _object({"instances": {"type": "array", "minItems": 1, "maxItems": 5, "items": row}})


def _cell(column: Column) -> Json:
    if column.type in NUMERIC:
        return {"type": ["number", "null"], "minimum": -1e15, "maximum": 1e15}
    return {"type": ["string", "null"], "pattern": _WORD}


def _csv(columns: Sequence[Column]) -> Json:
    cells = (_NUMBER if column.type in NUMERIC else _WORD for column in columns)
    row = ",".join(cell.removeprefix("^").removesuffix("$") for cell in cells)
    return {"type": "string", "pattern": f"^{row}$", "description": "Columns in this order, no header."}
