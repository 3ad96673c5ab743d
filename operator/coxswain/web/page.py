"""The page that shows an OpenAPI document to people. It is one file, has no script and loads nothing from anywhere."""

import html
import json
from collections.abc import Iterator
from typing import Any

from coxswain.rules import repeats

STYLE = (
    "body{font:16px/1.5 system-ui;margin:2rem auto;max-width:72rem;padding:0 1rem}"
    "td,th{padding:.2rem .8rem;border-bottom:1px solid #ddd;vertical-align:top;text-align:left}"
    "details{border-bottom:1px solid #ddd;padding:.3rem 0}summary{cursor:pointer}"
    "pre{background:#f6f6f6;padding:.6rem;overflow:auto}"
)
REFERENCE = "#/components/schemas/"


def of(document: dict[str, Any]) -> str:
    """The whole page."""
    title = html.escape(f"{document['info']['title']} {document['info']['version']}")
    routes = "".join(
        _route(method.upper(), path, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    )
    schemas = "".join(
        f"<details id='{html.escape(name)}'><summary><code>{html.escape(name)}</code></summary>"
        f"<pre>{html.escape(json.dumps(schema, indent=1))}</pre></details>"
        for name, schema in sorted(document.get("components", {}).get("schemas", {}).items())
    )
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{title}</title>"
        f"<style>{STYLE}</style><h1>{title}</h1>"
        "<p>The whole description, for programs, is <a href='/v1/openapi.json'>openapi.json</a>.</p>"
        f"<h2>Routes</h2>{routes}<h2>Bodies</h2>{schemas}</html>"
    )


def _route(method: str, path: str, operation: dict[str, Any]) -> str:
    said = "".join(f"<p>{html.escape(each)}</p>" for each in operation["description"].split("\n\n"))
    repeat = repeats.TABLE.get(f"{method} {path}")
    again = "" if repeat is None else f"<p>The same again does {html.escape(repeat)}.</p>"
    rows = "".join([*_parameters(operation), *_bodies(operation)])
    return (
        f"<details><summary><code>{method} {html.escape(path)}</code>"
        f" {html.escape(operation['summary'])}</summary>{said}{again}"
        f"<p>For {html.escape(_callers(operation))}.</p><table>{rows}</table></details>"
    )


def _callers(operation: dict[str, Any]) -> str:
    found = [
        " ".join([scheme, *(f"({role})" for role in roles)])
        for each in operation["security"]
        for scheme, roles in each.items()
    ]
    return " or ".join(found) or "anybody"


def _parameters(operation: dict[str, Any]) -> Iterator[str]:
    for each in operation["parameters"]:
        yield _row(f"{each['in']} {each['name']}", html.escape(each["description"]))


def _bodies(operation: dict[str, Any]) -> Iterator[str]:
    body = operation.get("requestBody")
    if body is not None:
        yield _row("body", _content(body["content"]))
    for status, answer in operation["responses"].items():
        text = f"{html.escape(answer['description'])} {_content(answer.get('content', {}))}"
        yield _row(status, text)


def _content(content: dict[str, Any]) -> str:
    return ", ".join(_media(name, each.get("schema", {})) for name, each in content.items())


def _media(name: str, schema: dict[str, Any]) -> str:
    model = html.escape(schema.get("$ref", "").removeprefix(REFERENCE))
    return f"<a href='#{model}'>{model}</a>" if model else html.escape(name)


def _row(head: str, text: str) -> str:
    return f"<tr><th>{html.escape(head)}</th><td>{text}</td></tr>"
