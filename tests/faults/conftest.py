"""The bed of this tier: one per test process."""

from collections.abc import Iterator

import pytest

from tests.faults import bed as beds
from tests.faults.bed import Bed


@pytest.fixture(scope="session")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    """A control plane that forgets nothing, and a Postgres."""
    with beds.made(tmp_path_factory.mktemp("bed")) as made:
        yield made
