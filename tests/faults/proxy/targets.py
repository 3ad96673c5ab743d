"""What a request to the API server is about, in the words of its own audit log."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from typing_extensions import override

from coxswain.names import GROUP

_PATH = re.compile(
    r"^/(?:api|apis/(?P<group>[^/]+))/[^/]+"
    r"(?:/namespaces/(?P<namespace>[^/]+)(?=/))?"
    r"/(?P<resource>[^/]+)(?:/(?P<name>[^/]+)(?:/(?P<part>.+))?)?$"
)
_CHANGES = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
WRITES = frozenset(_CHANGES.values())
ELECTION = "leases.coordination.k8s.io"
ASKING = ("tokenreviews", "subjectaccessreviews", "selfsubjectaccessreviews")


class Target(NamedTuple):
    """Verb, resource with its subresource, namespace and name."""

    verb: str
    resource: str
    namespace: str = ""
    name: str = ""

    @property
    def is_write(self) -> bool:
        """Whether it changes something, leader election and questions about rights apart."""
        kind = self.resource.partition("/")[0].partition(".")[0]
        return self.verb in WRITES and self.resource != ELECTION and kind not in ASKING

    @override
    def __str__(self) -> str:
        return f"{self.verb} {self.resource} {self.name}".rstrip()


def of(method: str, path: str, query: Mapping[str, str]) -> Target:
    """What is asked for. A path outside of the kinds is its own resource."""
    found = _PATH.match(path)
    if found is None:
        return Target(_CHANGES.get(method, "get"), path)
    group = found["group"] or ""
    # Ours and the core's by their plurals alone; `leases` are ours.
    resource = found["resource"] if group in ("", GROUP) else f"{found['resource']}.{group}"
    if found["part"]:
        resource += f"/{found['part']}"
    verb = _CHANGES.get(method)
    if verb is None:
        verb = "get" if found["name"] else "list"
        if query.get("watch") in ("1", "true"):
            verb = "watch"
    return Target(verb, resource, found["namespace"] or "", found["name"] or "")
