"""JSON schemas for kubeconform, exported from our own API server with our own kinds installed.

kubeconform looks for one file per kind; the API server publishes OpenAPI v3 documents per group. Each
kind becomes one file with everything it refers to inside, closed against unknown fields.
"""

import json
import ssl
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from devtools import console
from devtools.controlplane import ControlPlane

# What kubeconform is told to look for below the folder.
LOCATION = "{{ .Group }}/{{ .ResourceKind }}_{{ .ResourceAPIVersion }}.json"
PREFIX = "#/components/schemas/"


def export(plane: ControlPlane, folder: Path) -> int:
    """Write the schemas of every kind the API server serves; return how many."""
    written = 0
    index = _get(plane, "/openapi/v3")["paths"]
    for path, entry in index.items():
        if not path.startswith(("api/", "apis/")):
            continue
        document = _get(plane, entry["serverRelativeURL"])
        schemas = document.get("components", {}).get("schemas", {})
        for group, name, schema in _kinds(schemas):
            target = folder / group / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(json.dumps(_whole(schema, schemas)))
            written += 1
    return written


def await_kinds(plane: ControlPlane, group: str, number: int) -> None:
    """Wait until the documents hold that many kinds of a group; they follow a definition slowly."""
    console.wait(f"the kinds of {group}", lambda: _published(plane, group) >= number, 30)


def _published(plane: ControlPlane, group: str) -> int:
    documents = [path for path in _get(plane, "/openapi/v3")["paths"] if f"apis/{group}/" in path]
    found = [
        name
        for path in documents
        for _, name, _ in _kinds(_get(plane, f"/openapi/v3/{path}")["components"]["schemas"])
    ]
    return len([name for name in found if "list_" not in name])


def _get(plane: ControlPlane, path: str) -> dict[str, Any]:
    trust = ssl.create_default_context(cafile=str(plane.ca_file))
    trust.load_cert_chain(plane.admin.certificate, plane.admin.key)
    with urllib.request.urlopen(plane.url + path, context=trust, timeout=30) as answer:  # noqa: S310
        document: dict[str, Any] = json.load(answer)
    return document


def _kinds(schemas: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Folder, file name and schema of each kind; the core group is known by its version alone."""
    for schema in schemas.values():
        for each in schema.get("x-kubernetes-group-version-kind", []):
            if "metadata" in schema.get("properties", {}):
                group, version = each["group"] or each["version"], each["version"]
                yield group, f"{each['kind'].lower()}_{version}.json", schema


def _whole(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """The schema with the definitions that it needs, and no unknown field anywhere."""
    needed: dict[str, Any] = {}
    body = _closed(schema, schemas, needed)
    return {"$schema": "http://json-schema.org/draft-07/schema#", **body, "definitions": needed}


def _closed(node: Any, schemas: dict[str, Any], needed: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_closed(each, schemas, needed) for each in node]
    if not isinstance(node, dict):
        return node
    result: dict[str, Any] = {}
    for key, value in node.items():
        if key == "properties":
            # A field may be called like a keyword, so its name is never looked at.
            result[key] = {name: _closed(each, schemas, needed) for name, each in value.items()}
        elif key == "$ref":
            result[key] = _refer(value.removeprefix(PREFIX), schemas, needed)
        elif not key.startswith("x-kubernetes-") and key not in ("default", "format"):
            result[key] = _closed(value, schemas, needed)
    if node.get("x-kubernetes-int-or-string"):
        result["type"] = ["integer", "string"]
    if "properties" in node and "additionalProperties" not in node:
        result["additionalProperties"] = bool(node.get("x-kubernetes-preserve-unknown-fields"))
    return result


def _refer(name: str, schemas: dict[str, Any], needed: dict[str, Any]) -> str:
    if name not in needed:
        needed[name] = {}  # a schema may refer to itself
        needed[name] = _closed(schemas[name], schemas, needed)
    return f"#/definitions/{name}"
