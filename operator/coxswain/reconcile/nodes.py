"""What a pod tells of its node. Pure."""

from coxswain.reconcile.cache import Raw

KUBELETS_OWN = "ContainersNotReady"
"""Why a kubelet itself calls a pod unready: here, because the door beside a foreign image does not answer."""


def is_silent(pod: Raw) -> bool:
    """Whether the cluster hears nothing of the pod's node: then it calls the pod unready, without a reason.

    Where the kubelet called it unready before its node fell silent, its reason stays: then only the
    deletion of the pod, which follows some minutes later, says so.
    """
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(
        each.get("type") == "Ready"
        and each.get("status") == "False"
        and each.get("reason") != KUBELETS_OWN
        for each in conditions
    )
