"""Every test of this tier gets its API server from here."""

from tests.support.apiserver import client, namespace, plane

__all__ = ["client", "namespace", "plane"]
