"""The OpenAPI document of a server, made from its routes."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from apispec import APISpec

import coxswain
from coxswain.api.meta import Model
from coxswain.rules.permissions import Permission, Who
from coxswain.rules.repeats import Repeat
from coxswain.web import conditional, problems
from coxswain.web.problems import Problem
from coxswain.web.routes import Route

TEMPLATE = "#/components/schemas/{model}"
JSON = "application/json"
KEY_HEADER = "Idempotency-Key"
HEADERS = {
    conditional.IF_NONE_MATCH: "ETags that the caller has; 304 where one of them is still good.",
    conditional.IF_MATCH: "ETags of what the caller has seen; 412 where it has changed.",
    KEY_HEADER: "Names this request, so that it can be sent again: 1 to 255 visible ASCII characters.",
}
RETRIED = (429, 503)
RETRY_AFTER = {
    "Retry-After": {
        "description": "Seconds after which it may go better.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    }
}
POD, PERSON, KEY = "pod", "person", "key"
SCHEMES = {
    POD: "The token that the kubelet projects into an agent's pod.",
    PERSON: "A person's token, of the sort that the installation takes.",
    KEY: "An API key, for machines.",
}


def document(title: str, routes: Sequence[Route]) -> dict[str, Any]:
    """The whole document."""
    spec = APISpec(title=title, version=coxswain.__version__, openapi_version="3.1.0")
    for scheme, description in SCHEMES.items():
        about = {"type": "http", "scheme": "bearer", "description": description}
        spec.components.security_scheme(scheme, about)
    schemas: dict[str, Any] = {}
    for route in routes:
        spec.path(path=route.path, operations={route.method.lower(): _operation(route, schemas)})
    for name, schema in sorted(schemas.items()):
        spec.components.schema(name, schema)
    found: dict[str, Any] = spec.to_dict()
    return found


def _operation(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.handler.__name__,
        "summary": _first_line(route.summary),
        "description": route.summary,
        "parameters": [
            *_parameters(route.model("path"), "path", schemas),
            *_parameters(route.model("query"), "query", schemas),
            *_headers(route),
        ],
        "responses": _responses(route, schemas),
        "security": _security(route.permission),
    }
    if (body := route.model("body")) is not None:
        operation["requestBody"] = {"required": True, "content": _json(body, schemas)}
    elif route.takes_content:
        operation["requestBody"] = {"required": True, "content": {"application/octet-stream": {}}}
    return operation


def _security(permission: Permission) -> list[dict[str, list[str]]]:
    """One of these has to be there; with a person or a key the least role, at least for one's own."""
    if permission.who is Who.ANYBODY:
        return []
    if not permission.is_for_users:
        return [{POD: []}]
    found: list[dict[str, list[str]]] = [{PERSON: [permission.role.value]}]
    if permission.is_for_machines:
        found.append({KEY: [permission.role.value]})
    return found


def _responses(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    good: dict[str, Any] = {"description": HTTPStatus(route.options.status).phrase}
    if content := _content(route, schemas):
        good["content"] = content
    answers = {str(route.options.status): good}
    for status in route.options.also:
        answers[str(status)] = {"description": HTTPStatus(status).phrase}
    if route.repeats is Repeat.BY_KEY and route.options.status == 201:
        answers["200"] = {**good, "description": "The same request was answered before"}
    if route.is_tagged:
        good["headers"] = {
            "ETag": {"schema": {"type": "string"}, "required": route.options.produces == JSON}
        }
        answers["304"] = {"description": "It is as the caller has it", "headers": good["headers"]}
    problem = {problems.CONTENT_TYPE: {"schema": _reference(Problem, schemas)}}
    for status in sorted(_refusals(route)):
        answers[str(status)] = {"description": HTTPStatus(status).phrase, "content": problem}
        if status in RETRIED:
            answers[str(status)]["headers"] = RETRY_AFTER
    return answers


def _content(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    found = {} if route.answer is None else _json(route.answer, schemas)
    if route.options.produces != JSON:
        found[route.options.produces] = {}
    return found


def _refusals(route: Route) -> set[int]:
    """Every status that a refusal of this route can have."""
    # Any request can be malformed, carry a body that is too large or slow, or find something away.
    found = {*route.options.errors, 400, 408, 413, 422, 503}
    if not route.options.open:
        found |= {401, 403, 429}
    if route.model("path") is not None:
        # What is no part of a path leads elsewhere.
        found.add(404)
    if route.model("body") is not None:
        found.add(415)
    return found


def _headers(route: Route) -> list[dict[str, Any]]:
    wanted = {
        conditional.IF_NONE_MATCH: route.is_tagged,
        conditional.IF_MATCH: route.goes_by_version,
        KEY_HEADER: route.repeats in (Repeat.BY_KEY, Repeat.ONCE),
    }
    return [
        {
            "name": name,
            "in": "header",
            "required": False,
            "description": HEADERS[name],
            "schema": {"type": "string", "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
        }
        for name, is_read in wanted.items()
        if is_read
    ]


def _parameters(
    model: type[Model] | None, place: str, schemas: dict[str, Any]
) -> list[dict[str, Any]]:
    if model is None:
        return []
    schema = _schema(model, schemas)
    required = set(schema.get("required", ()))
    return [
        {
            "name": name,
            "in": place,
            "required": place == "path" or name in required,
            "description": each.pop("description", ""),
            "schema": each,
        }
        for name, each in schema["properties"].items()
    ]


def _json(model: type[Model], schemas: dict[str, Any]) -> dict[str, Any]:
    return {JSON: {"schema": _reference(model, schemas)}}


def _reference(model: type[Model], schemas: dict[str, Any]) -> dict[str, str]:
    if model.__name__ not in schemas:
        schemas[model.__name__] = _schema(model, schemas)
    return {"$ref": TEMPLATE.format(model=model.__name__)}


def _schema(model: type[Model], schemas: dict[str, Any]) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template=TEMPLATE)
    for name, part in schema.pop("$defs", {}).items():
        schemas.setdefault(name, part)
    return schema


def _first_line(text: str) -> str:
    return text.split("\n", 1)[0]
