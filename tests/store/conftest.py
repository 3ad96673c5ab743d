"""What tests of this tier share: the database, and the world of a Schedule on it."""

from pathlib import Path

import pytest

from tests.support.postgres import (
    copies,
    database,
    gateway_store,
    module_database,
    operator_store,
    postgres,
    sidecar_store,
)
from tests.support.schedule_world import world

__all__ = [
    "copies",
    "database",
    "gateway_store",
    "module_database",
    "operator_store",
    "postgres",
    "sidecar_store",
    "world",
]


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of one certificate authority, whose keys take a while to make."""
    return tmp_path_factory.mktemp("pki")
