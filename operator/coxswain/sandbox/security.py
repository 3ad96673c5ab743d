"""Security contexts of an agent pod, within Pod Security restricted whatever an Agent says."""

from typing import Any

from coxswain.api.sandbox import Sandbox
from coxswain.names import AGENT_UID


def of_pod(sandbox: Sandbox) -> dict[str, Any]:
    """For the whole pod: who it is, and the profiles that close it in."""
    context: dict[str, Any] = {
        "runAsNonRoot": True,
        "runAsUser": AGENT_UID,
        "runAsGroup": AGENT_UID,
        "fsGroup": AGENT_UID,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": sandbox.seccomp.to_wire(),
    }
    if sandbox.app_armor is not None:
        context["appArmorProfile"] = sandbox.app_armor.to_wire()
    if sandbox.se_linux is not None and (options := sandbox.se_linux.to_wire()):
        context["seLinuxOptions"] = options
    return context


def of_container() -> dict[str, Any]:
    """For the container: no rights to lose, nothing to write but its volumes."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "privileged": False,
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
    }
