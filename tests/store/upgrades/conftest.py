"""Databases of earlier versions that were brought to head, each made once."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.support import revisions
from tests.support.postgres import Database, Server
from tests.support.revisions import Earlier


@pytest.fixture(scope="module")
def versions(postgres: Server) -> Iterator[dict[int, Earlier]]:
    """Those that a test has asked for, by revision."""
    made: dict[int, Earlier] = {}
    yield made
    # A server of our own goes as a whole, and each of these would cost it a checkpoint.
    if postgres.pid is None:
        for each in made.values():
            postgres.drop(each.database)


@pytest.fixture
def earlier(
    request: pytest.FixtureRequest, postgres: Server, versions: dict[int, Earlier]
) -> Earlier:
    """The one of the revision that the test names."""
    revision: int = request.param
    if revision not in versions:
        made = postgres.create(migrated=False)
        versions[revision] = asyncio.run(revisions.at_head(made, revision))
    return versions[revision]


@pytest.fixture
def empty(postgres: Server) -> Iterator[Database]:
    """A database without a schema."""
    made = postgres.create(migrated=False)
    yield made
    postgres.drop(made)
