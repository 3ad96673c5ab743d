"""How kstatus reads an object with standard conditions: what a deploy tool waits for."""

from collections.abc import Mapping
from typing import Any, Literal

Reading = Literal["InProgress", "Current", "Failed", "Terminating"]


def read(metadata: Mapping[str, Any], status: Mapping[str, Any]) -> Reading:
    """The rules of kstatus in their order."""
    if metadata.get("deletionTimestamp") is not None:
        return "Terminating"
    if status.get("observedGeneration", metadata["generation"]) != metadata["generation"]:
        return "InProgress"
    said = {each["type"]: each["status"] for each in status.get("conditions", ())}
    if said.get("Reconciling") == "True":
        return "InProgress"
    if said.get("Stalled") == "True":
        return "Failed"
    return "Current" if said.get("Ready", "True") == "True" else "InProgress"
