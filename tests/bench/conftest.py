"""The benches run against the same things as the apiserver tier."""

from tests.support.apiserver import client, namespace

__all__ = ["client", "namespace"]
