"""What memory keeps of an object: what some pass may ask for, since ten thousand may have ended. Pure."""

from collections.abc import Mapping
from typing import Any

from coxswain.reconcile import phases

DOOR = ("name", "restartPolicy")
"""By these a container is told that starts before the program and runs beside it."""


def of(kind: str, raw: Mapping[str, Any]) -> dict[str, Any]:
    """The object without who wrote which field, and a pod that has ended without what it was to run."""
    metadata = {key: each for key, each in raw["metadata"].items() if key != "managedFields"}
    kept = {**raw, "metadata": metadata}
    if kind == "Pod" and phases.has_ended(raw):
        first = (raw.get("spec") or {}).get("initContainers") or ()
        doors = [{key: each[key] for key in DOOR if key in each} for each in first]
        kept["spec"] = {"initContainers": doors}
    return kept
