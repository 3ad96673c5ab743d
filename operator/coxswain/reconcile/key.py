"""What the loop works on: one object, by uid, so that a namesake made later is another one."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from coxswain.names import GROUP


class Key(NamedTuple):
    """Kind, namespace, name and uid of an object of ours."""

    kind: str
    namespace: str
    name: str
    uid: str


def of(kind: str, raw: Mapping[str, Any]) -> Key:
    """The key of a whole object."""
    metadata = raw["metadata"]
    return Key(kind, metadata["namespace"], metadata["name"], metadata["uid"])


def owner(raw: Mapping[str, Any]) -> Key | None:
    """The key of the object of ours that controls this one; a batch job's pod has none."""
    metadata = raw["metadata"]
    for reference in metadata.get("ownerReferences", ()):
        if reference.get("controller") and reference["apiVersion"].startswith(f"{GROUP}/"):
            return Key(
                reference["kind"], metadata["namespace"], reference["name"], reference["uid"]
            )
    return None
