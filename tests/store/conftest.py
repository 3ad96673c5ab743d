"""What tests of this tier share beside the database itself."""

from pathlib import Path

import pytest

from tests.support.schedule_world import world

__all__ = ["world"]


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of one certificate authority, whose keys take a while to make."""
    return tmp_path_factory.mktemp("pki")
