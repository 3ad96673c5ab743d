"""A real API server takes everything the chart renders, under Pod Security restricted."""

from typing import Any

import pytest
import yaml

from coxswain.kube import paths
from coxswain.kube.client import Client
from devtools.controlplane import ControlPlane
from devtools.kubectl import Kubectl
from tests.support import chart
from tests.support.apiserver import RESTRICTED

Body = dict[str, Any]


@pytest.mark.parametrize(
    "values",
    [chart.WORKSPACES, chart.EXTERNAL_DATABASE, chart.BUCKET, chart.INSIDE, chart.PLAIN],
)
async def test_every_pod_of_the_platform_passes_pod_security_restricted(
    values: Any, client: Client, namespace: str
) -> None:
    objects = chart.render(values)
    made = list(chart.pods(objects))
    claims = {
        each["metadata"]["name"]: [{"name": "data", "emptyDir": {}}]
        for each in chart.of_kind(objects, "StatefulSet")
    }
    assert len(made) >= 3
    await client.create(
        paths.collection("serviceaccounts", namespace), {"metadata": {"name": "default"}}
    )
    for name, template in made:
        metadata = {"name": name, "labels": template["metadata"]["labels"]}
        spec = {**template["spec"], "serviceAccountName": "default"}
        spec["volumes"] = [*spec["volumes"], *claims.get(name, [])]
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
        await client.create(
            paths.collection("pods", namespace),
            pod,
            {"dryRun": "All", "fieldValidation": "Strict"},
        )


def test_the_api_server_takes_every_object(plane: ControlPlane, tmp_path: Any) -> None:
    kubectl = Kubectl(plane.kubeconfig)
    for name in (chart.RELEASE_NAMESPACE, "demo", "other"):
        metadata = {"name": name, "labels": RESTRICTED}
        kubectl.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    file = tmp_path / "all.yaml"
    file.write_text(yaml.safe_dump_all(_without_priority_class(chart.render(chart.WORKSPACES))))
    words = ["apply", "--server-side", "--dry-run=server", "--validate=strict", "--filename"]
    said = kubectl.run(*words, file).splitlines()
    assert said
    assert [line for line in said if not line.endswith("serverside-applied (server dry run)")] == []


def _without_priority_class(objects: list[Body]) -> list[Body]:
    """The test's API server has that class already, with another value, which cannot be changed."""
    return [each for each in objects if each["kind"] != "PriorityClass"]
