"""The platform's chart as helm renders it, and easy ways to look at the result."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from devtools import charts

Body = dict[str, Any]

CHART = charts.CHARTS / "coxswain"
RELEASE_NAMESPACE = charts.NAMESPACE
WORKSPACES = CHART / "ci" / "workspaces.yaml"
EXTERNAL_DATABASE = CHART / "ci" / "external-database.yaml"
BUCKET = CHART / "ci" / "bucket.yaml"
READS = CHART / "ci" / "reads.yaml"
OIDC = CHART / "ci" / "oidc.yaml"
DEV = CHART / "ci" / "dev.yaml"
PROD = CHART / "ci" / "prod.yaml"
TLS = CHART / "ci" / "tls.yaml"
INSIDE = CHART / "ci" / "inside.yaml"
PLAIN = CHART / "ci" / "plain.yaml"


def render(*values: Path, monitored: bool = False) -> list[Body]:
    """Every object of the chart, hooks too; ``monitored``: where Prometheus has an operator.

    The mode is dev unless the values say another.
    """
    text = charts.render(CHART, DEV, *values, monitored=monitored)
    return [each for each in yaml.safe_load_all(text) if each]


def render_with(folder: Path, chosen: Body, *, monitored: bool = False) -> list[Body]:
    """The same with values given here."""
    file = folder / "values.json"
    file.write_text(json.dumps(chosen))
    return render(file, monitored=monitored)


def of_kind(objects: list[Body], kind: str) -> list[Body]:
    """The objects of one kind."""
    return [each for each in objects if each["kind"] == kind]


def find(objects: list[Body], kind: str, name: str, namespace: str | None = None) -> Body:
    """The one object of that name."""
    found = [
        each
        for each in of_kind(objects, kind)
        if each["metadata"]["name"] == name
        and namespace in (None, each["metadata"].get("namespace"))
    ]
    assert len(found) == 1, f"{len(found)} objects {kind} {name}"
    return found[0]


def pods(objects: list[Body]) -> Iterator[tuple[str, Body]]:
    """Name and pod template of everything that makes pods."""
    for each in objects:
        if each["kind"] in ("Deployment", "StatefulSet", "Job"):
            yield each["metadata"]["name"], each["spec"]["template"]
        if each["kind"] == "CronJob":
            yield each["metadata"]["name"], each["spec"]["jobTemplate"]["spec"]["template"]


def containers(template: Body) -> list[Body]:
    """All containers of a pod, those that run before the others too."""
    spec = template["spec"]
    return [*spec.get("initContainers", []), *spec["containers"]]
