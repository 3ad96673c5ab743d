"""The cluster that `hack/test chaos` has made and installed the platform into."""

from tests.cluster.conftest import kubectl, on_the_node

__all__ = ["kubectl", "on_the_node"]
