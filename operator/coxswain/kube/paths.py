"""URL paths of the API server. A path is a string that starts with a slash."""

from coxswain.names import GROUP, VERSION

OURS = f"/apis/{GROUP}/{VERSION}"
_GROUPS = {
    "agents": OURS,
    "jobs": OURS,
    "schedules": OURS,
    "leases": OURS,
    "runtimeclasses": "/apis/node.k8s.io/v1",
    "networkpolicies": "/apis/networking.k8s.io/v1",
    "customresourcedefinitions": "/apis/apiextensions.k8s.io/v1",
}
CORE = "/api/v1"
COORDINATION = "/apis/coordination.k8s.io/v1"
TOKEN_REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"  # noqa: S105 - a path
ACCESS_REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
SELF_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


def collection(plural: str, namespace: str | None = None) -> str:
    """All objects of a kind, in one namespace or in all. ``leases`` are ours."""
    root = _GROUPS.get(plural, CORE)
    return f"{root}/{plural}" if namespace is None else f"{root}/namespaces/{namespace}/{plural}"


def of(plural: str, namespace: str | None, name: str, subresource: str | None = None) -> str:
    """One object, or a subresource of it; a namespace of None means a cluster-scoped kind."""
    tail = "" if subresource is None else f"/{subresource}"
    return f"{collection(plural, namespace)}/{name}{tail}"


def coordination_leases(namespace: str) -> str:
    """The coordination leases of a namespace, which leader election uses."""
    return f"{COORDINATION}/namespaces/{namespace}/leases"
