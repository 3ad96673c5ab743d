"""The leases of one test's database."""

import pytest

from coxswain.store.pool import Store
from tests.support.leases import Leases


@pytest.fixture
def leases(operator_store: Store, sidecar_store: Store) -> Leases:
    """No lease yet."""
    return Leases(operator_store, sidecar_store)
