"""What Argo CD is told about the kinds: how to read the health of each."""

from coxswain import names
from coxswain.api import manifest
from devtools import places

FOLDER = places.REPOSITORY / "docs" / "gitops"
HEALTH = FOLDER / "argocd" / "health.lua"


def settings() -> str:
    """Argo CD's ConfigMap with the health of every kind, as a patch of the one that is there."""
    health = HEALTH.read_text()
    data = {
        f"resource.customizations.health.{names.GROUP}_{kind.name}": health
        for kind in manifest.KINDS
    }
    return manifest.to_yaml(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "argocd-cm", "namespace": "argocd"},
            "data": data,
        }
    )
