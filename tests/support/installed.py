"""The installation of the cluster tier: what `hack/test cluster` has installed, and how to change it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from devtools import release
from devtools.images import catalog
from devtools.kubectl import Kubectl
from devtools.tiers import WORKSPACES

Values = dict[str, Any]


def values() -> Values:
    """What it was installed with."""
    refs = {name: catalog.find(name).ref for name in catalog.PROJECT}
    return release.values(refs, WORKSPACES)


@contextmanager
def changed(kubectl: Kubectl, more: Values) -> Iterator[None]:
    """Installed with more values, and as before at the end."""
    release.install(kubectl, {**values(), **more})
    try:
        yield
    finally:
        release.install(kubectl, values())
