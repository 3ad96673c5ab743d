"""Schemas of the three kinds of the Prometheus operator, as far as the chart uses them.

Its own definitions are in no module that we could build from, so these are written after its API
reference: every field that is there has its form here, and another field is refused.
"""

import json
from pathlib import Path
from typing import Any

GROUP = "monitoring.coreos.com"
DIALECT = "http://json-schema.org/draft-07/schema#"
Schema = dict[str, Any]


def _closed(required: tuple[str, ...] = (), **properties: Schema) -> Schema:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": properties,
    }


def _list(of: Schema) -> Schema:
    return {"type": "array", "minItems": 1, "items": of}


TEXT: Schema = {"type": "string", "minLength": 1}
TEXTS: Schema = {"type": "object", "additionalProperties": TEXT}
DURATION: Schema = {
    "type": "string",
    "pattern": r"^(0|([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?)$",
}
EXPRESSION = _closed(
    ("key", "operator"),
    key=TEXT,
    operator={"enum": ["In", "NotIn", "Exists", "DoesNotExist"]},
    values=_list(TEXT),
)
SELECTOR = _closed(matchLabels=TEXTS, matchExpressions=_list(EXPRESSION))
ENDPOINT = _closed(
    ("port",), port=TEXT, path={"type": "string", "pattern": "^/"}, interval=DURATION
)
NAMESPACES = _closed(matchNames=_list(TEXT), any={"type": "boolean"})
RULE: Schema = {
    **_closed(
        ("expr",),
        alert=TEXT,
        record={"type": "string", "pattern": "^[a-zA-Z_:][a-zA-Z0-9_:]*$"},
        expr=TEXT,
        labels=TEXTS,
        annotations=TEXTS,
        **{"for": DURATION},
    ),
    "oneOf": [{"required": ["alert"]}, {"required": ["record"]}],
}
SPECS = {
    "PodMonitor": _closed(
        ("selector", "podMetricsEndpoints"), selector=SELECTOR, podMetricsEndpoints=_list(ENDPOINT)
    ),
    "ServiceMonitor": _closed(
        ("selector", "endpoints"),
        selector=SELECTOR,
        namespaceSelector=NAMESPACES,
        endpoints=_list(ENDPOINT),
    ),
    "PrometheusRule": _closed(
        ("groups",), groups=_list(_closed(("name", "rules"), name=TEXT, rules=_list(RULE)))
    ),
}


def write(folder: Path) -> None:
    """Put them where kubeconform looks for the schemas of a group."""
    home = folder / GROUP
    home.mkdir(parents=True, exist_ok=True)
    for kind, spec in SPECS.items():
        whole = _closed(
            ("apiVersion", "kind", "metadata", "spec"),
            apiVersion={"const": f"{GROUP}/v1"},
            kind={"const": kind},
            metadata=_closed(("name",), name=TEXT, namespace=TEXT, labels=TEXTS),
            spec=spec,
        )
        text = json.dumps({"$schema": DIALECT, **whole})
        (home / f"{kind.lower()}_v1.json").write_text(text)
