"""The OpenAPI document of a server, made from its routes, and a page that shows it."""

import html
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from apispec import APISpec

import coxswain
from coxswain.api.meta import Model
from coxswain.rules.permissions import Permission, Who
from coxswain.web import problems
from coxswain.web.problems import Problem
from coxswain.web.routes import Route

TEMPLATE = "#/components/schemas/{model}"
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


def page(title: str, routes: Sequence[Route]) -> str:
    """A page for people: every route with its first sentence. It loads nothing from anywhere."""
    rows = "".join(
        f"<tr><td><code>{html.escape(route.method)}</code></td>"
        f"<td><code>{html.escape(route.path)}</code></td>"
        f"<td>{html.escape(_first_line(route.summary))}</td></tr>"
        for route in routes
    )
    return (
        "<!doctype html><html lang='en'><meta charset='utf-8'>"
        f"<title>{html.escape(title)}</title>"
        "<style>body{font:16px/1.5 system-ui;margin:2rem auto;max-width:72rem;padding:0 1rem}"
        "td{padding:.3rem .8rem;border-bottom:1px solid #ddd;vertical-align:top}</style>"
        f"<h1>{html.escape(title)} {coxswain.__version__}</h1>"
        "<p>The whole description, for programs, is <a href='/v1/openapi.json'>openapi.json</a>.</p>"
        f"<table>{rows}</table></html>"
    )


def _operation(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.handler.__name__,
        "summary": _first_line(route.summary),
        "description": route.summary,
        "parameters": [
            *_parameters(route.model("path"), "path", schemas),
            *_parameters(route.model("query"), "query", schemas),
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
    if route.answer is not None:
        good["content"] = _json(route.answer, schemas)
    elif route.options.produces != "application/json":
        good["content"] = {route.options.produces: {}}
    statuses = {*route.options.errors, 400, 422, 503}
    if not route.options.open:
        statuses |= {401, 403}
    problem = {problems.CONTENT_TYPE: {"schema": _reference(Problem, schemas)}}
    refused = {
        str(status): {"description": HTTPStatus(status).phrase, "content": problem}
        for status in sorted(statuses)
    }
    return {str(route.options.status): good, **refused}


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
    return {"application/json": {"schema": _reference(model, schemas)}}


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
