"""Volumes of an agent pod, all bounded, and the claim of a persistent workspace."""

from typing import Any

from coxswain import names
from coxswain.api.agent import AgentSpec, ConfigMapKey
from coxswain.api.job import JobFile
from coxswain.api.kind import Agent

TOKEN_SECONDS = 3600
INSTRUCTIONS_FILE = "instructions"

Volume = dict[str, Any]


def workspace(agent: AgentSpec, claim_name: str) -> Volume:
    """The folder /workspace: the Agent's home, or an empty one of bounded size."""
    if agent.workspace.type == "Persistent":
        return {"name": "workspace", "persistentVolumeClaim": {"claimName": claim_name}}
    return {"name": "workspace", "emptyDir": {"sizeLimit": agent.workspace.size}}


def scratch(size: str) -> Volume:
    """The folder /tmp."""
    return {"name": "tmp", "emptyDir": {"sizeLimit": size}}


def door() -> Volume:
    """What the door keeps for the case that it is started again; nobody else mounts it."""
    return {"name": "door", "emptyDir": {"sizeLimit": "16Mi"}}


def handed() -> Volume:
    """What a job type hands a program in another container, and takes back."""
    return {"name": "handed", "emptyDir": {"sizeLimit": "8Mi"}}


def identity(installation: str, *, trusts: bool = False) -> Volume:
    """The one token that the pod holds: for our doors alone, an hour long, rotated by the kubelet.

    ``trusts``: and whom it trusts at the doors, which an annotation of the pod says.
    """
    token = {
        "audience": names.audience(installation),
        "expirationSeconds": TOKEN_SECONDS,
        "path": names.TOKEN_FILE.rpartition("/")[2],
    }
    sources: list[dict[str, Any]] = [{"serviceAccountToken": token}]
    if trusts:
        place = f"metadata.annotations['{names.ANNOTATION_DOORS_CA}']"
        file = names.DOORS_CA_FILE.rpartition("/")[2]
        item = {"path": file, "fieldRef": {"fieldPath": place}}
        sources.append({"downwardAPI": {"items": [item]}})
    return {"name": "identity", "projected": {"sources": sources}}


def files(wanted: tuple[JobFile, ...]) -> Volume:
    """The Job's files, from their ConfigMaps, each at its own path."""
    items: dict[str, list[dict[str, str]]] = {}
    for file in wanted:
        items.setdefault(file.config_map, []).append({"key": file.key, "path": file.path})
    sources = [{"configMap": {"name": name, "items": keys}} for name, keys in items.items()]
    return {"name": "files", "projected": {"sources": sources}}


def instructions(key: ConfigMapKey) -> Volume:
    """The Agent's instructions, as one file."""
    item = {"key": key.key, "path": INSTRUCTIONS_FILE}
    return {"name": "instructions", "configMap": {"name": key.name, "items": [item]}}


def claim(agent: Agent) -> dict[str, Any]:
    """The claim of a persistent workspace; with retention Delete it goes when its Agent goes."""
    metadata = agent.metadata
    home = agent.spec.workspace
    manifest: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": names.workspace_claim(metadata.name, metadata.uid),
            "namespace": metadata.namespace,
            "labels": {
                names.LABEL_AGENT: metadata.name,
                names.LABEL_MANAGED_BY: names.MANAGER,
                names.LABEL_PART_OF: names.MANAGER,
                names.LABEL_COMPONENT: "workspace",
            },
        },
        "spec": {
            "accessModes": ["ReadWriteOncePod"],
            "resources": {"requests": {"storage": home.size}},
        },
    }
    if home.storage_class_name is not None:
        manifest["spec"]["storageClassName"] = home.storage_class_name
    if home.retention == "Delete":
        owner = owned_by("Agent", metadata.name, metadata.uid)
        manifest["metadata"]["ownerReferences"] = [owner]
    return manifest


def owned_by(kind: str, name: str, uid: str) -> dict[str, Any]:
    """The reference of a child to its one owner of ours."""
    return {
        "apiVersion": names.API_VERSION,
        "kind": kind,
        "name": name,
        "uid": uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
